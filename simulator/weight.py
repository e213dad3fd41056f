"""The request weight and the order counts that the venue reports to its callers, and may limit them to."""

from collections.abc import Mapping

from simulator.clock import Clock
from simulator.errors import too_many_orders, too_much_weight

LIMIT_PER_MINUTE = 6_000
ORDERS_PER_10_SECONDS = 100
ORDERS_PER_DAY = 200_000


class Window:
    """A sum over one window of the venue's time: who lives by a fast clock asks more often."""

    def __init__(self, clock: Clock, seconds: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._window = -1
        self._sum = 0

    def add(self, quantity: int) -> int:
        """Add to the sum of this window, and return it."""
        window = self._clock.now_ms() // (self._seconds * 1_000)
        if window != self._window:
            self._window, self._sum = window, 0
        self._sum += quantity
        return self._sum

    @property
    def left(self) -> int:
        """Seconds until the next window, rounded up."""
        return self._seconds - self._clock.now_ms() // 1_000 % self._seconds


class WeightMeter:
    """Adds up the weights of requests; refuses those beyond the limit when it is told to."""

    def __init__(self, clock: Clock, *, enforced: bool = False) -> None:
        self._enforced = enforced
        self._minute = Window(clock, 60)

    def spend(self, weight: int) -> int:
        """Count a request and return the weight used in this minute.

        Raises:
            VenueError: 429, when limits are enforced and this is too much.
        """
        used = self._minute.add(weight)
        if self._enforced and used > LIMIT_PER_MINUTE:
            raise too_much_weight(LIMIT_PER_MINUTE, self._minute.left)
        return used

    def headers(self, weight: int) -> Mapping[str, str]:
        """Count a request and return the headers of its answer.

        Raises:
            VenueError: as `spend`.
        """
        self.spend(weight)
        return self.used_headers()

    def used_headers(self) -> Mapping[str, str]:
        """Return the headers of an answer that counts nothing."""
        used = str(self._minute.add(0))
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}


class OrderMeter:
    """Counts the orders of one account."""

    def __init__(self, clock: Clock, *, enforced: bool = False) -> None:
        self._enforced = enforced
        self._short, self._day = Window(clock, 10), Window(clock, 86_400)

    def headers(self) -> Mapping[str, str]:
        """Count an order and return the headers of its answer.

        Raises:
            VenueError: 429, when limits are enforced and this is one too many.
        """
        short, day = self._short.add(1), self._day.add(1)
        if self._enforced and short > ORDERS_PER_10_SECONDS:
            raise too_many_orders(ORDERS_PER_10_SECONDS, "10 SECOND")
        if self._enforced and day > ORDERS_PER_DAY:
            raise too_many_orders(ORDERS_PER_DAY, "1 DAY")
        return {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1D": str(day)}
