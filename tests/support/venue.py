"""A venue made by hand, and a clock that stands still until a test moves it."""

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from domain.candles import VenueCandle
from domain.errors import VenueMisfit
from domain.instruments import Instrument, VenueRef
from domain.intervals import interval_ms, open_time

VENUE = VenueRef(name="handmade")

# So often everything that is ready to run may run before a test looks at the outcome.
_TURNS = 40


async def settle() -> None:
    """Let everything run that does not wait for time."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class SteppedClock:
    """Implements `market.clock.Clock`. Sleepers wake in the order of their moments, while the test advances it."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.error_ms = 0.0
        self.offset_ms = 0.0
        self.suspected = 0

    async def ready(self) -> None:
        return

    def now_ms(self) -> int:
        return self._now

    async def sleep_until(self, moment: int) -> None:
        if moment <= self._now:
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), future))
        await future

    def suspect(self) -> None:
        self.suspected += 1

    async def close(self) -> None:
        return

    def next_moment(self) -> int | None:
        """Return the earliest moment that somebody sleeps for."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance_to(self, moment: int) -> None:
        """Go on to `moment`, stopping wherever somebody wakes."""
        await settle()
        while (upcoming := self.next_moment()) is not None and upcoming <= moment:
            self._now = max(self._now, upcoming)
            while self._sleepers and self._sleepers[0][0] <= self._now:
                future = heapq.heappop(self._sleepers)[2]
                if not future.done():
                    future.set_result(None)
            await settle()
        self._now = max(self._now, moment)

    async def advance(self, milliseconds: int) -> None:
        """Go on by `milliseconds`."""
        await self.advance_to(self._now + milliseconds)

    def put_back(self, moment: int) -> None:
        """Show an earlier time, as a venue that was started anew. Sleepers wake: the clock was moved."""
        self._now = moment
        sleepers, self._sleepers = self._sleepers, []
        for _, _, future in sleepers:
            if not future.done():
                future.set_result(None)


class FakeVenue:
    """Implements `market.venue.VenueData` over candles and prices that a test lays out in advance.

    A candle can be seen from its open on, `lag_ms` late; while it runs it has only its open, and a volume of 0.001.
    """

    def __init__(self, clock: SteppedClock, *, page: int = 1000) -> None:
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, str, int, int]] = []
        self.prices_at: Mapping[str, Callable[[int], str | None]] = {}
        self.failure: Exception | None = None
        self.price_failure: Exception | None = None
        self.candle_failure: Exception | None = None
        self.lag_ms = 0
        self.gate: asyncio.Event | None = None
        self._page = page
        self._series: dict[tuple[str, str], list[VenueCandle]] = {}

    def lay_out(self, symbol: str, interval: str, candles: Iterable[VenueCandle]) -> None:
        """Set all candles of a symbol, past and future."""
        self._series[symbol, interval] = sorted(candles)

    def quote(self, **prices: str | None) -> None:
        """Set last prices that stay; underscores in a name stand for the slash."""
        self.prices_at = {name.replace("_", "/"): _always(price) for name, price in prices.items()}

    async def fetch_time(self) -> int:
        self._count("time", self.failure)
        return self.clock.now_ms()

    async def page_size(self) -> int:
        return self._page

    async def candles(self, symbol: str, interval: str, *, since: int, limit: int) -> Sequence[VenueCandle]:
        self._count("candles", self.candle_failure or self.failure)
        self.asked.append((symbol, interval, since, limit))
        if self.gate is not None:
            await self.gate.wait()
        if limit > self._page:
            raise AssertionError(f"at most {self._page} candles may be asked for; was {limit}")
        visible = self.clock.now_ms() - self.lag_ms
        running_since = open_time(visible, interval)
        found = [each for each in self._series[symbol, interval] if since <= each.open_time <= visible][:limit]
        return [begun(each) if each.open_time == running_since else each for each in found]

    async def prices(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        self._count("prices", self.price_failure or self.failure)
        now = self.clock.now_ms()
        quoted = {symbol: self.prices_at[symbol](now) for symbol in symbols if symbol in self.prices_at}
        return {symbol: Decimal(price) for symbol, price in quoted.items() if price is not None}

    async def instrument(self, symbol: str, interval: str) -> Instrument:
        self._count("instrument", self.failure)
        if (symbol, interval) not in self._series:
            raise VenueMisfit("symbol", f"no {symbol} here")
        base, quote = symbol.split("/")
        step = Decimal("0.01")
        return Instrument(venue=VENUE, symbol=symbol, base=base, quote=quote, lot_step=step, tick_size=step)

    def _count(self, what: str, failure: Exception | None) -> None:
        self.calls[what] += 1
        if failure is not None:
            raise failure


def _always(price: str | None) -> Callable[[int], str | None]:
    return lambda _now: price


def begun(candle: VenueCandle) -> VenueCandle:
    """Return what can be seen of a candle right after its first trade."""
    opening = float(candle.open)
    return VenueCandle(candle.open_time, candle.open, opening, opening, opening, 0.001)


def candle(open_time_ms: int, opening: str, *, low: float | None = None, close: float | None = None) -> VenueCandle:
    """Return a closed candle that opened at `opening` and went nowhere unless told."""
    at = float(opening)
    closed = at if close is None else close
    lowest = min(at, closed) if low is None else low
    return VenueCandle(open_time_ms, Decimal(opening), max(at, closed), lowest, closed, 10.0)


def rising(start: int, count: int, interval: str, *, first: int = 100) -> list[VenueCandle]:
    """Return candles without gaps; the nth opens at `first` + n and closes half above."""
    length = interval_ms(interval)
    return [candle(start + n * length, str(first + n), close=first + n + 0.5) for n in range(count)]
