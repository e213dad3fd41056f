"""What a person has sold by hand at the exchange: told once, and booked like any other sale."""

from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import FailureError

from domain.journal import FillEntry, OrderEntry, TradeEntry
from tests.support.bots import Bench, BotUnderTest, dec, live_bot, until
from workflows.command import OrderFound


def sold(quantity: Decimal, price: str, fee: str = "0") -> OrderFound:
    return OrderFound(quantity=quantity, price=dec(price), fee=dec(fee))


async def tells(bot: BotUnderTest, finding: OrderFound) -> str:
    answer: str = await bot.handle.execute_update("book_sale", finding, result_type=str)
    return answer


async def refusal(bot: BotUnderTest, finding: OrderFound) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await tells(bot, finding)
    assert isinstance(error.value.cause, FailureError)
    return error.value.cause.message


async def holder(bench: Bench, **changes: Any) -> tuple[BotUnderTest, Decimal]:
    bot = await live_bot(bench, **changes)
    bench.market.dip()
    await bot.holds()
    held = (await bot.position()).quantity
    assert held is not None
    return bot, held


async def test_a_position_that_was_sold_by_hand_is_a_trade_at_the_price_that_is_told(bench: Bench) -> None:
    """Bought at 90 with 0.1 % fee in base; sold by hand at 100 for a fee of 0.5 quote."""
    bot, held = await holder(bench)
    before = (await bot.position()).cash
    answer = await tells(bot, sold(held, "100", "0.5"))
    assert "position closed" in answer
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = (entry.trade for entry in bot.journaled(TradeEntry))
    assert (trade.size, trade.exit_price, trade.exit_reason) == (held, dec("100"), "sold_by_hand")
    assert trade.gross_pnl == held * dec("10")
    position = await bot.position()
    assert (position.quantity, position.cash) == (None, before + held * 100 - dec("0.5"))
    assert len(bench.exchange.accepted) == 1  # the purchase alone


async def test_it_is_journaled_as_an_order_that_no_exchange_has(bench: Bench) -> None:
    bot, held = await holder(bench)
    await tells(bot, sold(held, "100"))
    await until(lambda: bool(bot.journaled(TradeEntry)))
    order, fill = bot.journaled(OrderEntry)[-1], bot.journaled(FillEntry)[-1]
    assert (order.status, order.reason, order.venue_order_id) == ("filled", "a person sold it by hand", None)
    assert fill.fill.trade_id == f"{order.intent.client_order_id}-person"
    assert order.intent.client_order_id not in bench.exchange.orders


async def test_of_a_part_the_rest_stays_open_and_is_sold_by_its_own_exit(bench: Bench) -> None:
    bot, held = await holder(bench)
    answer = await tells(bot, sold(dec("1"), "100"))
    assert answer == "sold 1 BTC @ 100 USDT: sold_by_hand"
    assert (await bot.position()).quantity == held - 1
    bench.market.crash()
    await bot.closed()
    sale = bench.exchange.orders[bench.exchange.accepted[-1]]
    assert (sale.side, sale.quantity) == ("sell", held - 1)
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = (entry.trade for entry in bot.journaled(TradeEntry))
    assert trade.size == held
    assert trade.exit_value == 100 + (held - 1) * (sale.price or 0)


async def test_an_exit_that_finds_too_little_is_through_once_it_is_told_where_the_rest_went(bench: Bench) -> None:
    bot, held = await holder(bench)
    bench.exchange.there = Decimal(2)
    bench.market.crash()
    status = await bot.comes(lambda status: status.difference is not None)
    await bot.comes(lambda status: status.position.quantity == held - 2)
    await tells(bot, sold(held - 2, "88"))
    status = await bot.closed()
    assert status.difference is None
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = (entry.trade for entry in bot.journaled(TradeEntry))
    assert trade.size == held


async def test_a_stop_at_the_exchange_is_ended_before_the_sale_is_booked(bench: Bench) -> None:
    bot, held = await holder(bench, risk_management__exchange_stop=True, risk_management__stop_loss_pct=5.0)
    await bot.comes(lambda status: bool(status.resting))
    await tells(bot, sold(held, "100"))
    _, stop = bench.exchange.orders.values()
    assert (stop.type, stop.report.status) == ("stop", "cancelled")
    assert (await bot.status()).resting == ()


async def test_what_the_stop_has_sold_meanwhile_cannot_have_been_sold_by_hand(bench: Bench) -> None:
    bot, held = await holder(bench, risk_management__exchange_stop=True, risk_management__stop_loss_pct=5.0)
    await bot.comes(lambda status: bool(status.resting))
    bench.exchange.complete()  # the bot has not seen it yet
    assert await refusal(bot, sold(held, "100")) == "the bot has sold meanwhile: it holds 0"
    assert (await bot.closed()).position.quantity is None


@pytest.mark.parametrize("quantity", ["0", "100"])
async def test_no_more_than_is_held_can_have_been_sold(bench: Bench, quantity: str) -> None:
    bot, held = await holder(bench)
    sentence = f"at most the {held:f} held can have been sold; was {quantity}"
    assert await refusal(bot, sold(dec(quantity), "100")) == sentence


async def test_without_a_position_nothing_can_have_been_sold(bench: Bench) -> None:
    bot = await live_bot(bench)
    assert await refusal(bot, sold(dec("1"), "100")) == "there is no position of which anything could have been sold"


async def test_nobody_sells_a_position_on_paper_by_hand(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    assert await refusal(bot, sold(dec("1"), "100")) == "the position is on paper: `bots close` sells it"
