"""Moving averages by name."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from strategies.arrays import Floats
from strategies.indicators import talib, window_warmup
from strategies.parameters import AverageKind

_FUNCTIONS: Mapping[AverageKind, Callable[[Floats, int], Any]] = {
    "sma": talib.SMA,
    "ema": talib.EMA,
    "wma": talib.WMA,
}
_FORGOTTEN = 30
"""A seed is forgotten when its share is below e^-30, as with Wilder's averages."""


def moving_average(series: Floats, period: int, kind: AverageKind) -> Floats:
    """Return a moving average of the series, in its unit; first value at index period - 1.

    sma: the mean of the last `period` values. wma: the same with weights 1 to `period`, the newest the heaviest.
    ema: E = E + 2 / (period + 1) * (value - E), seeded by the mean of the first `period` values.
    """
    values: Floats = _FUNCTIONS[kind](series, period)
    return values


def average_warmup(period: int, kind: AverageKind) -> int:
    """Return the candles that a moving average needs: its period, and for `ema` until its seed is forgotten.

    The seed's share shrinks by 1 - 2 / (period + 1) per candle, which is below e^(-2 / (period + 1)).
    """
    if kind == "ema":
        return period + math.ceil(_FORGOTTEN * (period + 1) / 2)
    return window_warmup(period)
