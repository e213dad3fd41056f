"""When the price comes to a line: what resting orders wait for, found in the candles without stepping through time."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np

from simulator.candles import Candle, Candles
from simulator.source import PriceSource
from simulator.subdivide import Mask


@dataclass(frozen=True)
class Line:
    """A price in the market's units that is waited for: from above (`falling`) or from below."""

    price: int
    falling: bool

    def reached(self, price: int) -> bool:
        """Whether a price is at the line or beyond."""
        return price <= self.price if self.falling else price >= self.price

    def reached_in(self, candles: Candles) -> Mask:
        """Return for each candle whether it came to the line."""
        mask: Mask = candles.low <= self.price if self.falling else candles.high >= self.price
        return mask


def first_crossing(source: PriceSource, line: Line, after: int, until: int) -> int | None:
    """Return the first moment in (after, until] at which the price is at the line or beyond; None if it never is.

    The moment is the first whole millisecond that is not before the crossing. A line that a candle touches is
    crossed, however short the touch.
    """
    return _search(source, source.levels, line, after, until)


def _search(source: PriceSource, levels: tuple[int, ...], line: Line, after: int, until: int) -> int | None:
    """Look into those candles of the coarsest level only that come to the line, and there into the finer ones."""
    length, finer = levels[0], levels[1:]
    start = max(after, source.first_ms) // length * length
    candles = source.candles(length, start, until // length * length + length)
    for index in np.flatnonzero(line.reached_in(candles)):
        candle = candles.row(int(index))
        if finer:
            end = min(until, candle.open_time + length)
            found = _search(source, finer, line, max(after, candle.open_time - 1), end)
        else:
            found = _within(candle, length, line, after)
        if found is not None and found <= until:
            return found
    return None


def _within(candle: Candle, length: int, line: Line, after: int) -> int | None:
    for start, end in _stretches(candle, length, line):
        first = candle.open_time + ceil(start)
        if first > after:
            return first
        if after + 1 <= candle.open_time + end:
            return after + 1
    return None


def _stretches(candle: Candle, length: int, line: Line) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield from when to when the price is beyond the line, in ms from the open, on its way (`simulator.path`)."""
    corners = (candle.open, candle.low, candle.high, candle.close)
    for third, (first, last) in enumerate(pairwise(corners)):
        begin, end = (Fraction(length * step, 3) for step in (third, third + 1))
        if line.reached(first) and line.reached(last):
            yield begin, end
        elif line.reached(first) or line.reached(last):
            crossing = begin + (end - begin) * Fraction(line.price - first, last - first)
            yield (begin, crossing) if line.reached(first) else (crossing, end)
