"""Offers to buy and to sell: they rest, are filled, and are given up in time."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.journal import EventEntry, FillEntry, OrderEntry, TradeEntry
from tests.support.bots import Bench, BotUnderTest, dec, live_bot, until

OFFER = {"trading__entry_order": "limit", "trading__limit_offset_pct": 1.0, "trading__limit_timeout_seconds": 45.0}
"""After the dip to 90: an offer to buy at 89.10, for 45 s of the venue's clock."""

ASK = {"trading__exit_order": "limit", "trading__limit_offset_pct": 1.0, "trading__limit_timeout_seconds": 45.0}


async def rests(bot: BotUnderTest) -> None:
    await bot.comes(lambda status: any(order.type == "limit" for order in status.resting))


async def withdrawn(bot: BotUnderTest) -> None:
    await bot.comes(lambda status: not status.resting)


def stages(bot: BotUnderTest) -> list[tuple[str, str, str]]:
    return [(each.intent.side, each.intent.type, each.status) for each in bot.journaled(OrderEntry)]


async def paper_bot(bench: Bench, **changes: Any) -> BotUnderTest:
    bot = await bench.start(**changes)
    await bot.reaches("running")
    return bot


# on paper


async def test_an_offer_is_filled_at_its_price_once_the_market_has_traded_through_it(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    (order,) = (await bot.status()).resting
    assert (order.side, order.price, order.paper) == ("buy", dec("89.10"), True)
    bench.market.tick("89.10")  # that others were filled at this price does not mean that we were
    bench.market.tick("89.09")
    assert (await bot.holds()).average_price == dec("89.10")
    await until(lambda: stages(bot)[-1] == ("buy", "limit", "filled"))
    assert bot.events().count("order_rests") == 1


async def test_an_offer_that_nobody_takes_is_withdrawn_when_its_time_is_over(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    bench.market.elapsed = 45_000
    bench.market.tick("90")
    await withdrawn(bot)
    assert (await bot.status()).position.quantity is None
    await until(lambda: stages(bot)[-1] == ("buy", "limit", "cancelled"))
    (event,) = [each for each in bot.journaled(EventEntry) if each.type == "order_cancelled"]
    assert event.message.endswith("not filled: not filled within 45 s")


async def test_while_an_offer_rests_no_other_order_is_made(bench: Bench) -> None:
    """The second candle is a signal too, and ends before the offer's time is over."""
    bot = await paper_bot(bench, **OFFER | {"trading__limit_timeout_seconds": 600.0}, trading__max_positions=3)
    bench.market.dip()
    await rests(bot)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await bot.handle.execute_update("open_position")
    assert "an order rests at its limit" in str(refusal.value.cause)
    bench.market.add(open_=90.0, high=90.0, low=89.2, close=89.2, volume=30.0)
    bench.market.tick("89.00")
    assert (await bot.holds()).average_price == dec("89.10")
    assert len({each.intent.client_order_id for each in bot.journaled(OrderEntry)}) == 1


async def test_a_pause_withdraws_an_offer(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    await bot.handle.signal("pause")
    await withdrawn(bot)
    await bot.reaches("paused")


async def test_a_stop_withdraws_an_offer_and_leaves_nothing_behind(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    await bot.handle.signal("stop")
    assert await bot.ends() == "stopped, flat, after 0 trades"
    assert stages(bot)[-1] == ("buy", "limit", "cancelled")


async def test_an_edit_of_the_configuration_withdraws_an_offer(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    await bot.edit(config=bot.row.config | {"name": "renamed", "symbol": "ETHUSDT"})
    status = await bot.comes(lambda status: status.version == 2)
    assert (status.resting, status.position.symbol, status.problems) == ((), "ETH/USDT", ())


async def test_an_exit_is_offered_above_the_market_and_filled_there(bench: Bench) -> None:
    """The crash to 80 is an exit; the offer is at 80.80."""
    bot = await paper_bot(bench, **ASK)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await rests(bot)
    assert (await bot.status()).position.quantity is not None
    bench.market.tick("80.81")
    await bot.closed()
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = bot.journaled(TradeEntry)
    assert (trade.trade.exit_price, trade.trade.exit_reason) == (dec("80.80"), "ATRExitMixin")


async def test_what_nobody_takes_in_time_is_sold_at_the_market(bench: Bench) -> None:
    bot = await paper_bot(bench, **ASK)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await rests(bot)
    bench.market.elapsed = 45_000
    bench.market.tick("79.50")
    await bot.closed()
    await until(lambda: bool(bot.journaled(TradeEntry)))
    assert stages(bot)[-1] == ("sell", "market", "filled")


async def test_a_stop_does_not_wait_for_an_offer(bench: Bench) -> None:
    """Bought at 90.05: the stop is 15 % below, at 76.54."""
    bot = await paper_bot(bench, **ASK, risk_management__stop_loss_pct=15.0)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await rests(bot)
    bench.market.tick("76.00")
    await bot.closed()
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (trade,) = bot.journaled(TradeEntry)
    assert trade.trade.exit_reason == "stop_loss"
    assert [stage for stage in stages(bot) if stage[0] == "sell"][-1] == ("sell", "market", "filled")


async def test_a_person_who_closes_does_not_wait_for_an_offer(bench: Bench) -> None:
    bot = await paper_bot(bench, **ASK)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await rests(bot)
    assert "position closed" in await bot.handle.execute_update("close_position")
    assert (await bot.status()).resting == ()


async def test_a_person_buys_at_the_market(bench: Bench) -> None:
    bot = await paper_bot(bench, **OFFER)
    await bot.handle.execute_update("open_position")
    assert {each.intent.type for each in bot.journaled(OrderEntry)} <= {"market"}
    assert (await bot.holds()).quantity is not None


async def test_an_offer_outlives_its_worker(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await paper_bot(bench, **OFFER)
        bench.market.dip()
        await rests(bot)
    bench.market.tick("89.00")
    async with bench.worker():
        assert (await bot.holds()).average_price == dec("89.10")


# at an exchange


async def test_what_is_filled_of_an_offer_is_held_and_watched_while_the_rest_waits(bench: Bench) -> None:
    bot = await live_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    (order,) = bench.exchange.resting
    name, part = order.report.client_order_id, dec("0.5")
    assert (order.type, order.price) == ("limit", dec("89.10"))
    bench.exchange.fill_part(name, part)
    await bot.comes(lambda status: status.position.quantity == part)
    bench.market.crash()  # an exit: what is left of the offer is withdrawn, what was bought is sold
    await bot.closed()
    buy, sell = bench.exchange.orders.values()
    assert (buy.report.status, buy.report.filled_quantity) == ("cancelled", part)
    assert (sell.type, sell.quantity) == ("market", part)
    assert len(bot.journaled(FillEntry)) == 2


async def test_an_offer_that_is_filled_while_it_is_withdrawn_is_bought(bench: Bench) -> None:
    bot = await live_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    (order,) = bench.exchange.resting
    bench.exchange.complete()
    await bot.handle.signal("pause")
    await bot.comes(lambda status: status.position.quantity == order.quantity)


async def test_an_offer_at_an_exchange_is_cancelled_there_when_its_time_is_over(bench: Bench) -> None:
    bot = await live_bot(bench, **OFFER)
    bench.market.dip()
    await rests(bot)
    bench.market.elapsed = 45_000
    bench.market.tick("90")
    await withdrawn(bot)  # from the bot's sight; the exchange may be told a moment later
    await until(lambda: [order.report.status for order in bench.exchange.orders.values()] == ["cancelled"])
    assert bench.exchange.resting == []


async def test_what_an_exchange_leaves_of_an_exit_in_time_is_sold_at_the_market(bench: Bench) -> None:
    bot = await live_bot(bench, **ASK)
    bench.market.dip()
    held = (await bot.holds()).quantity
    assert held is not None
    bench.market.crash()
    await rests(bot)
    (offer,) = bench.exchange.resting
    bench.exchange.fill_part(offer.report.client_order_id, dec("0.5"))
    await bot.comes(lambda status: status.position.quantity == held - dec("0.5"))
    bench.market.elapsed = 45_000
    bench.market.tick("80")
    await bot.closed()
    _, offer, rest = bench.exchange.orders.values()
    assert (offer.report.status, rest.type, rest.quantity) == ("cancelled", "market", held - dec("0.5"))


async def test_an_offer_whose_answer_was_lost_is_found_and_not_made_again(bench: Bench) -> None:
    bot = await live_bot(bench, **OFFER)
    bench.exchange.lose = 1
    bench.market.dip()
    await rests(bot)
    assert len(bench.exchange.accepted) == 1


async def test_an_offer_that_history_forgot_is_adopted_and_withdrawn(idle_bench: Bench) -> None:
    """The workflow begins anew from a row that knows nothing of its last order."""
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench, **OFFER)
        bench.market.dip()
        await rests(bot)
        (order,) = bench.exchange.resting
        bench.exchange.fill_part(order.report.client_order_id, dec("0.5"))
        await bot.comes(lambda status: status.position.quantity == dec("0.5"))
        await bot.handle.terminate()
        bench.journal.rows[bot.bot_id] = bot.row.model_copy(update={"carried": None, "status": "stopped"})
        await bench.fleet.sync(bot.row)
        await bot.comes(lambda status: status.position.quantity == dec("0.5"))
        await until(lambda: not bench.exchange.resting)
        await until(lambda: bot.events().count("order_adopted") == 1)
        assert len(bench.exchange.accepted) == 1
