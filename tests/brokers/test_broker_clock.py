"""The venue's clock, as what is signed needs it."""

import time
from collections.abc import Callable

import pytest

from brokers.clock import VenueTime
from domain.errors import VenueUnavailable


class Clocks:
    """This machine's clocks and the venue's, moved by hand. A reading takes `trip` seconds, there and back."""

    def __init__(self) -> None:
        self.steady, self.wall, self.ahead_ms, self.trip = 100.0, 1_700_000_000.0, 0, 0.02
        self.readings = 0
        self.fails = False

    async def fetch_time(self) -> int:
        self.readings += 1
        if self.fails:
            raise VenueUnavailable("down")
        self.pass_by(self.trip / 2)
        told = int(self.wall * 1000) + self.ahead_ms
        self.pass_by(self.trip / 2)
        return told

    def pass_by(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(time, "monotonic", lambda: made.steady)
    monkeypatch.setattr(time, "time", lambda: made.wall)
    return made


@pytest.fixture
def clock(clocks: Clocks) -> VenueTime:
    return VenueTime(clocks.fetch_time)


async def test_the_offset_is_measured_and_bounded_by_half_of_the_round_trip(clocks: Clocks, clock: VenueTime) -> None:
    clocks.ahead_ms = 1_234
    await clock.ready()
    assert clock.offset_ms == pytest.approx(1_234, abs=1)
    assert clock.bound_ms == pytest.approx(10.5)
    assert clock.venue_ms(clocks.wall) == pytest.approx(clocks.wall * 1000 + 1_234, abs=1.5)
    assert clock.refusal() is None


async def test_a_clock_that_was_never_read_signs_nothing(clocks: Clocks, clock: VenueTime) -> None:
    clocks.fails = True
    with pytest.raises(VenueUnavailable):
        await clock.ready()
    assert clock.refusal() == "the venue's clock has not been read"


async def test_a_reading_that_is_too_vague_signs_nothing(clocks: Clocks, clock: VenueTime) -> None:
    clocks.trip = 2.1
    await clock.ready()
    assert clock.refusal() == "the venue's clock is known to 1050 ms only"


async def test_it_is_read_again_after_five_minutes_and_not_before(clocks: Clocks, clock: VenueTime) -> None:
    await clock.ready()
    clocks.pass_by(299)
    await clock.ready()
    assert clocks.readings == 3
    clocks.pass_by(2)
    await clock.ready()
    assert clocks.readings == 6


async def test_it_is_read_again_when_the_venue_found_a_time_wrong(clocks: Clocks, clock: VenueTime) -> None:
    await clock.ready()
    clock.suspect()
    await clock.ready()
    await clock.ready()
    assert clocks.readings == 6


async def test_an_old_reading_is_better_than_none(clocks: Clocks, clock: VenueTime) -> None:
    clocks.ahead_ms = 500
    await clock.ready()
    clocks.pass_by(301)
    clocks.fails = True
    await clock.ready()
    assert clock.offset_ms == pytest.approx(500, abs=1)
    assert clock.refusal() is None


def set_forward(clocks: Clocks) -> None:
    """A person or a time server moves this machine's clock."""
    clocks.wall += 30
    clocks.ahead_ms -= 30_000


def set_ahead(clocks: Clocks) -> None:
    """The venue's clock is moved, and the venue refuses a request for its time."""
    clocks.ahead_ms += 30_000


@pytest.mark.parametrize("move", [set_forward, set_ahead])
async def test_a_clock_that_was_moved_has_to_be_read_twice(
    clocks: Clocks, clock: VenueTime, move: Callable[[Clocks], None]
) -> None:
    await clock.ready()
    move(clocks)
    clock.suspect()
    await clock.ready()
    assert clock.refusal() == "this machine's clock or the venue's has been moved"
    await clock.ready()
    assert clock.refusal() is None


async def test_a_machine_whose_clock_jumps_signs_nothing_by_it(clocks: Clocks, clock: VenueTime) -> None:
    """As after a suspension: the steady clock stood still, the wall clock went on."""
    await clock.ready()
    clocks.wall += 1.2
    assert clock.refusal() == "this machine's clock or the venue's has been moved"
