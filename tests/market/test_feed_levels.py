"""Stops and targets: which price wakes whom, and at which price the position is left."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest

from domain.decisions import ExitLevels
from domain.errors import VenueUnavailable
from domain.ports import FeedKey, LevelHit
from market.data import MarketData
from market.settings import MarketSettings
from tests.market.conftest import MINUTE, NOW, START
from tests.market.helpers import NO_LEVELS, joined, levels, newest, waiting
from tests.support.venue import VENUE, FakeVenue, SteppedClock, candle, rising, settle

SEEN = START + 1_499 * MINUTE
RUNNING = START + 1_500 * MINUTE
NEXT_SECOND = NOW + 1_000
"""NOW is a whole second, and prices are read at whole seconds."""


def falls(at: int) -> dict[str, Callable[[int], str | None]]:
    """Prices of 1600 that from `at` on are 1490."""
    return {"BTC/USDT": lambda now: "1490" if now >= at else "1600"}


def hit(rule: str, price: str, candle_time: int, at: int) -> LevelHit:
    return LevelHit(rule, Decimal(price), candle_time, at)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        pytest.param("1580.01", None, id="above-the-stop"),
        pytest.param("1580", hit("stop", "1580", RUNNING, NEXT_SECOND), id="at-the-stop"),
        pytest.param("1555", hit("stop", "1580", RUNNING, NEXT_SECOND), id="through-the-stop-fills-at-it"),
        pytest.param("1619.99", None, id="below-the-target"),
        pytest.param("1620", hit("target", "1620", RUNNING, NEXT_SECOND), id="at-the-target"),
        pytest.param("1700", hit("target", "1620", RUNNING, NEXT_SECOND), id="through-the-target-fills-at-it"),
    ],
)
async def test_a_price_that_reaches_a_level_wakes_with_the_level(
    market: MarketData, venue: FakeVenue, clock: SteppedClock, price: str, expected: LevelHit | None
) -> None:
    venue.quote(BTC_USDT=price)
    watched = levels(stop="1580", target="1620")
    async with (
        joined(market) as subscription,
        waiting(subscription, seen=SEEN, opened=RUNNING, levels=watched) as task,
    ):
        await clock.advance_to(NEXT_SECOND)
        assert (task.result() if task.done() else None) == expected


async def test_of_two_stops_the_higher_is_reached_first(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.quote(BTC_USDT="1500")
    watched = levels(stop="1550", last_stop="1570")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=watched) as task:
        await clock.advance_to(NEXT_SECOND)
        assert task.result() == hit("last_stop", "1570", RUNNING, NEXT_SECOND)


@pytest.mark.parametrize(
    ("opening", "watched", "rule"),
    [
        pytest.param("1500", levels(stop="1550", target="1700"), "stop", id="down"),
        pytest.param("1800", levels(stop="1550", target="1700"), "target", id="up"),
    ],
)
async def test_a_gap_fills_at_the_open_and_wins_over_the_closed_candle(
    market: MarketData, venue: FakeVenue, clock: SteppedClock, *, opening: str, watched: ExitLevels, rule: str
) -> None:
    gap = RUNNING + MINUTE
    venue.lay_out("BTC/USDT", "1m", [*rising(START, 1_501, "1m"), candle(gap, opening)])
    venue.quote(BTC_USDT="1600")
    async with joined(market) as subscription:
        async with waiting(subscription, seen=SEEN, opened=RUNNING, levels=watched) as task:
            await clock.advance_to(gap - 1)
            assert not task.done()
            venue.quote(BTC_USDT=opening)
            await clock.advance_to(gap)
            assert task.result() == hit(rule, opening, gap, gap)
        assert newest(subscription.view()) == RUNNING, "the closed candle is there, but the level goes first"


async def test_a_price_of_a_new_candle_waits_for_its_open(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    gap = RUNNING + MINUTE
    venue.lay_out("BTC/USDT", "1m", [*rising(START, 1_501, "1m"), candle(gap, "1500")])
    watched = levels(stop="1550")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=watched) as task:
        venue.gate = asyncio.Event()  # candles answer late
        venue.prices_at = falls(gap)
        await clock.advance_to(gap)
        assert subscription.view().price == Decimal(1490)
        assert not task.done()
        venue.gate.set()
        await settle()
        assert task.result() == hit("stop", "1500", gap, gap)


async def test_a_price_does_not_wait_for_an_open_that_cannot_be_had(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    gap = RUNNING + MINUTE
    watched = levels(stop="1550")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=watched) as task:
        venue.lay_out("BTC/USDT", "1m", rising(START, 1_501, "1m"))
        venue.prices_at = falls(gap)
        await clock.advance_to(gap + 700)
        assert not task.done()
        await clock.advance_to(gap + 750)
        assert task.result() == hit("stop", "1550", gap, gap)


async def test_a_price_does_not_wait_for_an_open_while_candles_fail(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    gap = RUNNING + MINUTE
    watched = levels(stop="1550")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=watched) as task:
        await clock.advance_to(gap - 1)
        venue.candle_failure = VenueUnavailable("no candles today")
        venue.prices_at = falls(gap)
        await clock.advance_to(gap)
        assert task.result() == hit("stop", "1550", gap, gap)


async def test_a_price_waits_two_seconds_at_most(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    watched = levels(stop="1550")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=watched) as task:
        venue.gate = asyncio.Event()
        venue.prices_at = falls(RUNNING + MINUTE)
        await clock.advance_to(RUNNING + MINUTE)
        assert not task.done()
        await asyncio.sleep(2.05)
        await clock.advance(1_000)
        assert task.result() == hit("stop", "1550", RUNNING + MINUTE, RUNNING + MINUTE + 1_000)


async def test_prices_from_before_the_entry_touch_no_level(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.quote(BTC_USDT="1550")
    async with joined(market) as subscription:
        async with waiting(subscription, seen=SEEN, levels=levels(stop="1")):
            await clock.advance_to(NEXT_SECOND)
        assert subscription.view().price == Decimal(1550)
        entered = RUNNING + MINUTE
        async with waiting(subscription, seen=SEEN, opened=entered, levels=levels(stop="1580")) as task:
            assert not task.done()


async def test_prices_from_before_the_last_judged_candle_touch_no_level(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    """A trailing stop that a candle has raised says nothing about prices before that candle's end."""
    venue.quote(BTC_USDT="1550")
    async with joined(market) as subscription:
        async with waiting(subscription, seen=SEEN, levels=levels(stop="1")):
            await clock.advance_to(NEXT_SECOND)
        async with waiting(subscription, seen=RUNNING, opened=START, levels=levels(stop="1560")) as task:
            assert not task.done()
        async with waiting(subscription, seen=SEEN, opened=START, levels=levels(stop="1560")) as task:
            assert task.result() == hit("stop", "1560", RUNNING, NEXT_SECOND)


async def test_the_open_of_the_candle_of_the_entry_counts_as_any(market: MarketData) -> None:
    async with joined(market) as subscription:
        watched = levels(stop="1610")
        async with waiting(subscription, seen=SEEN, opened=RUNNING, levels=watched) as task:
            assert task.result() == hit("stop", "1600", RUNNING, RUNNING)


async def test_a_price_wakes_only_the_bots_whose_level_it_crosses(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.quote(BTC_USDT="1575", ETH_USDT="1")
    async with (
        joined(market) as near,
        joined(market) as far,
        joined(market) as flat,
        joined(market, FeedKey(VENUE, "ETH/USDT", "1m")) as other,
        waiting(near, seen=SEEN, levels=levels(stop="1580")) as hit_near,
        waiting(far, seen=SEEN, levels=levels(stop="1570")) as hit_far,
        waiting(flat, seen=SEEN) as hit_flat,
        waiting(other, seen=SEEN, levels=levels(target="2000")) as hit_other,
    ):
        await clock.advance_to(NEXT_SECOND)
        assert [task.done() for task in (hit_near, hit_far, hit_flat, hit_other)] == [True, False, False, False]


async def test_all_symbols_cost_one_request_at_the_shortest_interval_of_those_with_levels(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    venue.quote(BTC_USDT="1600", ETH_USDT="1600")
    ether = FeedKey(VENUE, "ETH/USDT", "1m")
    async with (
        joined(market, price_seconds=5) as slow,
        joined(market, ether, price_seconds=2) as fast,
        joined(market, price_seconds=0.1),
        waiting(slow, seen=SEEN, levels=levels(stop="1")),
    ):
        await clock.advance_to(NOW + 10_000)
        assert venue.calls["prices"] == 2
        async with waiting(fast, seen=SEEN, levels=levels(stop="1")):
            await clock.advance_to(NOW + 20_000)
            assert venue.calls["prices"] == 2 + 5
        async with waiting(fast, seen=SEEN, levels=NO_LEVELS):
            await clock.advance_to(NOW + 30_000)
            assert venue.calls["prices"] == 2 + 5 + 2


async def test_without_levels_no_prices_are_read_when_told_so(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    async with joined(market):
        await clock.advance(60 * MINUTE)
    assert venue.calls["prices"] == 0


async def test_without_levels_prices_are_read_seldom_for_display(venue: FakeVenue, clock: SteppedClock) -> None:
    venue.quote(BTC_USDT="1600")
    market = MarketData(lambda _ref: venue, MarketSettings(settle_ms=0, idle_price_factor=10), lambda _data: clock)
    async with joined(market) as subscription:
        await clock.advance_to(NEXT_SECOND)
        assert subscription.view().price == Decimal(1600), "the first price comes soon"
        assert subscription.view().price_at == NEXT_SECOND
        await clock.advance_to(NOW + 30_000)
        assert venue.calls["prices"] == 1 + 3
    await market.close()


async def test_prices_that_fail_come_back_and_say_so(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    venue.quote(BTC_USDT="1600")
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=levels(stop="1550")) as task:
        venue.price_failure = VenueUnavailable("no prices today")
        await clock.advance_to(NEXT_SECOND)
        assert subscription.view().degraded == "no prices today"
        venue.price_failure = None
        venue.quote(BTC_USDT="1549")
        await asyncio.sleep(0.8)  # the first retry is due after half a second, give or take a quarter
        await clock.advance(1_000)
        assert task.result() == hit("stop", "1550", RUNNING, NEXT_SECOND + 1_000)
        assert subscription.view().degraded is None


async def test_a_venue_that_asks_for_a_pause_gets_it(market: MarketData, venue: FakeVenue, clock: SteppedClock) -> None:
    async with joined(market) as subscription, waiting(subscription, seen=SEEN, levels=levels(stop="1550")):
        venue.failure = VenueUnavailable("too many requests", retry_after=1.5)
        await clock.advance_to(RUNNING + MINUTE)
        asked = venue.calls["candles"], venue.calls["prices"]
        await asyncio.sleep(1.2)
        assert (venue.calls["candles"], venue.calls["prices"]) == asked
        venue.failure = None
        await asyncio.sleep(1.0)
        assert venue.calls["candles"] > asked[0]
        assert subscription.view().degraded in (None, "too many requests")


async def test_a_bot_that_begins_to_wait_while_a_price_is_held_waits_for_the_open_too(
    market: MarketData, venue: FakeVenue, clock: SteppedClock
) -> None:
    gap = RUNNING + MINUTE
    venue.lay_out("BTC/USDT", "1m", [*rising(START, 1_501, "1m"), candle(gap, "1500")])
    async with joined(market) as subscription:
        async with waiting(subscription, seen=SEEN, levels=levels(stop="1")):
            venue.gate = asyncio.Event()
            venue.prices_at = falls(gap)
            await clock.advance_to(gap)
        async with waiting(subscription, seen=SEEN, levels=levels(stop="1550")) as task:
            assert not task.done()
            venue.gate.set()
            await settle()
            assert task.result() == hit("stop", "1500", gap, gap)
