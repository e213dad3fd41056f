"""Simulated time in lock-step: the venue's clock moves only when nothing is under way, and then to the next sleeper.

So a month of candles is judged one by one, with no race and as fast as the machine allows.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from domain.candles import VenueCandle
from domain.decisions import ExitLevels
from domain.instruments import Instrument, VenueRef
from domain.model import Price
from domain.ports import FeedKey, Market, MarketView, Subscription, Wake
from market.venue import VenueData
from simulator.clock import ManualClock

# Turns of the event loop after which everything that a wake has set off has shown itself.
_TURNS = 12


class Changes:
    """Says that something has changed which the stepper looks at, so that it need not look all the time."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def note(self) -> None:
        self._event.set()

    async def next(self) -> None:
        await self._event.wait()
        self._event.clear()


class SteppedClock:
    """A venue's clock, as market/ sees it, over the simulator's own."""

    error_ms = 0.0
    offset_ms = 0.0

    def __init__(self, clock: ManualClock, changes: Changes) -> None:
        self._clock, self._changes = clock, changes
        self._sleepers: set[tuple[int, asyncio.Future[None]]] = set()

    async def ready(self) -> None:
        """Return at once: the time is known."""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    async def sleep_until(self, moment: int) -> None:
        if moment <= self.now_ms():
            return
        sleeper = (moment, asyncio.get_running_loop().create_future())
        self._sleepers.add(sleeper)
        self._changes.note()
        try:
            await sleeper[1]
        finally:
            self._sleepers.discard(sleeper)

    def suspect(self) -> None:
        raise AssertionError("the stepped clock is the venue's own")

    async def close(self) -> None:
        """Nothing measures."""

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    def step(self) -> int:
        """Move to the earliest sleeper and wake all that are due."""
        moment = min(moment for moment, _ in self._sleepers)
        self._clock.advance_to(moment)
        for due, sleeper in self._sleepers:
            if due <= moment and not sleeper.done():
                sleeper.set_result(None)
        return moment


class CountedVenue:
    """A venue's data, with a count of the requests under way."""

    def __init__(self, venue: VenueData, changes: Changes) -> None:
        self._venue, self._changes = venue, changes
        self.under_way = 0

    async def fetch_time(self) -> int:
        return await self._venue.fetch_time()

    async def page_size(self) -> int:
        return await self._venue.page_size()

    async def candles(self, symbol: str, interval: str, *, since: int, limit: int) -> Sequence[VenueCandle]:
        async with self._counted():
            return await self._venue.candles(symbol, interval, since=since, limit=limit)

    async def prices(self, symbols: Collection[str]) -> Mapping[str, Price]:
        async with self._counted():
            return await self._venue.prices(symbols)

    async def instrument(self, symbol: str, interval: str) -> Instrument:
        async with self._counted():
            return await self._venue.instrument(symbol, interval)

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self._changes.note()


class CountedMarket:
    """A market, with a count of the bots that wait for it."""

    def __init__(self, market: Market, changes: Changes) -> None:
        self._market, self.changes = market, changes
        self.waiting = 0

    async def instrument(self, venue: VenueRef, symbol: str, interval: str) -> Instrument:
        return await self._market.instrument(venue, symbol, interval)

    @asynccontextmanager
    async def subscribe(
        self, key: FeedKey, *, lookback: int, since: int | None, price_seconds: float
    ) -> AsyncIterator[Subscription]:
        async with self._market.subscribe(
            key, lookback=lookback, since=since, price_seconds=price_seconds
        ) as subscription:
            yield _CountedSubscription(self, subscription)


class _CountedSubscription:
    def __init__(self, market: CountedMarket, subscription: Subscription) -> None:
        self._market = market
        self._subscription = subscription

    def view(self) -> MarketView:
        return self._subscription.view()

    async def wait(self, *, seen: int | None, opened: int | None, levels: ExitLevels, was_stale: bool) -> Wake:
        self._market.waiting += 1
        self._market.changes.note()
        try:
            return await self._subscription.wait(seen=seen, opened=opened, levels=levels, was_stale=was_stale)
        finally:
            self._market.waiting -= 1


class Stepper:
    """Moves the clock on while a number of bots trade."""

    def __init__(
        self, clock: SteppedClock, venue: CountedVenue, market: CountedMarket, changes: Changes, *, bots: int
    ) -> None:
        self._clock, self._venue, self._market, self._changes, self._bots = clock, venue, market, changes, bots

    async def run_until(self, moment: int) -> None:
        """Step until the venue's clock shows `moment`."""
        while self._clock.now_ms() < moment:
            await self.settle()
            self._clock.step()
        await self.settle()

    async def settle(self) -> None:
        """Return once every bot waits, no request is under way, and somebody sleeps."""
        calm = 0
        while calm < _TURNS:
            if self._quiet():
                calm += 1
                await asyncio.sleep(0)
            else:
                calm = 0
                await self._changes.next()

    def _quiet(self) -> bool:
        return self._market.waiting == self._bots and not self._venue.under_way and self._clock.sleepers > 0
