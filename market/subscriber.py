"""One bot's place at a feed: what it waits for, and whether that is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.decisions import ExitLevels
from domain.intervals import next_open, open_time
from domain.ports import LevelHit, MarketView, Wake
from market.buffer import CandleBuffer
from market.levels import crossing
from market.reach import Reach

if TYPE_CHECKING:
    from market.feed import Feed
    from market.prices import PriceWatch

_NO_LEVELS = ExitLevels()
_NO_CANDLES = CandleBuffer(0).candles()


class Subscriber:
    """Implements `domain.ports.Subscription`. Costs nothing while nothing happens: no timer, no task.

    When several things are there to judge, a level comes before a closed candle, and both before staleness. So at
    an interval boundary an open beyond a stop wakes with `LevelHit`, its price that open, and not with `candle`.
    """

    __slots__ = (
        "_feed", "_floor", "_future", "_levels", "_prices", "_reached", "_seen", "_was_stale", "number", "reach",
    )  # fmt: skip

    def __init__(self, number: int, feed: Feed, prices: PriceWatch, reach: Reach) -> None:
        self.number = number
        self.reach = reach
        self._feed = feed
        self._prices = prices
        self._reached = False
        self._levels = _NO_LEVELS
        self._floor = 0
        self._seen: int | None = None
        self._was_stale = False
        self._future: asyncio.Future[Wake] | None = None

    def view(self) -> MarketView:
        """Return what the feed knows now; no candles before they reach back as far as was asked for."""
        feed = self._feed
        running = feed.series.running
        return MarketView(
            candles=feed.series.closed.candles() if self._reaches() else _NO_CANDLES,
            opening_time=None if running is None else running.open_time,
            opening_price=None if running is None else running.open,
            price=feed.price,
            price_at=feed.price_at,
            now=feed.clock.now_ms(),
            stale=self._stale(),
            degraded=feed.degraded or self._prices.degraded,
        )

    async def wait(self, *, seen: int | None, opened: int | None, levels: ExitLevels, was_stale: bool) -> Wake:
        """Wait until there is something to judge, as `domain.ports.Subscription` says. May be cancelled."""
        self._seen, self._was_stale = seen, was_stale
        # Levels belong to the time after the last judged candle and after the entry: older prices touch none.
        judged_until = 0 if seen is None else next_open(seen, self._feed.key.interval)
        self._floor = max(judged_until, opened or 0)
        self._watch(levels)
        if (wake := self._due()) is not None:
            return wake
        self._future = asyncio.get_running_loop().create_future()
        try:
            return await self._future
        finally:
            self._future = None

    def notify(self) -> None:
        """Look again, because the feed has changed."""
        if self._future is not None and not self._future.done() and (wake := self._due()) is not None:
            self._future.set_result(wake)

    def _watch(self, levels: ExitLevels) -> None:
        if levels != self._levels:
            self._levels = levels
            self._feed.book.put(self.number, levels)
            self._prices.arm(self.number, armed=levels != _NO_LEVELS)

    def _due(self) -> Wake | None:
        if (hit := self._hit()) is not None:
            return hit
        closed = self._feed.series.closed.last
        if closed is not None and (self._seen is None or closed > self._seen) and self._reaches():
            return "candle"
        if (stale := self._stale()) != self._was_stale:
            return "stale" if stale else "fresh"
        return None

    def _hit(self) -> LevelHit | None:
        if self._levels is _NO_LEVELS:
            return None
        feed, running = self._feed, self._feed.series.running
        if running is not None and running.open_time >= self._floor:
            found = crossing(self._levels, running.open)
            if found is not None:
                return LevelHit(found.rule, running.open, running.open_time, running.open_time)
        if feed.price is None or feed.price_at is None or feed.price_at < self._floor or feed.awaits_opening():
            return None
        found = crossing(self._levels, feed.price)
        if found is None:
            return None
        return LevelHit(found.rule, found.level, open_time(feed.price_at, feed.key.interval), feed.price_at)

    def _reaches(self) -> bool:
        self._reached = self._reached or self._feed.series.reaches(self.reach)
        return self._reached

    def _stale(self) -> bool:
        return self._feed.stale or (self._feed.degraded is not None and not self._reaches())
