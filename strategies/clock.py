"""How long candles last, told from when they open: strategies are not told the interval."""

import numpy as np

from domain.candles import Candles
from domain.intervals import MINUTE_MS
from strategies.arrays import Floats

LENGTH_WARMUP = 10
"""The candles among which two follow each other without a gap, for all that is likely."""


def candle_lengths(candles: Candles) -> Floats:
    """Return the length of a candle as far as each candle knows it, in milliseconds; NaN on the first.

    It is the smallest time between two openings so far: where a candle is missing, the next ones tell.
    """
    lengths, times = np.empty(len(candles)), candles.open_time
    lengths[:1] = np.nan
    steps = times[1:] - times[:-1]
    # Most often the first two follow each other without a gap, and there is no need to look step by step.
    lengths[1:] = steps[:1] if len(steps) and steps.min() == steps[0] else np.minimum.accumulate(steps)
    return lengths


def close_times(candles: Candles) -> Floats:
    """Return when each candle closes, in milliseconds UTC; NaN on the first. A month counts as its shortest."""
    return candles.open_time + candle_lengths(candles)


def minutes_held(close_time: float, opened_at: int) -> float:
    """Return for how long a position has been held when a candle closes; both in milliseconds UTC."""
    return (close_time - opened_at) / MINUTE_MS
