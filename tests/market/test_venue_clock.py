"""The estimate of a venue's time: offset, rate, moved clocks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from domain.errors import VenueUnavailable
from market.clock import VenueClock
from market.clock_fit import Fit, Sample, contradicts, fit

EPOCH = 1_700_000_000_000


class Served:
    """A venue's clock that runs at `rate`, read over a line of `delay` seconds each way."""

    def __init__(self, rate: float, delay: float = 0.0) -> None:
        self.rate = rate
        self.delay = delay
        self.ahead_ms = 0
        self.reads = 0
        self._started = time.monotonic()

    def true_ms(self) -> float:
        return EPOCH + self.ahead_ms + (time.monotonic() - self._started) * 1000 * self.rate

    async def fetch_time(self) -> int:
        self.reads += 1
        await asyncio.sleep(self.delay)
        shown = int(self.true_ms())
        await asyncio.sleep(self.delay)
        return shown


@asynccontextmanager
async def clock_of(fetch_time: Callable[[], object]) -> AsyncIterator[VenueClock]:
    clock = VenueClock(fetch_time)  # type: ignore[arg-type]
    try:
        yield clock
    finally:
        await clock.close()


@pytest.mark.parametrize("rate", [1.0, 60.0, 0.5])
async def test_the_clock_follows_a_venue_at_any_rate(rate: float) -> None:
    venue = Served(rate)
    async with clock_of(venue.fetch_time) as clock:
        await clock.ready()
        for _ in range(3):
            await asyncio.sleep(0.1)
            assert clock.now_ms() == pytest.approx(venue.true_ms(), abs=40 * max(rate, 1))
        assert clock.rate == (1.0 if rate == 1.0 else pytest.approx(rate, rel=0.03))


async def test_the_middle_of_a_round_trip_is_when_the_clock_was_read() -> None:
    venue = Served(1.0, delay=0.05)
    async with clock_of(venue.fetch_time) as clock:
        await clock.ready()
        assert clock.rate == 1.0
        assert clock.now_ms() == pytest.approx(venue.true_ms(), abs=25)
        assert 45 <= clock.error_ms <= 90


async def test_a_sleep_ends_at_the_venues_moment_not_at_ours() -> None:
    venue = Served(60.0)
    async with clock_of(venue.fetch_time) as clock:
        await clock.ready()
        begun, moment = time.monotonic(), clock.now_ms() + 30_000
        await clock.sleep_until(moment)
        assert clock.now_ms() >= moment
        assert time.monotonic() - begun == pytest.approx(0.5, abs=0.15)
        await clock.sleep_until(moment)  # the past is no sleep


async def test_the_offset_tells_how_far_the_venue_is_ahead() -> None:
    async def five_seconds_ahead() -> int:
        return time.time_ns() // 1_000_000 + 5_000

    async with clock_of(five_seconds_ahead) as clock:
        await clock.ready()
        assert clock.offset_ms == pytest.approx(5_000, abs=50)


async def test_bots_that_start_together_share_the_first_measuring() -> None:
    venue = Served(1.0)
    async with clock_of(venue.fetch_time) as clock:
        await asyncio.gather(*(clock.ready() for _ in range(50)))
        assert venue.reads == 3


async def test_a_venue_that_does_not_answer_is_unavailable_and_may_be_asked_again() -> None:
    venue, dead = Served(1.0), True

    async def fetch_time() -> int:
        if dead:
            raise VenueUnavailable("nobody is there")
        return await venue.fetch_time()

    async with clock_of(fetch_time) as clock:
        with pytest.raises(VenueUnavailable):
            await clock.ready()
        dead = False
        await clock.ready()


async def test_a_clock_that_was_moved_wakes_the_sleepers() -> None:
    venue = Served(1.0)
    async with clock_of(venue.fetch_time) as clock:
        await clock.ready()
        sleeper = asyncio.ensure_future(clock.sleep_until(clock.now_ms() + 3_600_000))
        await asyncio.sleep(0)
        venue.ahead_ms = 3_600_000
        clock.suspect()
        await asyncio.wait_for(sleeper, 3)
        assert clock.now_ms() == pytest.approx(venue.true_ms(), abs=50)


def line(rate: float, moments: list[float], round_trip: float = 0.002) -> list[Sample]:
    return [Sample(local, EPOCH + round(local * 1000 * rate), round_trip) for local in moments]


def test_a_rate_within_one_percent_is_exactly_one() -> None:
    assert fit(line(1.009, [0, 300])).rate == 1.0


def test_a_rate_that_noise_explains_is_one() -> None:
    """Two samples 0.2 s apart over a line of 100 ms cannot tell 1.3 from 1."""
    assert fit(line(1.3, [0, 0.2], round_trip=0.1)).rate == 1.0


def test_a_rate_that_noise_cannot_explain_is_believed() -> None:
    assert fit(line(60, [0, 0.2])).rate == pytest.approx(60)
    assert fit(line(1.05, [0, 10])).rate == pytest.approx(1.05)


def test_the_shortest_round_trip_sets_the_offset() -> None:
    precise = Sample(10.0, EPOCH + 10_000, 0.002)
    late = Sample(20.0, EPOCH + 20_090, 0.2)  # 90 ms too late, as a lopsided round trip makes it
    assert fit([precise, late]).venue_ms(20.0) == EPOCH + 20_000


@pytest.mark.parametrize(
    ("off_ms", "contradiction"),
    [pytest.param(0, False, id="agrees"), pytest.param(240, False, id="noise"), pytest.param(400, True, id="moved"),
     pytest.param(-400, True, id="put-back")],
)  # fmt: skip
def test_a_sample_far_from_the_line_contradicts_it(off_ms: int, contradiction: bool) -> None:
    straight = Fit(0.0, EPOCH, 1.0, error_ms=1.0)
    assert contradicts(Sample(1.0, EPOCH + 1_000 + off_ms, 0.002), straight) is contradiction


async def test_a_clock_that_changes_its_pace_is_followed() -> None:
    clock = VenueClock(Served(1.0).fetch_time)
    for sample in line(1.0, [0, 1, 2]):
        clock._learn(sample)
    faster = [Sample(2 + n, EPOCH + 2_000 + n * 10_000, 0.002) for n in range(1, 5)]
    for sample in faster:
        clock._learn(sample)
    assert clock.rate == pytest.approx(10)
