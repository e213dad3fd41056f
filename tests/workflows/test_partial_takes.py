"""Partial profits: parts are sold at their levels, once each, and the rest goes on under its stop.

After the dip of the fake market A is the range of 10 over a period of 5: 2.0. Bought on a decision at 90, so R = 2: the
stop is at 88, the parts are sold at 92 and 94. Slippage is 0.05 %: 91.95 and 93.95 are got for them.
"""

import asyncio
from decimal import Decimal
from typing import Any

from domain.decisions import PARTIAL_TAKE
from domain.errors import NotSent
from domain.journal import OrderEntry, TradeEntry
from domain.state import Reconfigure
from tests.support.bots import Bench, BotUnderTest, dec, live_bot, until
from tests.workflows.resets import order_at_venue, put, reset, workflow_tasks

EXIT = "AdvancedATRExitMixin"


def parts(*sizes: float) -> dict[str, Any]:
    params = {
        "k_init": 1,
        "k_run": 1,
        "k_phase2": 1,
        "p_fast": 5,
        "p_slow": 5,
        "use_htf_atr": False,
        "use_swing_ratchet": False,
        "pt_levels_R": [1.0, 2.0][: len(sizes)],
        "pt_sizes": list(sizes),
    }
    return {"strategy__parameters__exit_logic": {"name": EXIT, "params": params}}


async def paper_holder(bench: Bench, *sizes: float, **changes: Any) -> tuple[BotUnderTest, Decimal]:
    bot = await bench.start(**parts(*sizes), **changes)
    await bot.reaches("running")
    return bot, await held_after_dip(bench, bot)


async def live_holder(bench: Bench, *sizes: float, **changes: Any) -> tuple[BotUnderTest, Decimal]:
    bot = await live_bot(bench, **parts(*sizes), **changes)
    return bot, await held_after_dip(bench, bot)


async def held_after_dip(bench: Bench, bot: BotUnderTest) -> Decimal:
    bench.market.dip()
    await bot.holds()
    held = (await bot.position()).quantity
    assert held is not None
    return held


def part(held: Decimal, share: str) -> Decimal:
    return (held * dec(share)).quantize(dec("0.00001"), rounding="ROUND_DOWN")


async def has(bot: BotUnderTest, quantity: Decimal) -> None:
    await bot.comes(lambda status: status.position.quantity == quantity)


def sales(bot: BotUnderTest) -> list[tuple[str, Decimal, Decimal | None]]:
    """Return reason, quantity and price of each sale that was filled."""
    orders = [entry for entry in bot.journaled(OrderEntry) if entry.intent.side == "sell" and entry.status == "filled"]
    return [(each.intent.reason, each.filled_quantity, each.average_price) for each in orders]


async def the_trade(bot: BotUnderTest) -> Any:
    await until(lambda: bool(bot.journaled(TradeEntry)))
    (entry,) = bot.journaled(TradeEntry)
    return entry.trade


async def test_each_part_is_sold_at_its_level_and_the_rest_at_the_stop(bench: Bench) -> None:
    bot, held = await paper_holder(bench, 0.25, 0.5)
    first, second = part(held, "0.25"), part(held, "0.5")
    bench.market.tick("92")
    await has(bot, held - first)
    bench.market.tick("94.00")
    await has(bot, held - first - second)
    bench.market.tick("88")
    await bot.closed()
    trade = await the_trade(bot)
    rest = part(held - first - second, "1")
    assert sales(bot) == [
        (PARTIAL_TAKE, first, dec("91.95")),
        (PARTIAL_TAKE, second, dec("93.95")),
        (EXIT, rest, dec("87.95")),
    ]
    assert (trade.size, trade.exit_reason) == (first + second + rest, EXIT)
    assert trade.exit_value == first * dec("91.95") + second * dec("93.95") + rest * dec("87.95")


async def test_a_part_is_sold_once_however_often_the_price_comes_back(bench: Bench) -> None:
    bot, held = await paper_holder(bench, 0.25)
    for _ in range(3):
        bench.market.tick("92")
        await has(bot, held - part(held, "0.25"))
        bench.market.tick("91")
    bench.market.tick("88")
    await bot.closed()
    await the_trade(bot)
    assert [reason for reason, _, _ in sales(bot)] == [PARTIAL_TAKE, EXIT]


async def test_a_price_beyond_both_levels_sells_both_parts_each_at_its_own(bench: Bench) -> None:
    bot, held = await paper_holder(bench, 0.25, 0.5)
    bench.market.tick("95")
    await has(bot, held - part(held, "0.25") - part(held, "0.5"))
    await until(lambda: [price for _, _, price in sales(bot)] == [dec("91.95"), dec("93.95")])


async def test_shares_that_add_up_to_all_close_the_position(bench: Bench) -> None:
    bot, held = await paper_holder(bench, 0.5, 0.5)
    bench.market.tick("95")
    await bot.closed()
    trade = await the_trade(bot)
    assert (trade.exit_reason, trade.size) == (PARTIAL_TAKE, part(held, "0.5") * 2)


async def test_a_part_that_would_leave_dust_leaves_it_in_the_books_of_a_closed_position(bench: Bench) -> None:
    """0.995 of 5.5 BTC leaves 0.028 BTC, worth less than the least order of 5 quote in a market of 92."""
    bot, held = await paper_holder(bench, 0.995)
    bench.market.tick("92")
    await bot.closed()
    assert (await bot.position()).dust == held - part(held, "0.995")


async def test_a_part_too_small_to_be_sold_stays_in_the_position(bench: Bench) -> None:
    bot, held = await paper_holder(bench, 0.005, 0.5)
    bench.market.tick("92")
    await bot.comes(lambda status: status.position.levels.take == dec("94"))
    assert sales(bot) == []
    assert (await bot.position()).quantity == held


async def test_a_candle_that_nobody_watched_sells_the_part_at_the_next_open(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot, held = await paper_holder(bench, 0.25)
        await until(lambda: bench.market.subscribed == 1)
    bench.market.add(open_=90.0, high=93.0, low=90.0, close=91.0)
    async with bench.worker():
        await bench.fleet.rewatch_all()
        await has(bot, held - part(held, "0.25"))
        await until(lambda: sales(bot) == [(PARTIAL_TAKE, part(held, "0.25"), dec("90.95"))])


async def test_a_part_that_cannot_be_sold_now_is_tried_again_and_the_stop_goes_first(bench: Bench) -> None:
    bot, held = await live_holder(bench, 0.25)
    bench.exchange.refused = NotSent("the breaker is open")
    bench.market.tick("92")
    await bot.reaches("error")
    bench.market.tick("91")
    bench.exchange.refused = None
    bench.market.tick("87.50")
    await bot.closed()
    sold = [bench.exchange.orders[name] for name in bench.exchange.accepted][1:]
    assert [order.quantity for order in sold] == [part(held, "1")]


async def test_a_part_is_tried_again_while_the_price_stays(bench: Bench) -> None:
    bot, held = await live_holder(bench, 0.25)
    bench.exchange.refused = NotSent("the breaker is open")
    bench.market.tick("92")
    await bot.reaches("error")
    bench.exchange.refused = None
    await has(bot, held - part(held, "0.25"))
    await bot.reaches("running")


async def test_a_part_of_which_some_was_sold_is_not_sold_again(bench: Bench) -> None:
    """The account has only two thirds of it; the last third stays in the position."""
    bot, held = await live_holder(bench, 0.3)
    bench.exchange.there = part(held, "0.2")
    bench.market.tick("92")
    await has(bot, held - part(held, "0.2"))
    await bot.reaches("error")
    bench.exchange.there = Decimal(100)
    await bot.reaches("running")
    assert (await bot.position()).quantity == held - part(held, "0.2")
    bench.market.tick("88")
    await bot.closed()
    sold = [bench.exchange.orders[name].quantity for name in bench.exchange.accepted][1:]
    assert sold == [part(held, "0.2"), part(held - part(held, "0.2"), "1")]


async def test_a_part_that_comes_in_fills_is_one_part(bench: Bench) -> None:
    bot, held = await live_holder(bench, 0.4)
    bench.exchange.fill = Decimal("0.5")
    bench.market.tick("92")
    await until(lambda: len(bench.exchange.accepted) == 2)
    bench.exchange.complete()
    await has(bot, held - part(held, "0.4"))
    assert len(bench.exchange.accepted) == 2


async def test_the_stop_at_the_exchange_covers_what_is_left(bench: Bench) -> None:
    bot, held = await live_holder(bench, 0.25, risk_management__exchange_stop=True)
    await bot.comes(lambda status: bool(status.resting))
    bench.market.tick("92")
    rest = part(held - part(held, "0.25"), "1")
    await until(lambda: [order.quantity for order in bench.exchange.resting] == [rest])
    assert [order.price for order in bench.exchange.resting] == [dec("88")]


async def test_a_part_that_was_forgotten_is_found_and_not_taken_for_the_sale_of_all(bench: Bench) -> None:
    bot, held = await live_holder(bench, 0.25)
    before = (await workflow_tasks(bot))[-1]
    bench.market.tick("92")
    rest = held - part(held, "0.25")
    await has(bot, rest)
    await reset(bot, before)
    await until(lambda: "order_adopted" in bench.journal.events(bot.bot_id))
    await has(bot, rest)
    assert (await bot.position()).levels.take is None
    bench.market.tick("88")
    await bot.closed()
    assert [bench.exchange.orders[name].quantity for name in bench.exchange.accepted][1:] == [
        part(held, "0.25"),
        part(rest, "1"),
    ]


async def test_a_part_of_a_purchase_that_was_forgotten_as_well_is_no_sale_of_all(bench: Bench) -> None:
    bot = await live_bot(bench, **parts(0.25, 0.5))
    put(bench, order_at_venue(bot, 1, "buy", "1"), order_at_venue(bot, 2, "sell", "0.25"))
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await until(lambda: bench.journal.events(bot.bot_id).count("order_adopted") == 2)
    await asyncio.sleep(0.5)  # until the watch of before is gone
    await until(lambda: bench.market.subscribed == 1)
    assert (await bot.position()).quantity == dec("0.75")
    assert bench.exchange.accepted == []
