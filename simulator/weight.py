"""The request weight that the venue reports to its callers."""

import time

LIMIT_PER_MINUTE = 6_000


class WeightMeter:
    """Adds up weights over one minute of real time, like the venue's own: a fast clock makes no more requests."""

    def __init__(self) -> None:
        self._minute = -1
        self._used = 0

    def spend(self, weight: int) -> int:
        """Count a request and return the weight used in this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += weight
        return self._used
