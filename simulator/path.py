"""How the price moves inside one candle: open, low, high, close, in straight lines of equal duration.

The low is reached after exactly one third of the candle and the high after two thirds: the order that is
worse for a long position, whose stop is tried before its target. Volume accrues evenly. At the instant of
the open the price is the open, and nothing has traded yet.
"""

import numpy as np

from simulator.candles import Candle, Candles, Ints


def price_at(candle: Candle, elapsed_ms: int, length_ms: int) -> int:
    """Return the price of a candle of `length_ms` when `elapsed_ms` of it have passed (0 to `length_ms`)."""
    thirds = 3 * elapsed_ms
    if thirds <= length_ms:
        return candle.open + _divide((candle.low - candle.open) * thirds, length_ms)
    if thirds <= 2 * length_ms:
        return candle.low + _divide((candle.high - candle.low) * (thirds - length_ms), length_ms)
    return candle.high + _divide((candle.close - candle.high) * (thirds - 2 * length_ms), length_ms)


def part(candle: Candle, start_ms: int, end_ms: int, length_ms: int) -> Candle:
    """Return what happened in a candle of `length_ms` between two moments, counted from its open."""
    first, last = price_at(candle, start_ms, length_ms), price_at(candle, end_ms, length_ms)
    high, low = max(first, last), min(first, last)
    if 3 * start_ms <= length_ms <= 3 * end_ms:
        low = candle.low
    if 3 * start_ms <= 2 * length_ms <= 3 * end_ms:
        high = candle.high
    traded = _divide(candle.volume * end_ms, length_ms) - _divide(candle.volume * start_ms, length_ms)
    quote = traded * (first + high + low + last) / 4
    return Candle(candle.open_time + start_ms, first, high, low, last, traded, quote)


def split(candles: Candles, length_ms: int, part_ms: int) -> Candles:
    """Return the candles of a finer interval, `part_ms`, of which `length_ms` is a multiple: `part` in columns."""
    starts = np.arange(0, length_ms, part_ms, dtype=np.int64)
    ends = starts + part_ms
    first, last = _prices_at(candles, starts, length_ms), _prices_at(candles, ends, length_ms)
    has_low = (3 * starts <= length_ms) & (length_ms <= 3 * ends)
    has_high = (3 * starts <= 2 * length_ms) & (2 * length_ms <= 3 * ends)
    low = np.where(has_low, candles.low[:, None], np.minimum(first, last))
    high = np.where(has_high, candles.high[:, None], np.maximum(first, last))
    # Volume in float would lose units above 2**53, in integers volume * elapsed could overflow: share it instead.
    count = length_ms // part_ms
    whole, rest = np.divmod(candles.volume, count)
    index = np.arange(count + 1, dtype=np.int64)
    shared = whole[:, None] * index + _divides(rest[:, None] * index, count)
    opens = candles.open_time[:, None] + starts
    prices = (first.ravel(), high.ravel(), low.ravel(), last.ravel())
    return Candles.of(opens.ravel(), prices, np.diff(shared, axis=1).ravel())


def _prices_at(candles: Candles, elapsed: Ints, length_ms: int) -> Ints:
    open_, high, low, close = (c[:, None] for c in (candles.open, candles.high, candles.low, candles.close))
    thirds = 3 * elapsed
    falling = open_ + _divides((low - open_) * thirds, length_ms)
    rising = low + _divides((high - low) * (thirds - length_ms), length_ms)
    closing = high + _divides((close - high) * (thirds - 2 * length_ms), length_ms)
    return np.where(thirds <= length_ms, falling, np.where(thirds <= 2 * length_ms, rising, closing))


def _divide(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _divides(numerator: Ints, denominator: int) -> Ints:
    return (2 * numerator + denominator) // (2 * denominator)
