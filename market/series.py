"""The candles of one symbol and interval as far as they are known, and how more of them are fetched."""

import logging
from collections.abc import Collection, Sequence

from domain.candles import VenueCandle
from domain.intervals import interval_ms, next_open, open_time
from domain.ports import FeedKey
from market.buffer import CandleBuffer
from market.history import fetch_range
from market.reach import Reach
from market.venue import VenueData

log = logging.getLogger(__name__)

# Candles kept beyond what is asked for: a bot that is away for some must still find its lookback before them.
_SPARE_CANDLES = 64
# So many empty stretches, each twice as long as the one before, are no gap but the beginning of the history.
_EMPTY_STRETCHES = 4


class CandleSeries:
    """Closed candles, and the one that runs.

    A candle that a later one follows is closed. One that none follows counts as closed an interval after its end:
    some venues tell a candle's last trades late, so the clock alone does not prove that it is complete.

    Attributes:
        closed: closed candles; those without a trade may be missing, and none is invented.
        running: the candle that has begun, when it has had its first trade and we have heard of it.
        loaded: something was read, if only that there is nothing.
    """

    def __init__(self, key: FeedKey, venue: VenueData) -> None:
        self.closed = CandleBuffer(_SPARE_CANDLES)
        self.running: VenueCandle | None = None
        self.loaded = False
        self._key = key
        self._venue = venue
        self._length = interval_ms(key.interval)
        self._exhausted = False

    @property
    def newest(self) -> int | None:
        """Open time of the newest candle, running or closed; None when there is none."""
        return self.running.open_time if self.running is not None else self.closed.last

    def reaches(self, reach: Reach) -> bool:
        """Return whether the candles go back so far, or as far as the venue keeps them."""
        return self.loaded and (self._exhausted or reach.missing(self.closed) <= 0)

    async def refresh(self, asked_at: int, *, error_ms: float, reaches: Collection[Reach]) -> None:
        """Fetch what is new, and what is older than all that is known if somebody wants to reach back so far.

        Args:
            asked_at: the venue's time now.
            error_ms: by how much that may be wrong.

        Raises:
            VenueUnavailable, VenueMisfit: as `VenueData.candles` does; what was fetched before stays.
        """
        self._forget_the_future(asked_at)
        for reach in reaches:
            self.closed.keep(reach.size(asked_at, self._length) + _SPARE_CANDLES)
        last = self.closed.last
        since = self._start(asked_at, reaches) if last is None else next_open(last, self._key.interval)
        self._absorb(await self._fetch(since, asked_at), asked_at - self._length - error_ms)
        self.loaded = True
        await self._reach_back(reaches)

    def complete(self, moment: int) -> bool:
        """Return whether the candle that runs at `moment` is known, and so all that closed before it."""
        return self.running is not None and self.running.open_time >= open_time(moment, self._key.interval)

    def _start(self, now: int, reaches: Collection[Reach]) -> int:
        start = min((reach.start(now, self._length) for reach in reaches), default=now - self._length)
        return max(0, open_time(max(0, start), self._key.interval))

    async def _fetch(self, since: int, until: int) -> list[VenueCandle]:
        return await fetch_range(self._venue, self._key.symbol, self._key.interval, since=since, until=until)

    def _absorb(self, candles: Sequence[VenueCandle], over_before: float) -> None:
        if not candles:
            return
        *followed, last = candles
        if next_open(last.open_time, self._key.interval) <= over_before:
            self.closed.append(candles)
            self.running = None
        else:
            self.closed.append(followed)
            self.running = last

    async def _reach_back(self, reaches: Collection[Reach]) -> None:
        """Load older candles; in a market with gaps a stretch holds fewer than it has intervals, so go on, longer."""
        stretch, empty = 1, 0
        while (missing := max((reach.missing(self.closed) for reach in reaches), default=0)) > 0:
            first = self.closed.first
            if self._exhausted or first is None or first <= 0:
                self._exhausted = True
                return
            since = open_time(max(0, first - missing * stretch * self._length), self._key.interval)
            found = self.closed.prepend(await self._fetch(max(0, since), first - 1))
            empty = 0 if found else empty + 1
            self._exhausted = empty >= _EMPTY_STRETCHES
            stretch *= 2

    def _forget_the_future(self, now: int) -> None:
        """Start anew when the venue's clock was put back (a simulator): candles to come are no past."""
        last = self.closed.last
        if last is not None and last > now + self._length:
            log.warning("%s was put back to before its candles; loading %s again", self._key.venue, self._key.symbol)
            self.closed, self.running = CandleBuffer(_SPARE_CANDLES), None
            self.loaded = self._exhausted = False
