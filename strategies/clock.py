"""How long candles last, told from when they open: strategies are not told the interval."""

import numpy as np

from domain.candles import Candles
from domain.intervals import MINUTE_MS
from strategies.arrays import Floats


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


def minutes_held(candle_time: int, signal_time: int) -> float:
    """Return how many minutes of a position are over when a candle closes: from the close of the signal's to its own.

    Not from the fill: a live bot buys a moment after the candle has opened, and would leave one candle later than a
    backtest for that. Both are open times, in milliseconds UTC; as candles are equally long, closes lie as far apart.
    """
    return (candle_time - signal_time) / MINUTE_MS
