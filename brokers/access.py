"""What all clients share that ask one venue at one address: its patience with us, and whether it answers at all."""

import time
from collections.abc import Mapping

from circuitbreaker import CircuitBreaker

from brokers.faults import is_outage
from brokers.habits import HABITS
from domain.errors import VenueUnavailable
from domain.instruments import VenueRef

# From this share of the budget on, reads wait for the next minute, and orders have the rest to themselves.
_SHARE_OF_READS = 0.8
# After so many failures in a row the venue rests for so many seconds; then one request at a time tries it, which may
# take so long.
_FAILURES = 5
_REST_SECONDS = 2
_TRIAL_SECONDS = 10.0
_BACK_OFF_STATUS = {418, 429, 503}


class VenueAccess:
    """Admits requests to an address.

    The venue counts per address, so whoever is told "too many requests" is told it for all; and when it does not
    answer one client, it does not answer the next.
    """

    def __init__(self, venue: VenueRef) -> None:
        self.venue = venue
        self.breaker = CircuitBreaker(
            failure_threshold=_FAILURES, recovery_timeout=_REST_SECONDS, expected_exception=is_outage
        )
        habits = HABITS.get(venue.name)
        self._weight = None if habits is None else habits.weight
        self._used, self._used_in = 0, 0
        self._blocked_until = 0.0
        self._trial_until = 0.0

    @property
    def retry_after(self) -> float | None:
        """Seconds for which the venue wants to be left alone; None when it may be asked now."""
        left = self._blocked_until - time.monotonic()
        return left if left > 0 else None

    def admit(self, *, urgent: bool) -> None:
        """Return if a request may be made now.

        Args:
            urgent: it is an order, or needed for one.

        Raises:
            VenueUnavailable: it may not, for so many seconds.
        """
        if (wait := self.retry_after) is not None:
            raise VenueUnavailable(f"{self.venue}: asked to be left alone for {wait:.0f} s more", retry_after=wait)
        self._try_or_rest()
        if not urgent and self._weight and self._used_now() >= self._weight.per_minute * _SHARE_OF_READS:
            rest = 60 - time.time() % 60
            reason = f"{self.venue}: {self._used} of {self._weight.per_minute} request weight used in this minute"
            raise VenueUnavailable(f"{reason}; the rest is for orders", retry_after=rest)

    def _try_or_rest(self) -> None:
        if self.breaker.closed:
            return
        now = time.monotonic()
        if self.breaker.opened or now < self._trial_until:
            reason = f"{self.venue}: did not answer {self.breaker.failure_count} times in a row, and is left to rest"
            raise VenueUnavailable(reason, retry_after=float(max(self.breaker.open_remaining, 1)))
        self._trial_until = now + _TRIAL_SECONDS

    def back_off(self, seconds: float) -> None:
        """Ask nothing for so long."""
        self._blocked_until = max(self._blocked_until, time.monotonic() + seconds)

    def hear(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the venue's patience."""
        told = {name.lower(): value for name, value in headers.items()}
        if status in _BACK_OFF_STATUS and (asked := told.get("retry-after", "")).isdigit():
            self.back_off(float(asked))
        if self._weight and (used := told.get(self._weight.header, "")).isdigit():
            self._used, self._used_in = int(used), _minute()

    def _used_now(self) -> int:
        return self._used if self._used_in == _minute() else 0


def _minute() -> int:
    """Return the minute of the wall clock, in which the venue counts."""
    return int(time.time() // 60)
