"""The last prices of all symbols of a venue, by one request for all bots of the process.

Prices are read at multiples of the shortest interval that a bot with levels asks for, counted on the venue's clock
from 1970. Without levels to watch they are read more seldom, for display, or not at all.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import SteadyhandError
from market.clock import Clock
from market.feed import Feed
from market.outage import Outage, VenueHealth
from market.venue import VenueData
from market.waiting import end, sleep_until_or

log = logging.getLogger(__name__)

_SHORTEST_MS = 50


class PriceWatch:
    """Reads prices for the feeds of one venue."""

    def __init__(self, venue: VenueData, clock: Clock, *, idle_factor: int | None, health: VenueHealth) -> None:
        self._venue = venue
        self._clock = clock
        self._idle_factor = idle_factor
        self._outage = Outage("prices", health)
        self._feeds: dict[str, dict[Feed, int]] = {}
        self._wishes: dict[int, int] = {}
        self._present: Counter[int] = Counter()
        self._armed: Counter[int] = Counter()
        self._armed_numbers: set[int] = set()
        self._unpriced: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> str | None:
        """Why prices cannot be read now; None while they can, or nobody needs them."""
        return self._outage.reason

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run(), name="prices")

    async def close(self) -> None:
        """Stop reading."""
        task, self._task = self._task, None
        await end(task)
        self._outage.close()

    @contextmanager
    def followed(self, number: int, feed: Feed, seconds: float) -> Iterator[None]:
        """Read prices for a subscriber while the block lasts: every `seconds` of the venue's clock while armed."""
        wish = max(_SHORTEST_MS, round(seconds * 1000))
        feeds = self._feeds.setdefault(feed.key.symbol, {})
        if not feeds:
            self._unpriced.add(feed.key.symbol)
        feeds[feed] = feeds.get(feed, 0) + 1
        self._wishes[number] = wish
        with self._noticing():
            self._present[wish] += 1
        try:
            yield
        finally:
            self.arm(number, armed=False)
            del self._wishes[number]
            with self._noticing():
                _take(self._present, wish)
            self._leave(feed)

    def arm(self, number: int, *, armed: bool) -> None:
        """Hear that a subscriber has levels to watch, or has none any more."""
        if armed == (number in self._armed_numbers):
            return
        with self._noticing():
            if armed:
                self._armed_numbers.add(number)
                self._armed[self._wishes[number]] += 1
            else:
                self._armed_numbers.discard(number)
                _take(self._armed, self._wishes[number])

    def _leave(self, feed: Feed) -> None:
        feeds = self._feeds[feed.key.symbol]
        feeds[feed] -= 1
        if not feeds[feed]:
            del feeds[feed]
        if not feeds:
            del self._feeds[feed.key.symbol]
            self._unpriced.discard(feed.key.symbol)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        before = self._period()
        yield
        if self._period() != before:
            self._changed.set()

    def _period(self) -> int | None:
        """Return the milliseconds between readings; None: there is nothing to read."""
        if self._armed:
            return min(self._armed)
        if self._idle_factor is None or not self._present:
            return None
        return min(self._present) * (1 if self._unpriced else self._idle_factor)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            period = self._period()
            if period is None:
                await self._changed.wait()
                continue
            try:
                await self._clock.ready()
                moment = (self._clock.now_ms() // period + 1) * period
                await sleep_until_or(self._clock, moment, self._changed)
                if self._clock.now_ms() >= moment:
                    await self._read()
            except Exception as error:  # whatever it was: without prices no stop would be seen
                await asyncio.sleep(self._failed(error))

    async def _read(self) -> None:
        at = self._clock.now_ms()
        asked = list(self._feeds)
        prices = await self._venue.prices(asked)
        self._outage.over()
        self._unpriced.difference_update(asked)
        for symbol, price in prices.items():
            for feed in list(self._feeds.get(symbol, ())):
                feed.on_price(price, at)

    def _failed(self, error: Exception) -> float:
        if self._outage.reason is None and not isinstance(error, SteadyhandError):
            log.error("reading prices failed", exc_info=error)
        return self._outage.failed(error)


def _take(counts: Counter[int], key: int) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
