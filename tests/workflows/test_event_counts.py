"""What a bot costs in events of Temporal's history, for which a cluster is paid."""

from collections import Counter

import pytest
from temporalio.api.enums.v1 import EventType

from domain.journal import TradeEntry
from domain.state import WatchOptions
from tests.support.bots import Bench, BotUnderTest, until


async def kinds(bot: BotUnderTest) -> Counter[str]:
    return Counter(EventType.Name(event.event_type) for event in (await bot.handle.fetch_history()).events)


async def quiet(bench: Bench, bot: BotUnderTest) -> int:
    """Return the length of the history once all is journaled and told."""
    await until(lambda: bot.row.observed_version == 1)
    await bot.comes(lambda status: status.journal_waiting == 0)
    while True:
        length = await bot.events_in_history()
        await bot.status()
        if await bot.events_in_history() == length and bench.market.subscribed:
            return length


async def test_an_idle_segment_costs_at_most_seven_events(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.options = WatchOptions(segment_seconds=0.5, heartbeat_timeout_seconds=5)
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        await quiet(bench, bot)
        before = await kinds(bot)
        await until(lambda: bench.market.subscriptions >= 6)
        after = await kinds(bot)
    watched = after["EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"] - before["EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"]
    spent = sum(after.values()) - sum(before.values())
    print(f"an idle segment: {spent / watched:.1f} events")
    assert watched >= 3
    assert spent <= 7 * watched


async def test_candles_and_prices_that_lead_to_nothing_cost_no_event(bench: Bench) -> None:
    bot = await bench.start(risk_management__stop_loss_pct=3)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    before = await quiet(bench, bot)
    for _ in range(20):
        bench.market.add(open_=90.0, high=90.5, low=89.8, close=90.0)
        bench.market.tick("90.1")
    await until(lambda: bench.market.subscribed == 1)
    assert await bot.events_in_history() == before


@pytest.mark.parametrize(("by", "bound"), [("market", 70), ("updates", 80)])
async def test_a_round_trip_costs_at_most_seventy_events_and_ten_more_by_hand(
    bench: Bench, by: str, bound: int
) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    before = await quiet(bench, bot)
    if by == "market":
        bench.market.dip()
        await bot.holds()
        await quiet(bench, bot)
        bench.market.crash()
    else:
        await bot.handle.execute_update("open_position")
        await quiet(bench, bot)
        await bot.handle.execute_update("close_position")
    await bot.closed()
    await until(lambda: len(bot.journaled(TradeEntry)) == 1 and len(bench.notifier.told) == 2)
    spent = await quiet(bench, bot) - before
    print(f"a round trip by {by}: {spent} events: {dict(await kinds(bot))}")
    assert spent <= bound


async def test_the_same_row_again_costs_a_signal_and_nothing_else(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    before = await quiet(bench, bot)
    await bench.fleet.sync_all()
    assert await quiet(bench, bot) - before <= 4  # the signal and the task that looks at it
