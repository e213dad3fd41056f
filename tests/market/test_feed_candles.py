"""What a feed knows of candles, and when it wakes a bot for one."""

import asyncio
import logging
from decimal import Decimal

import numpy as np
import pytest

from domain.errors import VenueUnavailable
from domain.ports import FeedKey
from market.data import MarketData
from tests.market.conftest import KEY, MINUTE, NOW, START
from tests.market.helpers import NO_LEVELS, joined, newest, waiting, wakes_with
from tests.support.venue import VENUE, FakeVenue, SteppedClock, candle, rising, settle

LAST_CLOSED = START + 1_499 * MINUTE
RUNNING = START + 1_500 * MINUTE


async def test_a_feed_loads_at_least_the_lookback_and_only_closed_candles(market: MarketData) -> None:
    async with joined(market, lookback=300) as subscription:
        view = subscription.view()
    assert len(view.candles) >= 300
    assert newest(view) == LAST_CLOSED
    assert view.candles.close[-1] == 1599.5
    assert view.candles.volume.min() == 10.0


async def test_a_feed_knows_the_exact_open_of_the_running_candle(market: MarketData) -> None:
    async with joined(market) as subscription:
        view = subscription.view()
    assert (view.opening_time, view.opening_price) == (RUNNING, Decimal(1600))


async def test_a_lookback_longer_than_a_page_is_loaded_in_pages(clock: SteppedClock, settings: object) -> None:
    venue = FakeVenue(clock, page=100)
    venue.lay_out("BTC/USDT", "1m", rising(START, 2_000, "1m"))
    market = MarketData(lambda _ref: venue, None, lambda _data: clock)
    async with joined(market, lookback=450) as subscription:
        candles = subscription.view().candles
    await market.close()
    assert len(candles) >= 450
    assert set(np.diff(candles.open_time)) == {MINUTE}
    assert venue.calls["candles"] == 5


async def test_a_wait_returns_at_once_for_a_candle_that_was_not_seen(market: MarketData) -> None:
    async with joined(market) as subscription:
        assert await wakes_with(subscription, seen=None) == "candle"
        assert await wakes_with(subscription, seen=LAST_CLOSED - MINUTE) == "candle"
        assert await wakes_with(subscription, seen=LAST_CLOSED) is None


async def test_each_boundary_wakes_with_the_closed_candle_and_the_open_of_the_next(
    market: MarketData, clock: SteppedClock
) -> None:
    async with joined(market) as subscription:
        for number in range(1_500, 1_510):
            seen = newest(subscription.view())
            async with waiting(subscription, seen=seen) as task:
                await clock.advance_to(START + (number + 1) * MINUTE)
                assert task.result() == "candle"
            view = subscription.view()
            assert newest(view) == START + number * MINUTE
            assert view.candles.close[-1] == 100 + number + 0.5
            assert (view.opening_time, view.opening_price) == (START + (number + 1) * MINUTE, Decimal(101 + number))


async def test_a_candle_that_runs_is_never_among_the_closed_ones(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.lag_ms = 700
    async with joined(market) as subscription:
        for _ in range(200):
            await clock.advance(1_700)
            candles = subscription.view().candles
            assert candles.volume.min() == 10.0, "a candle of volume 0.001 is one that has just begun"
            assert newest(subscription.view()) + MINUTE <= clock.now_ms()


async def test_a_candle_waits_for_the_open_after_it(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    venue.lag_ms = 2_000
    async with joined(market) as subscription, waiting(subscription, seen=LAST_CLOSED) as task:
        await clock.advance_to(RUNNING + MINUTE + 1_500)
        assert not task.done()
        await clock.advance_to(RUNNING + MINUTE + 4_000)
        assert task.result() == "candle"
        assert subscription.view().opening_price == Decimal(1601)


async def test_without_a_trade_a_candle_is_judged_one_interval_later(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.lay_out("BTC/USDT", "1m", rising(START, 1_501, "1m"))
    async with joined(market) as subscription, waiting(subscription, seen=LAST_CLOSED) as task:
        await clock.advance_to(RUNNING + 2 * MINUTE - 1)
        assert not task.done()
        await clock.advance_to(RUNNING + 2 * MINUTE)
        assert task.result() == "candle"
        view = subscription.view()
        assert newest(view) == RUNNING
        assert view.opening_time is None


async def test_minutes_without_a_trade_are_a_gap_not_a_candle_and_not_an_outage(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    candles = rising(START, 4_000, "1m")
    del candles[1_502:1_504], candles[1_000:1_300]
    venue.lay_out("BTC/USDT", "1m", candles)
    async with joined(market, lookback=400) as subscription:
        await clock.advance_to(START + 1_506 * MINUTE)
        view = subscription.view()
    assert len(view.candles) >= 400, "the venue has enough older ones"
    assert not view.stale
    assert view.degraded is None
    assert sorted(set(np.diff(view.candles.open_time))) == [MINUTE, 3 * MINUTE, 301 * MINUTE]


async def test_a_venue_without_so_much_history_gives_what_it_has(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.lay_out("BTC/USDT", "1m", rising(START + 1_400 * MINUTE, 200, "1m"))
    async with joined(market, lookback=500) as subscription:
        assert len(subscription.view().candles) == 100
        assert await wakes_with(subscription, seen=None) == "candle"


async def test_a_feed_is_stale_once_its_newest_candle_is_older_than_three_intervals(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.lay_out("BTC/USDT", "1m", rising(START, 1_501, "1m") + rising(START + 1_510 * MINUTE, 10, "1m", first=7))
    async with joined(market) as subscription:
        await clock.advance_to(RUNNING + 3 * MINUTE)
        seen = newest(subscription.view())
        async with waiting(subscription, seen=seen) as task:
            assert not subscription.view().stale
            await clock.advance_to(RUNNING + 4 * MINUTE)
            assert task.result() == "stale"
        assert subscription.view().degraded is None, "the venue answers"
        async with waiting(subscription, seen=seen, was_stale=True) as task:
            await clock.advance_to(RUNNING + 10 * MINUTE)
            assert task.result() == "fresh"


async def test_a_clock_that_stands_still_makes_nothing_stale(market: MarketData) -> None:
    async with joined(market) as subscription:
        await asyncio.sleep(0.05)
        assert not subscription.view().stale


async def test_a_bot_after_downtime_sees_candles_from_before_what_it_missed(market: MarketData) -> None:
    since = START + 900 * MINUTE
    async with joined(market, lookback=200, since=since) as subscription:
        times = subscription.view().candles.open_time
    assert times[0] <= since - 200 * MINUTE
    assert times[-1] == LAST_CLOSED


async def test_a_warm_feed_is_extended_for_a_bot_that_reaches_further_back(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    async with joined(market, lookback=50) as first:
        shallow = first.view().candles
        since = START + 700 * MINUTE
        async with market.subscribe(KEY, lookback=100, since=since, price_seconds=1) as second:
            assert len(second.view().candles) == 0, "not before it reaches back far enough"
            async with waiting(second, seen=since) as task:
                assert task.result() == "candle"
            assert second.view().candles.open_time[0] <= since - 100 * MINUTE
            assert set(np.diff(second.view().candles.open_time)) == {MINUTE}
            await clock.advance(3 * MINUTE)
            assert second.view().candles.open_time[0] <= since - 100 * MINUTE
        assert shallow.close[-1] == 1599.5, "what was handed out before stays as it was"


async def test_many_bots_cost_one_fetch(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    async with joined(market), joined(market), joined(market) as third:
        loads = venue.calls["candles"]
        assert loads == 1
        await clock.advance_to(RUNNING + 5 * MINUTE)
        assert venue.calls["candles"] - loads == 5
        assert newest(third.view()) == RUNNING + 4 * MINUTE


async def test_a_poll_asks_only_for_what_is_new(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    async with joined(market):
        await clock.advance_to(RUNNING + MINUTE)
    assert venue.asked[-1] == ("BTC/USDT", "1m", RUNNING, 3)


async def test_a_bot_that_comes_back_finds_the_feed_warm(market: MarketData, venue: FakeVenue) -> None:
    async with joined(market):
        pass
    loads = venue.calls["candles"]
    async with market.subscribe(KEY, lookback=100, since=None, price_seconds=1) as subscription:
        assert len(subscription.view().candles) >= 100
    assert venue.calls["candles"] == loads


async def test_a_feed_that_somebody_came_back_to_lives_on(market: MarketData, clock: SteppedClock) -> None:
    async with joined(market):
        pass
    async with joined(market) as subscription, waiting(subscription, seen=LAST_CLOSED) as task:
        await asyncio.sleep(0.1)
        assert market.feed_count() == 1
        await clock.advance_to(RUNNING + MINUTE)
        assert task.result() == "candle"


async def test_a_feed_that_nobody_wants_ends_after_a_while(market: MarketData, venue: FakeVenue) -> None:
    async with joined(market):
        assert market.feed_count() == 1
    await asyncio.sleep(0.1)
    assert market.feed_count() == 0


async def test_an_outage_reaches_no_bot_and_no_candle_is_lost(
    market: MarketData, venue: FakeVenue, clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "market")
    async with joined(market) as subscription:
        venue.failure = VenueUnavailable("the line is dead")
        async with waiting(subscription, seen=LAST_CLOSED) as task:
            await clock.advance_to(RUNNING + 2 * MINUTE)
            await asyncio.sleep(1.3)
            assert not task.done()
            assert subscription.view().degraded == "the line is dead"
            assert venue.calls["candles"] >= 3, "it tries again"
            venue.failure = None
            assert await asyncio.wait_for(task, 5) == "candle"
        view = subscription.view()
    assert view.degraded is None
    assert newest(view) == RUNNING + MINUTE
    assert set(np.diff(view.candles.open_time)) == {MINUTE}
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2, f"one when it fails, one when it is back: {messages}"


async def test_an_outage_of_three_intervals_is_stale(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    async with joined(market) as subscription, waiting(subscription, seen=LAST_CLOSED) as task:
        venue.failure = VenueUnavailable("the line is dead")
        await clock.advance_to(RUNNING + 4 * MINUTE)
        assert await asyncio.wait_for(task, 5) == "stale"


async def test_a_venue_that_was_never_reached_is_stale_and_raises_nothing(market: MarketData, venue: FakeVenue) -> None:
    venue.failure = VenueUnavailable("nobody is there")
    async with market.subscribe(KEY, lookback=10, since=None, price_seconds=1) as subscription:
        assert not subscription.view().stale, "not before it was tried"
        async with waiting(subscription, seen=None) as task:
            assert task.result() == "stale"
        view = subscription.view()
        assert (len(view.candles), view.stale, view.degraded) == (0, True, "nobody is there")
        venue.failure = None
        assert await asyncio.wait_for(subscription.wait(seen=None, opened=None, levels=NO_LEVELS, was_stale=True), 5)


async def test_a_bug_in_reading_does_not_end_the_feed(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    async with joined(market) as subscription, waiting(subscription, seen=LAST_CLOSED) as task:
        venue.failure = ZeroDivisionError("a bug")
        await clock.advance_to(RUNNING + MINUTE)
        assert subscription.view().degraded == "a bug"
        venue.failure = None
        assert await asyncio.wait_for(task, 5) == "candle"


async def test_a_venue_that_was_put_back_in_time_is_loaded_anew(market: MarketData, clock: SteppedClock) -> None:
    async with joined(market) as subscription:
        clock.put_back(START + 1_000 * MINUTE + 5_000)
        await settle()
        view = subscription.view()
        assert newest(view) == START + 999 * MINUTE
        assert view.opening_time == START + 1_000 * MINUTE
        await clock.advance(MINUTE)
        assert newest(subscription.view()) == START + 1_000 * MINUTE


async def test_feeds_of_two_intervals_are_two(market: MarketData, venue: FakeVenue) -> None:
    venue.lay_out("BTC/USDT", "5m", [candle(NOW // 300_000 * 300_000 - n * 300_000, "50") for n in range(20)])
    async with joined(market, lookback=10), joined(market, FeedKey(VENUE, "BTC/USDT", "5m"), lookback=10) as five:
        assert set(np.diff(five.view().candles.open_time)) == {300_000}
        assert market.feed_count() == 2


async def test_a_cancelled_wait_leaves_the_subscription_usable(market: MarketData, clock: SteppedClock) -> None:
    async with joined(market) as subscription:
        for _ in range(100):
            async with waiting(subscription, seen=LAST_CLOSED) as task:
                assert not task.done()
        async with waiting(subscription, seen=LAST_CLOSED) as task:
            await clock.advance_to(RUNNING + MINUTE)
            assert task.result() == "candle"
