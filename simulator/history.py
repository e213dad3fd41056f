"""What one symbol has traded until a moment: candles of any interval, with the one in progress, and the price.

A source knows its future; a history never shows it. Every method takes the moment to look from, `now`.
"""

from collections.abc import Callable, Iterator
from math import gcd

from domain.intervals import DAY_MS, HOUR_MS, interval_ms, next_open, open_time
from simulator import path
from simulator.candles import Candle, Candles, aggregate, divisor_ms, fold, merge
from simulator.recent import Recent
from simulator.source import PriceSource

# A chunk holds 500 candles or more, so that the longest answer (1,000) touches three.
_CHUNK_CANDLES = 500
_CHUNKS_KEPT = 48


class Chunk:
    """Candles of one interval that open in one span of time, and their lines of JSON once somebody asked for them."""

    def __init__(self, candles: Candles) -> None:
        self.candles = candles
        self._lines: list[str | None] = [None] * len(candles)

    def lines(self, first: int, last: int, write: Callable[[Candle], str]) -> list[str]:
        """Return the candles at positions `first` to `last` (excluded) as `write` puts them; each written once."""
        for index in range(first, last):
            if self._lines[index] is None:
                self._lines[index] = write(self.candles.row(index))
        return [line for line in self._lines[first:last] if line is not None]


class History:
    """Candles and prices of one symbol."""

    def __init__(self, source: PriceSource) -> None:
        self.source = source
        self._base_ms = source.levels[-1]
        self._chunks: Recent[tuple[str, int], Chunk] = Recent(_CHUNKS_KEPT)
        self._latest: tuple[int, Candle | None] = (-1, None)

    def price(self, now: int) -> int:
        """Return the last price; before the first candle, the price at which it will open."""
        candle = self._base_candle(now)
        if candle is not None:
            return path.price_at(candle, now - candle.open_time, self._base_ms)
        return self._last_close(now)

    def in_progress(self, interval: str, now: int) -> Candle | None:
        """Return the candle of `interval` that `now` falls into, as far as it has come; None while nothing traded."""
        return self.window(open_time(now, interval), now)

    def window(self, start: int, now: int) -> Candle | None:
        """Return all that happened from `start` until `now` as one candle; None when nothing did."""
        return merge(self._pieces(start, now), start)

    def lines(
        self, interval: str, *, now: int, start: int | None, end: int | None, limit: int, write: Callable[[Candle], str]
    ) -> list[str]:
        """Return up to `limit` candles that open in [start, end], oldest first, as `write` puts them.

        The first ones from `start` when it is given, else the latest ones. The candle in progress is the last.
        """
        current = open_time(now, interval)
        last = current if end is None else min(end, current)
        tail: list[str] = []
        if last == current and (start is None or start <= current):
            candle = self.in_progress(interval, now)
            tail = [] if candle is None else [write(candle)]
        newest = min(last, current - 1)
        if start is not None:
            return (self._forward(interval, start, newest, limit, write) + tail)[:limit]
        return self._backward(interval, newest, limit - len(tail), write) + tail

    def _forward(self, interval: str, start: int, newest: int, limit: int, write: Callable[[Candle], str]) -> list[str]:
        found: list[str] = []
        span = _span_ms(interval)
        start, newest = self._clip(interval, start, newest)
        for index in range(start // span, newest // span + 1):
            chunk = self._chunk(interval, index)
            first, stop = chunk.candles.open_time.searchsorted((start, newest + 1))
            found += chunk.lines(int(first), min(int(stop), int(first) + limit - len(found)), write)
            if len(found) >= limit:
                break
        return found

    def _backward(self, interval: str, newest: int, limit: int, write: Callable[[Candle], str]) -> list[str]:
        found: list[str] = []
        span = _span_ms(interval)
        oldest, newest = self._clip(interval, 0, newest)
        for index in range(newest // span, oldest // span - 1, -1):
            if len(found) >= limit:
                break
            chunk = self._chunk(interval, index)
            stop = int(chunk.candles.open_time.searchsorted(newest + 1))
            found = chunk.lines(max(0, stop - limit + len(found)), stop, write) + found
        return found

    def _clip(self, interval: str, start: int, newest: int) -> tuple[int, int]:
        """Keep a search inside the time that the source covers."""
        end = self.source.end_ms
        return max(start, open_time(self.source.first_ms, interval)), newest if end is None else min(newest, end - 1)

    def _chunk(self, interval: str, index: int) -> Chunk:
        return self._chunks.get((interval, index), self._make_chunk)

    def _make_chunk(self, key: tuple[str, int]) -> Chunk:
        interval, index = key
        span = _span_ms(interval)
        return Chunk(self._whole_candles(interval, index * span, (index + 1) * span))

    def _whole_candles(self, interval: str, start: int, end: int) -> Candles:
        """Return the candles of `interval` that open in [start, end), aggregated or split from the source's."""
        first = start if open_time(start, interval) == start else next_open(start, interval)
        stop = next_open(open_time(end - 1, interval), interval)
        unit = divisor_ms(interval)
        level = next((level for level in self.source.levels if unit % level == 0), self._base_ms)
        candles = self.source.candles(level, first // level * level, -(-stop // level) * level)
        part_ms = gcd(level, unit)
        if part_ms < level:
            candles = path.split(candles, level, part_ms).between(first, stop)
        if part_ms < interval_ms(interval):
            candles = aggregate(candles, interval)
        return candles

    def _pieces(self, start: int, now: int) -> Iterator[Candle]:
        """Yield what fills [start, now], the coarsest candles first, then the parts of base candles."""
        moment = max(start, self.source.first_ms)
        if moment % self._base_ms:
            edge = moment // self._base_ms * self._base_ms
            yield from self._part(moment, min(now, edge + self._base_ms))
            moment = edge + self._base_ms
        for level in self.source.levels:
            stop = now // level * level
            if moment % level == 0 and moment < stop:
                whole = fold(self.source.candles(level, moment, stop))
                if whole is not None:
                    yield whole
                moment = stop
        if moment <= now:
            yield from self._part(moment, now)

    def _part(self, start: int, end: int) -> Iterator[Candle]:
        """Yield the part of a base candle from `start` to `end`, which is its whole remainder at most."""
        candle = self._base_candle(start)
        if candle is not None:
            yield path.part(candle, start - candle.open_time, end - candle.open_time, self._base_ms)

    def _base_candle(self, now: int) -> Candle | None:
        """Return the source's finest candle that `now` falls into; None when there is none."""
        opened = now // self._base_ms * self._base_ms
        if self._latest[0] != opened:
            found = self.source.candles(self._base_ms, opened, opened + self._base_ms)
            self._latest = (opened, found.row(0) if len(found) else None)
        return self._latest[1]

    def _last_close(self, now: int) -> int:
        first, end = self.source.first_ms, self.source.end_ms
        stop = now // self._base_ms * self._base_ms
        stop = stop if end is None else min(stop, end)
        reach = HOUR_MS // self._base_ms * self._base_ms or self._base_ms
        while stop > first:
            found = self.source.candles(self._base_ms, max(first, stop - reach), stop)
            if len(found):
                return int(found.close[-1])
            stop, reach = stop - reach, 2 * reach
        return int(self.source.candles(self._base_ms, first, first + self._base_ms).open[0])


def _span_ms(interval: str) -> int:
    """Return the time that one chunk covers: whole days of 500 candles or more, an hour for the finest."""
    length = interval_ms(interval)
    if length * _CHUNK_CANDLES <= HOUR_MS:
        return HOUR_MS
    return -(-length * _CHUNK_CANDLES // DAY_MS) * DAY_MS
