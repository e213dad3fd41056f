"""Higher timeframes: candles of a longer interval made of shorter ones, never known before they are closed.

They open where the clock says (domain/intervals.py): 4h at 00:00, 04:00 … UTC, weeks on Mondays, months on the 1st.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domain.candles import Candles
from domain.intervals import DAY_MS, interval_ms, open_time
from strategies.arrays import Floats

Times: TypeAlias = NDArray[np.int64]

_EPOCH_MONTHS = 1970 * 12


@dataclass(frozen=True, slots=True)
class HigherCandles:
    """Closed candles of a longer interval.

    Attributes:
        candles: oldest first; the first is one that the shorter candles cover from its beginning.
        last: for each shorter candle the index of the newest closed longer one, once itself is closed; -1 for none.
    """

    candles: Candles
    last: Times

    def spread(self, values: Floats) -> Floats:
        """Return for each shorter candle the value of the newest closed longer one; NaN where there is none."""
        if len(values) == 0:
            return np.full(len(self.last), np.nan)
        known: Floats = np.where(self.last >= 0, values[self.last], np.nan)
        return known


def candle_length(candles: Candles) -> int:
    """Return how long the candles are, in milliseconds: what all their distances are multiples of; 0 for under two.

    Candles are missing where nothing was traded, so no single distance tells. For months it is a divisor, days.
    """
    return int(np.gcd.reduce(candles.open_time[1:] - candles.open_time[:-1]))


def check_multiple(higher: str, interval: str) -> None:
    """Check that candles of `higher` are made of whole candles of `interval`.

    Raises:
        ValueError: they are not; says what was found and expected.
    """
    length = interval_ms(interval)
    unit = DAY_MS if higher.endswith(("w", "M")) and not interval.endswith(higher[-1]) else length
    fits = interval_ms(higher) % length == 0 and unit % length == 0
    if not fits or (interval.endswith("M") and not higher.endswith("M")):
        raise ValueError(f"a higher timeframe must be a multiple of the interval {interval}; was {higher}")


def aggregate(candles: Candles, interval: str, length: int) -> HigherCandles:
    """Return the closed candles of a longer interval.

    One closes with the shorter candle that ends where it ends; if that one is missing, with the next there is. A first
    one whose beginning is not among the candles is left out: its high and volume would depend on where they begin.

    Args:
        interval: the longer interval, a multiple of the shorter.
        length: of the shorter candles, in milliseconds; see `candle_length`.
    """
    if len(candles) == 0:
        return HigherCandles(candles, np.empty(0, dtype=np.int64))
    opens, ends = _bounds(candles.open_time, interval)
    is_first = np.ones(len(candles), dtype=np.bool_)
    np.not_equal(opens[1:], opens[:-1], out=is_first[1:])
    begins, place = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    closed = candles.open_time + length >= ends if length > 0 else np.zeros(len(candles), dtype=np.bool_)
    partial = int(candles.open_time[0] != opens[0])
    last = np.where(closed, place, place - 1) - partial
    higher = _merged(candles, opens, begins)[partial : int(last[-1]) + 1 + partial]
    return HigherCandles(higher, np.maximum(last, -1))


def _merged(candles: Candles, opens: Times, begins: Times) -> Candles:
    ends = np.append(begins[1:], len(candles)) - 1
    return Candles(
        opens[begins],
        candles.open[begins],
        np.maximum.reduceat(candles.high, begins),
        np.minimum.reduceat(candles.low, begins),
        candles.close[ends],
        np.add.reduceat(candles.volume, begins),
    )


def _bounds(times: Times, interval: str) -> tuple[Times, Times]:
    """Return for each moment the open time of the interval's candle around it, and of the one after."""
    if interval.endswith("M"):
        months, step = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64), int(interval[:-1])
        first = (months + _EPOCH_MONTHS) // step * step - _EPOCH_MONTHS
        return _month_starts(first), _month_starts(first + step)
    length = interval_ms(interval)
    shift = open_time(0, interval)
    opens = (times - shift) // length * length + shift
    return opens, opens + length


def _month_starts(months: Times) -> Times:
    return months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
