"""Failures of a venue: when to try again, and one log line per outage instead of one per attempt."""

import logging
import random
import time

from domain.errors import VenueMisfit, VenueUnavailable

log = logging.getLogger(__name__)

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_MISFIT_DELAY = 60.0
_JITTER = 0.25


class VenueHealth:
    """What fails at one venue, told in the log when the first part fails and when the last one works again."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._failing: set[str] = set()
        self._since = 0.0

    def failed(self, part: str, reason: str) -> None:
        """Note that a part fails."""
        if not self._failing:
            self._since = time.monotonic()
            log.warning("market data of %s is failing: %s: %s", self._venue, part, reason)
        self._failing.add(part)

    def works(self, part: str) -> None:
        """Note that a part works."""
        if part not in self._failing:
            return
        self._failing.remove(part)
        if not self._failing:
            log.warning("market data of %s is back after %.1f s", self._venue, time.monotonic() - self._since)

    def gone(self, part: str) -> None:
        """Note that a part is needed no more, failing or not."""
        self._failing.discard(part)


class Outage:
    """The attempts of one part: exponential backoff with jitter, never sooner than the venue asked for."""

    def __init__(self, part: str, health: VenueHealth) -> None:
        self._part = part
        self._health = health
        self._attempts = 0
        self.reason: str | None = None

    def failed(self, error: Exception) -> float:
        """Note a failed attempt; return the seconds to wait before the next."""
        self.reason = str(error) or type(error).__name__
        self._health.failed(self._part, self.reason)
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self._attempts, 10))
        self._attempts += 1
        if isinstance(error, VenueMisfit):
            delay = _MISFIT_DELAY
        # No secret depends on it: the jitter only keeps feeds from asking all at once.
        delay *= 1 + random.uniform(-_JITTER, _JITTER)
        if isinstance(error, VenueUnavailable) and error.retry_after is not None:
            delay = max(delay, error.retry_after * (1 + random.uniform(0, _JITTER)))
        return delay

    def over(self) -> None:
        """Note a success."""
        if self.reason is not None:
            self.reason = None
            self._attempts = 0
            self._health.works(self._part)

    def close(self) -> None:
        """Forget the part."""
        self._health.gone(self._part)
