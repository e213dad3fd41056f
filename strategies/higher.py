"""Longer candles made of shorter ones, each known only once it is closed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.candles import Candles
from domain.intervals import DAY_MS, interval_ms, open_time
from strategies.arrays import Flags, Floats
from strategies.clock import candle_lengths
from strategies.indicators import atr

_Indices = NDArray[np.intp]
_Times = NDArray[np.int64]
_MONTHS_BEFORE_1970 = 1970 * 12


class HigherCandles(NamedTuple):
    """Closed longer candles, oldest first; `known_from` is the index of the shorter candle that each is known from."""

    high: Floats
    low: Floats
    close: Floats
    known_from: _Indices


def fits(interval: str, candle_ms: Floats | float) -> Flags | bool:
    """Return whether candles of an interval can be made of candles of so many milliseconds.

    They can if their length is a whole multiple; weeks and months are made of what divides a day.
    """
    whole = DAY_MS if interval[-1] in "wM" else interval_ms(interval)
    return whole % candle_ms == 0


def higher_candles(candles: Candles, interval: str) -> HigherCandles:
    """Return the closed candles of a longer interval, aligned to the clock as an exchange's are.

    A longer candle is closed by the candle that ends when it does, or, if that one is missing, by the next one that
    there is. The first is left out unless its first candle is there. How long candles last is told by the smallest time
    between two of them so far, so that no value depends on a later candle.
    """
    times, count = candles.open_time, len(candles)
    opens, ends = _bounds(times, interval)
    begins = np.ones(count, dtype=np.bool_)
    begins[1:] = opens[1:] != opens[:-1]
    begins[:1] = times[:1] == opens[:1]
    starts = begins.nonzero()[0]
    following = np.concatenate([starts[1:], [count]])[: len(starts)]
    closers = np.concatenate([(times + candle_lengths(candles) >= ends).nonzero()[0], [count]])
    closer = closers[closers.searchsorted(starts)]
    closed_in_time = closer < following
    known_from = np.where(closed_in_time, closer, following)
    behind = known_from + closed_in_time
    if len(starts) and known_from[-1] == count:  # the last one is not over
        starts, known_from, behind = starts[:-1], known_from[:-1], behind[:-1]
    # Pairs of start and end; what lies between two pairs is reduced too, and skipped.
    pairs = np.empty(2 * len(starts), dtype=np.intp)
    pairs[::2], pairs[1::2] = starts, behind
    return HigherCandles(
        high=np.maximum.reduceat(np.concatenate([candles.high, [-np.inf]]), pairs)[::2],
        low=np.minimum.reduceat(np.concatenate([candles.low, [np.inf]]), pairs)[::2],
        close=candles.close[behind - 1],
        known_from=known_from,
    )


def higher_atr(candles: Candles, interval: str, period: int) -> Floats:
    """Return, for each candle, Wilder's average true range of the longer candles that are closed by then.

    NaN where there is none yet, and where the candles do not fit into the longer ones.
    """
    values, times = np.full(len(candles), np.nan), candles.open_time
    if not len(times) or times[-1] - times[0] < period * interval_ms(interval) // 2:
        return values  # nowhere near enough of them, not even of short months
    higher = higher_candles(candles, interval)
    if len(higher.close) > period:
        ranges = atr(higher.high, higher.low, higher.close, period)
        known = higher.known_from
        lasting = np.concatenate([known[1:], [len(candles)]]) - known
        values[known[0] :] = np.repeat(ranges, lasting)
        values[~fits(interval, candle_lengths(candles))] = np.nan
    return values


def _bounds(times: _Times, interval: str) -> tuple[_Times, _Times]:
    """Return when the longer candle of each candle opens and ends: `open_time` and `next_open` for many at once."""
    if interval.endswith("M"):
        months = int(interval[:-1])
        month = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64) + _MONTHS_BEFORE_1970
        first = month // months * months
        return _month_start(first), _month_start(first + months)
    length = interval_ms(interval)
    shift = open_time(length * 10, interval) % length
    opens = (times - shift) // length * length + shift
    return opens, opens + length


def _month_start(month: _Times) -> _Times:
    start: _Times = (month - _MONTHS_BEFORE_1970).astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    return start
