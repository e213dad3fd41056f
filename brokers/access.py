"""What all clients share that ask one venue at one address: its patience with us, and whether it answers at all."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime

from circuitbreaker import CircuitBreaker

from brokers.budget import AddressBudget
from brokers.faults import is_outage
from brokers.habits import HABITS
from domain.errors import VenueUnavailable
from domain.instruments import VenueRef

# From these shares of the budget on, reads wait for the next minute, and orders, their look-ups and cancellations too.
# What is left then is for others at the address, of whom nobody here knows before the next report.
_SHARE_OF_READS, _SHARE_OF_ALL = 0.8, 0.95
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

    Args:
        budget: what all processes of this machine use of the address.
    """

    def __init__(self, venue: VenueRef, budget: AddressBudget) -> None:
        self.venue = venue
        self._budget = budget
        self.breaker = CircuitBreaker(
            failure_threshold=_FAILURES, recovery_timeout=_REST_SECONDS, expected_exception=is_outage
        )
        habits = HABITS.get(venue.name)
        self._weight = None if habits is None else habits.weight
        self._trial_until = 0.0

    @property
    def retry_after(self) -> float | None:
        """Seconds for which the venue wants to be left alone; None when it may be asked now."""
        left = self._budget.alone_for()
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
        self.check_budget(urgent=urgent)

    def check_budget(self, *, urgent: bool) -> None:
        """Return if there is weight left in this minute; see `admit`.

        Raises:
            VenueUnavailable: there is none, for so many seconds.
        """
        if self._weight is None:
            return
        # What is under way may be in the report already. Reads can wait for that to be known; an order should not.
        used, limit = self._budget.reported() if urgent else self._budget.used(), self._weight.per_minute
        if used >= limit * (_SHARE_OF_ALL if urgent else _SHARE_OF_READS):
            left = "what is left is for others at the address" if urgent else "the rest is for orders"
            reason = f"{self.venue}: {used:.0f} of {limit} request weight used in this minute; {left}"
            raise VenueUnavailable(reason, retry_after=self._budget.renewed_in())

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
        self._budget.leave_alone(seconds)

    def spending(self, share: float) -> AbstractContextManager[None]:
        """Count a request while it is under way.

        Args:
            share: of what a client of ccxt lets itself ask in a minute.
        """
        return self._budget.spending(share * self._weight.per_minute if self._weight else 0.0)

    def hear(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the venue's patience."""
        told = {name.lower(): value for name, value in headers.items()}
        if status in _BACK_OFF_STATUS and (asked := told.get("retry-after", "")).isdigit():
            self.back_off(float(asked))
        if self._weight and (used := told.get(self._weight.header, "")).isdigit():
            self._budget.hear(float(used), told_at=_moment(told.get("date")))


def _moment(date: str | None) -> float | None:
    """Return the time of an answer, seconds UTC, whole; None where it tells none that can be read."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
