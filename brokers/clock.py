"""How far a venue's clock is ahead of this machine's: what is signed must be in time by the venue's clock."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.errors import SteadyhandError

log = logging.getLogger(__name__)

_SAMPLES = 3
_LIVES_SECONDS = 300.0
# Beyond these, milliseconds, a timestamp proves nothing: the reading is too vague, or a clock has been moved.
_WIDEST_BOUND = 1_000.0
_LARGEST_STEP = 1_000.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the venue's clock.

    Attributes:
        offset_ms: how far it is ahead of this machine's wall clock.
        bound_ms: how wrong that can be: half of the round trip, and the millisecond in which it was told.
        at: this machine's steady clock, seconds.
        wall: by how much its wall clock was ahead of that.
    """

    offset_ms: float
    bound_ms: float
    at: float
    wall: float


class VenueTime:
    """Measures the venue's clock now and then, by this machine's wall clock, because a deadline is set by it.

    Args:
        fetch_time: reads the venue's clock, milliseconds UTC.
    """

    def __init__(self, fetch_time: Callable[[], Awaitable[int]]) -> None:
        self._fetch_time = fetch_time
        self._reading: Reading | None = None
        self._stepped = False
        self._suspected = False
        self._measuring = asyncio.Lock()

    @property
    def offset_ms(self) -> float:
        """Return how far the venue's clock is ahead of this machine's, in milliseconds; 0 before it was measured."""
        return 0.0 if self._reading is None else self._reading.offset_ms

    @property
    def bound_ms(self) -> float:
        """Return by how many milliseconds `offset_ms` may be wrong."""
        return 0.0 if self._reading is None else self._reading.bound_ms

    def venue_ms(self, moment: float) -> int:
        """Return what the venue's clock shows at a moment of this machine's wall clock, in seconds."""
        return int(moment * 1000 + self.offset_ms)

    def suspect(self) -> None:
        """Hear that the venue found a timestamp wrong: `ready` measures anew."""
        self._suspected = True

    def refusal(self) -> str | None:
        """Return why nothing can be signed with this clock now; None when something can."""
        if self._reading is None:
            return "the venue's clock has not been read"
        if self._reading.bound_ms > _WIDEST_BOUND:
            return f"the venue's clock is known to {self._reading.bound_ms:.0f} ms only"
        if self._stepped or self._moved_ms() > _LARGEST_STEP:
            return "this machine's clock or the venue's has been moved"
        return None

    async def ready(self) -> None:
        """Return once the venue's clock is known, not longer ago than five minutes; at once if it is.

        Raises:
            VenueUnavailable: it was never read, and cannot be now.
            VenueMisfit: the venue does not tell its time.
        """
        if self._fresh():
            return
        async with self._measuring:
            if not self._fresh():
                await self._measure()

    def _fresh(self) -> bool:
        known = self._reading
        return (
            known is not None
            and not (self._suspected or self._stepped)
            and time.monotonic() - known.at < _LIVES_SECONDS
            and self._moved_ms() <= known.bound_ms + 100
        )

    def _moved_ms(self) -> float:
        """Return by how much this machine's wall clock was moved since the reading."""
        return 0.0 if self._reading is None else abs(_wall() - self._reading.wall) * 1000

    async def _measure(self) -> None:
        try:
            readings = [await self._read() for _ in range(_SAMPLES)]
        except SteadyhandError as error:
            if self._reading is None:
                raise
            log.warning("a venue's clock could not be read again: %s", error)
            return
        best, before = min(readings, key=lambda reading: reading.bound_ms), self._reading
        self._suspected = False
        # Two readings in a row must agree; after a step the next one has the last word.
        self._stepped = before is not None and abs(best.offset_ms - before.offset_ms) > _LARGEST_STEP
        self._reading = best
        if self._stepped and before is not None:
            log.warning("a clock was moved by %.0f ms", best.offset_ms - before.offset_ms)

    async def _read(self) -> Reading:
        before, wall = time.monotonic(), time.time()
        venue_ms = await self._fetch_time()
        after = time.monotonic()
        middle = (wall + (after - before) / 2) * 1000
        return Reading(
            offset_ms=venue_ms + 0.5 - middle, bound_ms=(after - before) * 500 + 0.5, at=after, wall=wall - before
        )


def _wall() -> float:
    return time.time() - time.monotonic()
