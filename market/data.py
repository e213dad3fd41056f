"""Market data of all venues: implements `domain.ports.Market`."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from domain.instruments import Instrument, VenueRef
from domain.ports import FeedKey, Subscription
from market.clock import Clock, VenueClock
from market.feed import Feed
from market.outage import VenueHealth
from market.prices import PriceWatch
from market.reach import Reach
from market.settings import MarketSettings
from market.subscriber import Subscriber
from market.venue import VenueData

ClockFactory = Callable[[VenueData], Clock]


class _VenueHub:
    """All that this process follows at one venue: its clock, its prices, its feeds."""

    def __init__(self, venue: VenueRef, data: VenueData, clock: Clock, settings: MarketSettings) -> None:
        self.data = data
        self.clock = clock
        self.feeds: dict[tuple[str, str], Feed] = {}
        self._settings = settings
        self._health = VenueHealth(str(venue))
        self.prices = PriceWatch(data, clock, idle_factor=settings.idle_price_factor, health=self._health)
        self.prices.start()

    def feed(self, key: FeedKey) -> Feed:
        place = (key.symbol, key.interval)
        if place not in self.feeds:
            self.feeds[place] = Feed(key, self.data, self.clock, settings=self._settings, health=self._health)
            self.feeds[place].start()
        return self.feeds[place]

    async def close(self) -> None:
        for feed in self.feeds.values():
            await feed.close()
        self.feeds.clear()
        await self.prices.close()
        await self.clock.close()


class MarketData:
    """One feed per venue, symbol and interval; one price reading and one clock per venue.

    Args:
        venues: gives the data source of a venue; called once per venue.
        settings: how all feeds behave.
        clock_factory: makes a venue's clock; tests step one by hand.
    """

    def __init__(
        self,
        venues: Callable[[VenueRef], VenueData],
        settings: MarketSettings | None = None,
        clock_factory: ClockFactory | None = None,
    ) -> None:
        self._venues = venues
        self._settings = settings or MarketSettings()
        self._clock_factory = clock_factory or self._venue_clock
        self._hubs: dict[VenueRef, _VenueHub] = {}
        self._numbers = itertools.count(1)
        self._lingering: dict[Feed, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def instrument(self, venue: VenueRef, symbol: str, interval: str) -> Instrument:
        """Return the market that `symbol` names, `BTCUSDT` and `BTC/USDT` alike.

        Raises:
            VenueMisfit: unknown venue, symbol or interval, or an ambiguous symbol.
            VenueUnavailable: the venue does not answer.
        """
        return await self._hub(venue).data.instrument(symbol, interval)

    @asynccontextmanager
    async def subscribe(
        self, key: FeedKey, *, lookback: int, since: int | None, price_seconds: float
    ) -> AsyncIterator[Subscription]:
        """Join a feed, starting it if need be, as `domain.ports.Market` says. Does not wait for the first candles."""
        hub = self._hub(key.venue)
        feed = hub.feed(key)
        if (timer := self._lingering.pop(feed, None)) is not None:
            timer.cancel()
        subscriber = Subscriber(next(self._numbers), feed, hub.prices, Reach(lookback, since))
        try:
            with feed.joined(subscriber), hub.prices.followed(subscriber.number, feed, price_seconds):
                yield subscriber
        finally:
            if feed.idle:
                self._linger(hub, feed)

    def feed_count(self) -> int:
        """Return how many feeds are followed: for the gauge."""
        return sum(len(hub.feeds) for hub in self._hubs.values())

    async def close(self) -> None:
        """Stop following anything. Subscribers that still wait are not woken."""
        for timer in self._lingering.values():
            timer.cancel()
        self._lingering.clear()
        hubs, self._hubs = list(self._hubs.values()), {}
        for hub in hubs:
            await hub.close()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _hub(self, venue: VenueRef) -> _VenueHub:
        if venue not in self._hubs:
            data = self._venues(venue)
            self._hubs[venue] = _VenueHub(venue, data, self._clock_factory(data), self._settings)
        return self._hubs[venue]

    def _venue_clock(self, data: VenueData) -> Clock:
        return VenueClock(data.fetch_time, resync_seconds=self._settings.resync_seconds)

    def _linger(self, hub: _VenueHub, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        self._lingering[feed] = loop.call_later(self._settings.linger_seconds, self._reap, hub, feed)

    def _reap(self, hub: _VenueHub, feed: Feed) -> None:
        self._lingering.pop(feed, None)
        hub.feeds.pop((feed.key.symbol, feed.key.interval), None)
        task = asyncio.create_task(feed.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
