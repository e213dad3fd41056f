"""The candles and prices of one symbol and interval: followed once for all bots of the process.

After each interval boundary of the venue's clock the feed asks for what is new, and asks again until it knows both
the candle that has closed and the open of the one that has begun. Failures never reach a subscriber: the feed tries
again, says `degraded`, and in time `stale`.

A boundary is judged in one order, always: the open that has become known against the levels, then the last price,
then the closed candle. So a price of the new candle waits until the feed has asked for that candle's open, at which
a position is left that has gapped through its stop.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import SteadyhandError
from domain.intervals import interval_ms, next_open, open_time
from domain.model import Price
from domain.ports import FeedKey
from market.clock import Clock
from market.levels import LevelBook
from market.outage import Outage, VenueHealth
from market.series import CandleSeries
from market.settings import MarketSettings
from market.subscriber import Subscriber
from market.venue import VenueData
from market.waiting import end, sleep_until_or

log = logging.getLogger(__name__)

_STALE_INTERVALS = 3
# Milliseconds of the venue's clock between questions for a candle that is not there yet: twice as long each time.
_FIRST_RETRY_MS = 250
# With retries longer than this the open of a candle is late: prices wait for it no longer.
_PATIENCE_MS = 500
# Real seconds that a price may wait for the open of its candle, should the venue be slow to tell it.
_HOLD_SECONDS = 2.0


class Feed:
    """One feed. Subscribers read its attributes, and look again when they are told that these have changed.

    Attributes:
        series: the candles.
        price, price_at: the last price, and the venue's time at which it was asked for.
        stale: loading has failed, or the newest candle is older than three intervals.
        book: levels of those subscribers that have any.
    """

    def __init__(
        self, key: FeedKey, venue: VenueData, clock: Clock, *, settings: MarketSettings, health: VenueHealth
    ) -> None:
        self.key = key
        self.clock = clock
        self.series = CandleSeries(key, venue)
        self.price: Price | None = None
        self.price_at: int | None = None
        self.stale = False
        self.book = LevelBook()
        self._length = interval_ms(key.interval)
        self._settle_ms = settings.settle_ms
        self._outage = Outage(f"{key.symbol} {key.interval}", health)
        self._subscribers: dict[int, Subscriber] = {}
        self._asked_through = -1
        self._retry_ms = _FIRST_RETRY_MS
        self._held_since: float | None = None
        self._published: tuple[object, ...] = ()
        self._nudge = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> str | None:
        """Why candles cannot be read now; None while they can."""
        return self._outage.reason

    @property
    def idle(self) -> bool:
        """Return whether nobody listens."""
        return not self._subscribers

    def start(self) -> None:
        """Begin to load and to follow."""
        self._task = asyncio.create_task(self._run(), name=f"feed {self.key.symbol} {self.key.interval}")

    async def close(self) -> None:
        """Stop following."""
        task, self._task = self._task, None
        await end(task)
        self._outage.close()

    @contextmanager
    def joined(self, subscriber: Subscriber) -> Iterator[None]:
        """Tell the subscriber of changes while the block lasts, and load what it needs."""
        self._subscribers[subscriber.number] = subscriber
        if not self.series.reaches(subscriber.reach):
            self._nudge.set()
        try:
            yield
        finally:
            del self._subscribers[subscriber.number]
            self.book.discard(subscriber.number)

    def on_price(self, price: Price, at: int) -> None:
        """Take a price in, and wake those whose levels it has crossed.

        Args:
            at: the venue's time at which it was asked for, milliseconds UTC.
        """
        self.price, self.price_at = price, at
        self._judge_price()

    def awaits_opening(self) -> bool:
        """Return whether the last price waits for the open of its candle to be known.

        The wait ends when the feed knows that open, or its question has failed, or has been asked three times within
        a second of the venue's clock; and after two real seconds anyhow.
        """
        if self.price_at is None:
            return False
        begun = open_time(self.price_at, self.key.interval)
        running = self.series.running
        if self._asked_through >= begun or (running is not None and running.open_time >= begun):
            self._held_since = None
            return False
        now = asyncio.get_running_loop().time()
        self._held_since = now if self._held_since is None else self._held_since
        return now - self._held_since < _HOLD_SECONDS

    async def _run(self) -> None:
        while True:
            self._nudge.clear()
            try:
                await self.clock.ready()
                asked_at = await self._ask()
            except Exception as error:  # whatever it was: a dead feed would be a blind bot
                delay = self._failed(error)
                self._publish(self.clock.now_ms())
                await asyncio.sleep(delay)
            else:
                self._outage.over()
                self._publish(asked_at)
                await sleep_until_or(self.clock, self._next_question(asked_at), self._nudge)

    async def _ask(self) -> int:
        """Ask for what is new; return when that was, on the venue's clock."""
        asked_at = self.clock.now_ms()
        reaches = {subscriber.reach for subscriber in self._subscribers.values()}
        settled = True
        try:
            await self.series.refresh(asked_at, error_ms=self.clock.error_ms, reaches=reaches)
            settled = self.series.complete(asked_at) or self._retry_ms > _PATIENCE_MS
        finally:
            if settled:
                self._asked_through = open_time(asked_at, self.key.interval)
        newest = self.series.newest
        if newest is not None and newest > asked_at + self.clock.error_ms:
            self.clock.suspect()
        return asked_at

    def _failed(self, error: Exception) -> float:
        if self._outage.reason is None and not isinstance(error, SteadyhandError):
            log.error("feed of %s %s failed", self.key.symbol, self.key.interval, exc_info=error)
        return self._outage.failed(error)

    def _next_question(self, asked_at: int) -> int:
        boundary = next_open(asked_at, self.key.interval) + self._settle_ms
        if self.series.complete(asked_at):
            self._retry_ms = _FIRST_RETRY_MS
            return boundary
        moment = min(boundary, asked_at + self._retry_ms)
        self._retry_ms = min(2 * self._retry_ms, max(_FIRST_RETRY_MS, self._length // 4))
        return moment

    def _publish(self, now: int) -> None:
        """Tell the subscribers, if anything is other than it was."""
        series, newest = self.series, self.series.newest
        self.stale = now - newest > _STALE_INTERVALS * self._length if newest is not None else self._blind()
        begun = None if series.running is None else series.running.open_time
        state = (series.closed.first, series.closed.last, begun, self.stale, self.degraded is None)
        if state != self._published:
            self._published = state
            for subscriber in list(self._subscribers.values()):
                subscriber.notify()
        self._judge_price()

    def _blind(self) -> bool:
        """Return whether there is no candle although the venue was asked for some."""
        return self.series.loaded or self.degraded is not None

    def _judge_price(self) -> None:
        if self.price is None or not len(self.book) or self.awaits_opening():
            return
        for number in self.book.crossed(self.price):
            self._subscribers[number].notify()
