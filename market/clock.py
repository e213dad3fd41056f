"""The venue's clock: all waiting of the feeds is for a moment on it, at whatever speed it runs."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from domain.errors import SteadyhandError
from market.clock_fit import Fit, Sample, contradicts, fit

log = logging.getLogger(__name__)

_FIRST_SAMPLES = 3
_FIRST_PAUSE = 0.1
# After the first samples, seconds until the next ones: quickly at first, since a longer span measures the rate better.
_CADENCE = (1.0, 4.0, 15.0, 60.0)
_SAMPLES_KEPT = 12
# A clock may be moved while somebody sleeps by it (a laptop that was shut, a simulator started anew).
_LONGEST_NAP = 30.0


class Clock(Protocol):
    """A venue's clock, as the feeds use it. Moments are milliseconds UTC."""

    @property
    def error_ms(self) -> float:
        """Return by how many milliseconds of the venue `now_ms` may be wrong."""
        ...

    @property
    def offset_ms(self) -> float:
        """Return how far the venue's clock is ahead of this machine's, in milliseconds: for the gauge."""
        ...

    async def ready(self) -> None:
        """Return once the venue's time is known; at once when it is.

        Raises:
            VenueUnavailable: the venue does not answer.
        """
        ...

    def now_ms(self) -> int:
        """Return the venue's time; this machine's before the venue's is known."""
        ...

    async def sleep_until(self, moment: int) -> None:
        """Return once the venue's clock shows `moment` or later; at once if the clock was moved meanwhile."""
        ...

    def suspect(self) -> None:
        """Hear that the venue's data contradict this clock: it measures soon."""
        ...

    async def close(self) -> None:
        """Stop measuring."""
        ...


class VenueClock:
    """Estimates the venue's time from samples of it: the middle of a request's round trip is when it was read.

    Offset and rate both: a simulator may run at many times real time. The rate is exactly 1 unless the samples
    say otherwise. A sample that contradicts the earlier ones starts the estimate anew and wakes the sleepers.

    Args:
        fetch_time: reads the venue's clock, milliseconds UTC.
        resync_seconds: real time between samples once the clock is settled.
        local: this machine's steady clock, in seconds; asyncio must sleep by the same one.
    """

    def __init__(
        self,
        fetch_time: Callable[[], Awaitable[int]],
        *,
        resync_seconds: float = 300.0,
        local: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch_time = fetch_time
        self._resync_seconds = resync_seconds
        self._local = local
        self._samples: deque[Sample] = deque(maxlen=_SAMPLES_KEPT)
        self._fit: Fit | None = None
        self._measuring = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._suspected = asyncio.Event()
        self._moved = asyncio.Event()

    @property
    def error_ms(self) -> float:
        """Return by how many milliseconds of the venue `now_ms` may be wrong."""
        return 0.0 if self._fit is None else self._fit.error_ms

    @property
    def offset_ms(self) -> float:
        """Return how far the venue's clock is ahead of this machine's, in milliseconds."""
        return self.now_ms() - time.time() * 1000

    @property
    def rate(self) -> float:
        """Return the venue's milliseconds per millisecond here."""
        return 1.0 if self._fit is None else self._fit.rate

    async def ready(self) -> None:
        """Return once the venue's time is known; concurrent callers share the measuring.

        Raises:
            VenueUnavailable: the venue does not answer.
        """
        if self._fit is not None:
            return
        async with self._measuring:
            if self._fit is None:
                await self._first_samples()
                self._task = asyncio.create_task(self._keep(), name="venue clock")

    def now_ms(self) -> int:
        """Return the venue's time in milliseconds UTC; this machine's before the venue's is known."""
        if self._fit is None:
            return time.time_ns() // 1_000_000
        return self._fit.venue_ms(self._local())

    async def sleep_until(self, moment: int) -> None:
        """Return once the venue's clock shows `moment`, milliseconds UTC, or later; at once if the clock was moved."""
        moved = self._moved
        while (left := moment - self.now_ms()) > 0 and not moved.is_set():
            # A halted clock has rate 0: look again now and then.
            seconds = left / 1000 / max(self.rate, 1e-3)
            # Half a millisecond more, because loops wake a little early and would sleep again for nothing.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), min(seconds + 0.0005, _LONGEST_NAP))

    def suspect(self) -> None:
        """Measure soon: the venue's data contradict this clock."""
        self._suspected.set()

    async def close(self) -> None:
        """Stop measuring."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _first_samples(self) -> None:
        samples = []
        for number in range(_FIRST_SAMPLES):
            if number:
                await asyncio.sleep(_FIRST_PAUSE)
            samples.append(await self._sample())
        self._samples.extend(samples)
        self._fit = fit(list(self._samples))

    async def _keep(self) -> None:
        step = 0
        while True:
            pause = _CADENCE[step] if step < len(_CADENCE) else self._resync_seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._suspected.wait(), min(pause, self._resync_seconds))
                await asyncio.sleep(1.0)  # a contradiction repeats itself; once a second is enough
            self._suspected.clear()
            try:
                sample = await self._sample()
            except SteadyhandError:
                continue  # the feeds report the outage; the old estimate holds
            step = 0 if self._learn(sample) else step + 1

    def _learn(self, sample: Sample) -> bool:
        """Take a sample in; return whether it contradicted the earlier ones."""
        stepped = self._fit is not None and contradicts(sample, self._fit)
        if stepped and len(self._samples) > 1:
            # Moved, or running at another pace? Forget the past and keep the pace; the next sample tells.
            log.warning("a venue's clock was moved; it shows %d ms", sample.venue_ms)
            self._samples.clear()
            self._fit = Fit(sample.local, sample.venue_ms, self.rate, self.error_ms)
            self._samples.append(sample)
        else:
            self._samples.append(sample)
            self._fit = fit(list(self._samples))
        if stepped:
            self._moved.set()
            self._moved = asyncio.Event()
        return stepped

    async def _sample(self) -> Sample:
        before = self._local()
        venue_ms = await self._fetch_time()
        after = self._local()
        return Sample(local=(before + after) / 2, venue_ms=venue_ms, round_trip=after - before)
