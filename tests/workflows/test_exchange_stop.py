"""The stop that rests at the exchange: where it should be, moved with the exit's own, never beside another sale."""

from typing import Any

from domain.errors import OrderRejected
from domain.journal import OrderEntry, TradeEntry
from domain.orders import OrderIntent
from domain.state import Reconfigure
from tests.support.bots import LIVE, Bench, BotUnderTest, dec, live_bot, until

PROTECTED: dict[str, Any] = {"risk_management__exchange_stop": True, "risk_management__stop_loss_pct": 5.0}
"""Bought at 90: the stop loss is at 85.50. The exit's own stop is at 87 after the dip."""


async def protected(bot: BotUnderTest, price: str) -> None:
    await bot.comes(lambda status: [order.price for order in status.resting if order.type == "stop"] == [dec(price)])


def resting(bench: Bench) -> list[tuple[str, str, object, object]]:
    return [(order.side, order.type, order.price, order.quantity) for order in bench.exchange.resting]


async def holder(bench: Bench, **changes: Any) -> BotUnderTest:
    bot = await live_bot(bench, **PROTECTED | changes)
    bench.market.dip()
    await bot.holds()
    return bot


async def test_a_position_is_protected_by_the_higher_of_its_stops(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    assert resting(bench) == [("sell", "stop", dec("87"), (await bot.position()).quantity)]
    assert bot.events().count("order_rests") == 1


async def test_the_stop_follows_the_exit_s_own_upwards(bench: Bench) -> None:
    """ATR falls from 2.0 to 1.8 with a range of 1, and the peak rises to 91: 91 − 1.5 × 1.8 = 88.3 by hand."""
    bot = await holder(bench)
    await protected(bot, "87")
    bench.market.add(open_=90.0, high=91.0, low=90.0, close=91.0)
    await bot.comes(lambda status: any(order.price > dec("87") for order in status.resting))
    first, second = (order for order in bench.exchange.orders.values() if order.type == "stop")
    assert (first.report.status, second.report.status) == ("cancelled", "open")
    assert (await bot.status()).position.quantity == second.quantity


async def test_before_anything_is_sold_the_stop_is_cancelled(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    bench.market.crash()
    await bot.closed()
    _, stop, sale = bench.exchange.orders.values()
    assert (stop.report.status, sale.type, sale.report.status) == ("cancelled", "market", "filled")


async def test_what_the_exchange_has_sold_is_booked_and_not_sold_again(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    bench.exchange.complete()
    bench.market.tick("86.90")
    await bot.closed()
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = bot.journaled(TradeEntry)
    assert (trade.trade.exit_price, trade.trade.exit_reason) == (dec("87"), "exchange_stop")
    assert len(bench.exchange.accepted) == 2


async def test_of_what_the_exchange_has_sold_a_part_the_rest_is_sold_once(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    (stop,) = bench.exchange.resting
    bench.exchange.fill_part(stop.report.client_order_id, dec("0.5"))
    bench.market.tick("86.90")
    await bot.closed()
    _, stop, sale = bench.exchange.orders.values()
    assert (stop.report.filled_quantity, sale.quantity) == (dec("0.5"), stop.quantity - dec("0.5"))


async def test_a_stop_that_was_filled_unseen_is_found_when_the_orders_are_looked_at_anew(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    bench.exchange.complete()
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await bot.closed()
    assert len(bench.exchange.accepted) == 2


async def test_a_bot_that_is_stopped_leaves_no_stop_behind(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    await bot.handle.signal("stop")
    assert (await bot.ends()).startswith("stopped, holding a position")
    assert resting(bench) == []


async def test_without_the_setting_the_stop_goes_and_with_it_comes_again(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    config = bot.row.config
    await bot.edit(config=config | {"risk_management": config["risk_management"] | {"exchange_stop": False}})
    await bot.comes(lambda status: not status.resting)
    assert resting(bench) == []
    await bot.edit(config=config)
    await protected(bot, "87")


async def test_a_second_entry_is_protected_too(bench: Bench) -> None:
    bot = await holder(bench, trading__max_positions=2)
    await protected(bot, "87")
    before = (await bot.position()).quantity
    await bot.handle.execute_update("open_position")
    await bot.comes(lambda status: bool(status.resting) and status.position.quantity != before)
    held = (await bot.position()).quantity
    await until(lambda: [order.quantity for order in bench.exchange.resting] == [held])


async def test_a_stop_that_the_exchange_refuses_is_not_repeated_and_the_bot_s_own_holds(bench: Bench) -> None:
    bot = await live_bot(bench, **PROTECTED)
    sent: list[OrderIntent] = []
    submit = bench.exchange.submit

    async def refusing(request, window):  # type: ignore[no-untyped-def]
        if request.intent.type == "stop":
            sent.append(request.intent)
            raise OrderRejected("stop orders are not allowed here")
        return await submit(request, window)

    bench.exchange.submit = refusing  # type: ignore[method-assign]
    bench.market.dip()
    await bot.holds()
    await until(lambda: len(sent) == 1)
    await bot.handle.signal("pause")
    await bot.handle.signal("resume")
    await bot.reaches("running")
    bench.market.tick("86.90")
    await bot.closed()
    assert len(sent) == 1
    rejected = [each for each in bot.journaled(OrderEntry) if each.status == "rejected"]
    assert [each.reason for each in rejected] == ["stop orders are not allowed here"]


async def test_on_paper_the_stop_is_watched_by_price_as_the_exchange_would(bench: Bench) -> None:
    bot = await bench.start(**PROTECTED)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    bench.market.tick("86.90")  # no candle has closed below the exit's stop
    await bot.closed()
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = bot.journaled(TradeEntry)
    assert trade.trade.exit_reason == "last_stop"
    assert {each.intent.type for each in bot.journaled(OrderEntry)} == {"market"}


async def test_a_stop_at_the_exchange_outlives_a_new_run(bench: Bench) -> None:
    bot = await holder(bench)
    await protected(bot, "87")
    run = (await bot.handle.describe()).run_id
    await bot.edit(config=bot.row.config | {"name": "renamed"})
    await bot.begins_after(run)
    await protected(bot, "87")
    await until(lambda: [order.price for order in bench.exchange.resting] == [dec("87")])
    assert len(bench.exchange.accepted) == 2


async def test_where_no_stop_can_rest_the_configuration_is_refused(bench: Bench) -> None:
    bench.exchange.takes_stops = False
    bot = await bench.start(**LIVE | PROTECTED)
    status = await bot.reaches("error")
    assert status.problems == ("risk_management.exchange_stop: no stop can rest at binance; expected false",)
