"""The clocks of the simulated exchange. All times are milliseconds UTC."""

import math
import time
from typing import Protocol


class Clock(Protocol):
    """What the exchange takes for the present; nothing else in the simulator asks for the time."""

    def now_ms(self) -> int:
        """Return the exchange's time, milliseconds UTC; never less than an earlier answer."""


class SimulatedClock:
    """Runs at `speed` times real time."""

    def __init__(self, speed: float = 1.0, start_ms: int | None = None) -> None:
        """Start the clock now.

        Args:
            speed: simulated seconds per real second, above 0; 60 plays an hour in a minute.
            start_ms: what the clock shows at this moment; the real time when None.

        Raises:
            ValueError: `speed` is not above 0, or infinite.
        """
        if not 0 < speed < math.inf:
            raise ValueError(f"speed must be above 0 and finite; was {speed}")
        self.speed = speed
        self._start_ms = time.time_ns() // 1_000_000 if start_ms is None else start_ms
        self._started_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the simulated time, milliseconds UTC."""
        elapsed_ns = time.monotonic_ns() - self._started_ns
        return self._start_ms + int(elapsed_ns * self.speed) // 1_000_000


class ManualClock:
    """Stands still until it is told to go on: for tests that step through candles."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Return the simulated time, milliseconds UTC."""
        return self._now_ms

    def advance_to(self, moment_ms: int) -> None:
        """Move on to `moment_ms`, milliseconds UTC.

        Raises:
            ValueError: `moment_ms` lies in the past; an exchange's clock never goes back.
        """
        if moment_ms < self._now_ms:
            raise ValueError(f"the clock stands at {self._now_ms} and cannot go back; was told {moment_ms}")
        self._now_ms = moment_ms
