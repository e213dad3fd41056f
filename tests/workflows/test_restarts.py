"""Workers that come and go: every bot goes on at the step where it stood."""

import asyncio

import pytest
from temporalio.converter import DataConverter

from domain.journal import OrderEntry, TradeEntry
from domain.state import Reconfigure
from domain.watch import WatchResult
from tests.support.bots import Bench, BotUnderTest, dec, until

HELD = dec("5.54691753")


async def outcomes(bench: Bench, bot: BotUnderTest) -> list[str]:
    """Return what the watches of a bot's present run have returned, in order."""
    watches, found = set(), []
    converter: DataConverter = bench.client.data_converter
    for event in (await bot.handle.fetch_history()).events:
        scheduled = event.activity_task_scheduled_event_attributes
        completed = event.activity_task_completed_event_attributes
        if scheduled.activity_type.name == "watch_market":
            watches.add(event.event_id)
        if completed.scheduled_event_id in watches:
            result = await converter.decode(completed.result.payloads, [WatchResult])
            found.append(result[0].outcome)
    return found


async def test_a_worker_that_stops_hands_its_watches_over(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        bench.market.dip()
        await bot.holds()
        await until(lambda: bench.market.subscribed == 1)
    bench.market.add(open_=90.0, high=94.0, low=90.0, close=93.0)  # while nobody looks
    async with bench.worker():
        # A watch that was handed to the pollers of the stopping worker would be missed after its heartbeat timeout.
        await bench.fleet.rewatch_all()
        await until(lambda: bench.market.subscribed == 1)
        assert (await bot.status()).position.quantity == HELD
        bench.market.add(open_=93.0, high=93.0, low=80.0, close=80.0)
        await bot.closed()
        # The watch that was given up may have seen the crash as well; what it says is dropped.
        assert list(dict.fromkeys(await outcomes(bench, bot))) == ["decision", "shutdown"]
        assert (await bot.status()).trades == 1


async def test_a_worker_that_stops_is_not_asked_again_and_again(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        await until(lambda: bot.row.observed_version == 1 and bench.market.subscribed == 1)
        assert bench.watches is not None
        bench.watches.drain()
        await until(lambda: bench.market.subscribed == 0)
        await asyncio.sleep(0.3)
        before = await bot.events_in_history()
        await asyncio.sleep(1.5)  # the watch is handed back once a second, which leaves no event
        assert await bot.events_in_history() == before


async def test_after_the_loss_of_a_worker_a_rewatch_has_the_bot_watched_by_the_next_one(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker(drain=False):
        bot = await bench.start()
        await bot.reaches("running")
        bench.market.dip()
        await bot.holds()
        await until(lambda: bench.market.subscribed == 1)
    bench.market.crash()
    async with bench.worker():
        await bench.fleet.rewatch_all()
        await bot.closed()
        await until(lambda: bot.journaled(TradeEntry) != [])
        filled = [order for order in bot.journaled(OrderEntry) if order.status == "filled"]
        assert [order.intent.sequence for order in filled] == [1, 2]


async def test_after_downtime_an_old_signal_is_no_entry(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
    bench.market.dip()
    bench.market.flat(3, 90.0)
    async with bench.worker():
        await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
        await until(lambda: bench.market.subscribed == 1)
        assert (await bot.reaches("running")).position.quantity is None
        assert bench.broker.submitted == []


async def test_an_order_whose_answer_was_lost_with_its_worker_is_asked_for_under_the_same_id(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        bench.broker.open.clear()
        bench.market.dip()
        await until(lambda: len(bench.broker.submitted) == 1)
    async with bench.worker():
        await until(lambda: len(bench.broker.submitted) == 2)
        bench.broker.open.set()
        assert (await bot.holds()).quantity == HELD
    assert len({request.intent.client_order_id for request in bench.broker.submitted}) == 1


async def test_a_bot_that_is_never_kept_in_memory_lives_the_same_life(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.cached = 0
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        bench.market.dip()
        await bot.holds()
        await bot.handle.signal("pause")
        await bot.reaches("paused")
        bench.market.crash()
        assert (await bot.closed()).position.cash == dec("943.08746917")
        await bot.handle.signal("stop")
        assert await bot.ends() == "stopped, flat, after 1 trades"


async def test_bots_that_share_too_small_a_memory_disturb_one_another_in_nothing(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.cached = 1
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bots = [await bench.start() for _ in range(3)]
        for bot in bots:
            await bot.reaches("running")
        bench.market.dip()
        for bot in bots:
            assert (await bot.holds()).quantity == HELD
        bench.market.crash()
        for bot in bots:
            await bot.closed()
        for bot in bots:
            await bot.handle.cancel()
        for bot in bots:
            assert await bot.ends() == "stopped, flat, after 1 trades"
    assert len(bench.broker.submitted) == 6


async def test_a_long_history_is_continued_in_a_new_run_that_keeps_the_position(
    monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    """A worker that starts replays the histories of all its bots: they must not grow for ever."""
    monkeypatch.setattr("workflows.loop._LONG_HISTORY", 80)
    bot = await bench.start()
    await bot.reaches("running")
    first = (await bot.handle.describe()).run_id
    bench.market.dip()
    await bot.holds()
    while (await bot.handle.describe()).run_id == first:
        assert await bot.events_in_history() < 160
        await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
        await asyncio.sleep(0.1)
    assert (await bot.status()).position.quantity == HELD
    bench.market.crash()
    await bot.closed()
    assert (await bot.status()).trades == 1
