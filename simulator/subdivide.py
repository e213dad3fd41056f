"""Cut candles into finer ones that add up to them again, exactly: what makes random access over time possible.

A generator that walks from second to second must start at the beginning of time. This one goes from coarse to
fine: whoever knows a day's candle can make its minutes, and from one minute its seconds, without a look at any other.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.candles import Candles, Floats, Ints

Mask = NDArray[np.bool_]


def subdivide(
    parents: Candles, length_ms: int, *, steps: Floats, reach: Floats, weights: Floats, present: Mask
) -> Candles:
    """Return the candles inside `parents`; those of one parent have together its open, high, low, close and volume.

    All arrays have one row per parent and one column per finer candle of `length_ms`.

    Args:
        steps: the way that the price wants to go in each, in price units; what it misses the close by is spread.
        reach: how far the price gets beyond its open and close within each, upwards and downwards, in price units.
        weights: shares of the parent's volume, above 0 where something trades.
        present: False where the market is halted and there is no candle; the first and the last must be True.
    """
    count = steps.shape[1]
    path = _bridge(parents, steps)
    opens, closes = path[:, :-1], path[:, 1:]
    highs = np.maximum(opens, closes) + reach
    lows = np.minimum(opens, closes) - reach
    fitted = _fit(parents, (opens, highs, lows, closes), present)
    open_, high, low, close = (np.rint(column).astype(np.int64) for column in fitted)
    _touch(high, parents.high, np.where(present, high, np.iinfo(np.int64).min).argmax(axis=1))
    _touch(low, parents.low, np.where(present, low, np.iinfo(np.int64).max).argmin(axis=1))
    volume = _share(parents.volume, np.where(present, weights, 0.0))
    times = parents.open_time[:, None] + np.arange(count, dtype=np.int64) * length_ms
    prices = (open_[present], high[present], low[present], close[present])
    return Candles.of(times[present], prices, volume[present])


def _bridge(parents: Candles, steps: Floats) -> Floats:
    """Sum up the steps from the open so that they end at the close; busier stretches bear more of the correction."""
    path = np.zeros((len(parents), steps.shape[1] + 1))
    np.cumsum(steps, axis=1, out=path[:, 1:])
    effort = np.zeros_like(path)
    np.cumsum(np.abs(steps) + 1e-9, axis=1, out=effort[:, 1:])
    missing = (parents.close - parents.open) - path[:, -1]
    path += missing[:, None] * (effort / effort[:, -1:])
    path += parents.open[:, None]
    path[:, -1] = parents.close
    return path


def _fit(parents: Candles, columns: tuple[Floats, ...], present: Mask) -> tuple[Floats, ...]:
    """Stretch or squeeze what lies above the parent's body to end at its high, and below it at its low.

    One monotone map for all four prices: their order and the joints between neighbours survive it.
    """
    top = np.maximum(parents.open, parents.close).astype(np.float64)[:, None]
    bottom = np.minimum(parents.open, parents.close).astype(np.float64)[:, None]
    above = np.where(present, columns[1], -np.inf).max(axis=1, keepdims=True) - top
    below = bottom - np.where(present, columns[2], np.inf).min(axis=1, keepdims=True)
    up = np.where(above > 0, (parents.high[:, None] - top) / np.where(above > 0, above, 1.0), 0.0)
    down = np.where(below > 0, (bottom - parents.low[:, None]) / np.where(below > 0, below, 1.0), 0.0)
    return tuple(
        np.clip(column, bottom, top) + up * np.maximum(column - top, 0.0) - down * np.maximum(bottom - column, 0.0)
        for column in columns
    )


def _touch(column: Ints, extremes: Ints, at: NDArray[np.intp]) -> None:
    """Let each parent's extreme be reached, where rounding or an idle path fell short of it."""
    column[np.arange(len(extremes)), at] = extremes


def _share(totals: Ints, weights: Floats) -> Ints:
    """Split each total by weight into whole units that add up to it."""
    edges = np.zeros((len(totals), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=edges[:, 1:])
    edges *= (totals / edges[:, -1])[:, None]
    units = np.minimum(np.rint(edges).astype(np.int64), totals[:, None])
    # A float holds no more than 53 bits of the total.
    units[:, -1] = totals
    return units[:, 1:] - units[:, :-1]
