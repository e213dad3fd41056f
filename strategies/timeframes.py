"""Higher timeframes: candles of a longer interval made of shorter ones, never known before they are closed.

They open where the clock says (domain/intervals.py): 4h at 00:00, 04:00 … UTC, weeks on Mondays, months on the 1st.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domain.candles import Candles
from domain.intervals import DAY_MS, WEEK_MS, interval_ms, open_time
from strategies.arrays import Flags, Floats
from strategies.clock import candle_lengths
from strategies.indicators import atr

Times: TypeAlias = NDArray[np.int64]

_EPOCH_MONTHS = 1970 * 12
_SHORTEST_MONTH_MS = 28 * DAY_MS


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


def misfit(higher: str, interval: str) -> str | None:
    """Return what `higher` must be instead, if its candles cannot be made of those of `interval`; None: they can."""
    length, unit = interval_ms(interval), higher[-1]
    if interval[-1] in "wM":  # these open by a calendar of their own
        fits = unit == interval[-1] and interval_ms(higher) % length == 0
    elif unit in "wM":
        return None if DAY_MS % length == 0 else "made of candles that divide a day"
    else:
        fits = interval_ms(higher) % length == 0
    return None if fits else "a multiple of the candles' interval"


def candles_within(higher: str, interval: str) -> int:
    """Return how many candles of `interval` the longest candle of `higher` is made of, at most."""
    longest = interval_ms(higher) + (DAY_MS * int(higher[:-1]) if higher.endswith("M") else 0)
    return -(-longest // interval_ms(interval))


def aggregate(candles: Candles, interval: str, lengths: Floats) -> HigherCandles:
    """Return the closed candles of a longer interval.

    One closes with the shorter candle that ends where it ends; if that one is missing, with the next there is. A first
    one whose beginning is not among the candles is left out: its high and volume would depend on where they begin.
    None is known while the candles seem not to fit into it.

    Args:
        interval: the longer interval, a multiple of the shorter.
        lengths: of the shorter candles, in milliseconds, as far as each of them knows: see `candle_lengths`.
    """
    if len(candles) == 0:
        return HigherCandles(candles, np.empty(0, dtype=np.int64))
    opens, ends = _bounds(candles.open_time, interval)
    is_first = np.ones(len(candles), dtype=np.bool_)
    np.not_equal(opens[1:], opens[:-1], out=is_first[1:])
    closed = candles.open_time + lengths >= ends
    place = np.cumsum(is_first)
    late = _late(closed, is_first)
    if late is not None:
        closed |= late
        kept = ~late
        candles, opens, is_first = _chosen(candles, kept), opens[kept], is_first[kept]
    partial = int(candles.open_time[0] != opens[0])
    last: Times = place - np.where(closed, 1 + partial, 2 + partial)
    higher = _merged(candles, opens, is_first)[partial : int(last[-1]) + 1 + partial]
    np.maximum(last, -1, out=last)
    _forget_misfits(last, interval, lengths)
    return HigherCandles(higher, last)


def higher_atr(candles: Candles, interval: str, period: int) -> Floats:
    """Return for each candle Wilder's average true range of the longer candles closed by then; NaN where none is."""
    times = candles.open_time
    # Nowhere near enough of them, not even of short months: the fast way out.
    if not len(times) or times[-1] - times[0] < period * interval_ms(interval) // 2:
        return np.full(len(times), np.nan)
    higher = aggregate(candles, interval, candle_lengths(candles))
    if len(higher.candles) <= period:
        return np.full(len(times), np.nan)
    return higher.spread(atr(higher.candles.high, higher.candles.low, higher.candles.close, period))


def _forget_misfits(last: Times, interval: str, lengths: Floats) -> None:
    known = lengths[1:]
    if len(known) == 0:
        return
    is_same = known[0] == known[-1]  # lengths only fall
    begins = [0] if is_same else np.flatnonzero(np.diff(known, prepend=np.nan)).tolist()
    for begin, end in zip(begins, [*begins[1:], len(known)], strict=True):
        if not _may_fit(interval, known.item(begin)):
            last[begin + 1 : end + 1] = -1


def _may_fit(interval: str, length: float) -> bool:
    """Return whether candles that last so long may fit into longer ones; of unknown length, NaN, they do not."""
    if interval.endswith("w"):
        return DAY_MS % length == 0 or (length % WEEK_MS == 0 and interval_ms(interval) % length == 0)
    if interval.endswith("M"):
        return DAY_MS % length == 0 or length >= _SHORTEST_MONTH_MS
    return interval_ms(interval) % length == 0


def _late(closed: Flags, is_first: Flags) -> Flags | None:
    """Return which candles come after the one that has closed their longer candle; None if none does.

    A gap had made candles seem longer than they are. What was known must not change, so the late ones count nowhere.
    """
    if not np.greater(closed[:-1], is_first[1:]).any():  # closed, and the next one begins nothing
        return None
    closed_before: Times = np.cumsum(closed) - closed
    begins = np.maximum.accumulate(np.where(is_first, np.arange(len(closed)), 0))
    late: Flags = closed_before > closed_before[begins]
    return late


def _chosen(candles: Candles, chosen: Flags) -> Candles:
    return Candles(*(getattr(candles, name)[chosen] for name in Candles.__slots__))


def _merged(candles: Candles, opens: Times, is_first: Flags) -> Candles:
    begins = np.flatnonzero(is_first)
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
