"""Candles as columns of integers, and the two ways between intervals: aggregation and the path inside a candle.

Prices are integers in units of 10**-price_decimals and volumes in units of 10**-volume_decimals, so that
sums are exact and a price that came from a file leaves as it came.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from domain.intervals import DAY_MS, WEEK_MS, interval_ms

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Day zero of Unix time was a Thursday; weekly candles open on Mondays.
_FIRST_MONDAY_MS = 4 * DAY_MS


class Candle(NamedTuple):
    """One candle. `quote` is turnover: price units times volume units."""

    open_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: float


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles in columns of equal length, ordered by open time (milliseconds UTC)."""

    open_time: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    quote: Floats

    @classmethod
    def of(cls, open_time: Ints, prices: tuple[Ints, Ints, Ints, Ints], volume: Ints) -> Self:
        """Make candles of open, high, low, close; their turnover is the volume at the mean of the four."""
        open_, high, low, close = prices
        return cls(open_time, open_, high, low, close, volume, volume * ((open_ + high + low + close) / 4))

    @classmethod
    def concat(cls, parts: Iterable[Self]) -> Self:
        """Join candles that follow one another."""
        blocks = list(parts)
        if len(blocks) == 1:
            return blocks[0]
        if not blocks:
            none = np.empty(0, np.int64)
            return cls(none, none, none, none, none, none, np.empty(0, np.float64))
        return cls(
            np.concatenate([block.open_time for block in blocks]),
            np.concatenate([block.open for block in blocks]),
            np.concatenate([block.high for block in blocks]),
            np.concatenate([block.low for block in blocks]),
            np.concatenate([block.close for block in blocks]),
            np.concatenate([block.volume for block in blocks]),
            np.concatenate([block.quote for block in blocks]),
        )

    def __len__(self) -> int:
        return len(self.open_time)

    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Floats]:
        """Return the columns in the order of `Candle`."""
        return self.open_time, self.open, self.high, self.low, self.close, self.volume, self.quote

    def rows(self, start: int, stop: int) -> Self:
        """Return the candles at positions `start` to `stop` (excluded), without copying."""
        at = slice(start, stop)
        return type(self)(
            self.open_time[at],
            self.open[at],
            self.high[at],
            self.low[at],
            self.close[at],
            self.volume[at],
            self.quote[at],
        )

    def between(self, start_ms: int, end_ms: int) -> Self:
        """Return the candles that open at `start_ms` or later and before `end_ms`, without copying."""
        first, last = self.open_time.searchsorted((start_ms, end_ms))
        return self.rows(int(first), int(last))

    def row(self, index: int) -> Candle:
        """Return one candle as plain numbers."""
        return Candle(*(column[index].item() for column in self.columns()))


def open_times(moments: Ints, interval: str) -> Ints:
    """Return, for each moment, the open time of the candle it falls into: `domain.intervals.open_time` in columns."""
    if interval.endswith("M"):
        months = moments.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        months -= months % int(interval[:-1])
        return months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    length = interval_ms(interval)
    shift = _FIRST_MONDAY_MS if interval.endswith("w") else 0
    return (moments - shift) // length * length + shift


def divisor_ms(interval: str) -> int:
    """Return the length that every candle of `interval` is a whole number of: a day for weeks and months."""
    length = interval_ms(interval)
    return DAY_MS if interval.endswith("M") or length % WEEK_MS == 0 else length


def aggregate(candles: Candles, interval: str) -> Candles:
    """Return the candles of a coarser interval; where no finer candle exists, there is no coarser one either."""
    if not len(candles):
        return candles
    opens = open_times(candles.open_time, interval)
    firsts = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    lasts = np.append(firsts[1:], len(candles)) - 1
    return Candles(
        opens[firsts],
        candles.open[firsts],
        np.maximum.reduceat(candles.high, firsts),
        np.minimum.reduceat(candles.low, firsts),
        candles.close[lasts],
        np.add.reduceat(candles.volume, firsts),
        np.add.reduceat(candles.quote, firsts),
    )


def fold(candles: Candles) -> Candle | None:
    """Return all candles as one that opens with the first; None when there is none."""
    if not len(candles):
        return None
    return Candle(
        int(candles.open_time[0]),
        int(candles.open[0]),
        int(candles.high.max()),
        int(candles.low.min()),
        int(candles.close[-1]),
        int(candles.volume.sum()),
        float(candles.quote.sum()),
    )


def merge(parts: Iterable[Candle], open_time: int) -> Candle | None:
    """Return candles that follow one another as one that opens at `open_time`; None when there is none."""
    pieces = list(parts)
    if not pieces:
        return None
    return Candle(
        open_time,
        pieces[0].open,
        max(piece.high for piece in pieces),
        min(piece.low for piece in pieces),
        pieces[-1].close,
        sum(piece.volume for piece in pieces),
        sum(piece.quote for piece in pieces),
    )
