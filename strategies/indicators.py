"""Indicators over TA-Lib: arrays of float64 in, arrays of the same length out, NaN where there is no value yet.

An indicator's value depends on where its history begins, until it has converged. The warm-up functions say how many
candles that takes, so that a window of recent candles gives the same decisions as the whole history.
"""

import sys
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from strategies.arrays import Floats


def _import_talib() -> Any:
    """Import TA-Lib's functions without the package's wrappers around them.

    The wrappers look for pandas and polars frames at each call, and importing those costs a worker half of its
    start-up; candles are numpy arrays. A module that stands as None in `sys.modules` is one that cannot be imported.
    """
    frames = [name for name in ("pandas", "polars") if name not in sys.modules]
    hidden: dict[str, ModuleType | None] = dict.fromkeys(frames)
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None is what the import system looks for
    try:
        from talib import _ta_lib  # noqa: PLC0415  # only here, while the frames are hidden
    finally:
        for name in frames:
            del sys.modules[name]
    return _ta_lib


talib = _import_talib()

WILDER_WARMUP_FACTOR = 30


class Bands(NamedTuple):
    """Bollinger bands, in the unit of the series."""

    upper: Floats
    middle: Floats
    lower: Floats


def wilder_warmup(period: int) -> int:
    """Return the candles that a Wilder average needs until its seed is forgotten: 30 * period.

    The seed's share shrinks by 1 - 1/period per candle and is then e^-30, below 1e-13.
    """
    return WILDER_WARMUP_FACTOR * period


def window_warmup(period: int) -> int:
    """Return the candles that an indicator over a plain window needs: its period."""
    return period


def sma(series: Floats, period: int) -> Floats:
    """Return the simple moving average of the last `period` values, the current one included.

    First value at index period - 1. Warm-up: `window_warmup`.
    """
    values: Floats = talib.SMA(series, period)
    return values


def volume_sma(volume: Floats, period: int) -> Floats:
    """Return `sma` of a series that is never negative, in its unit.

    TA-Lib's running sum keeps a residue of some 1e-15 after a burst of volume; where it is negative, a candle without
    any volume would count as above the average of none.
    """
    return np.maximum(sma(volume, period), 0.0)


def rsi(close: Floats, period: int) -> Floats:
    """Return Wilder's relative strength index, 0 to 100.

    RSI = 100 * G / (G + L), where G and L are the Wilder averages of the gains and losses from close to close:
    seeded by the mean of the first `period` changes, then A = (A * (period - 1) + change) / period. 0 where the price
    has never moved. First value at index `period`. Warm-up: `wilder_warmup`.

    Source:
        J. W. Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    values: Floats = talib.RSI(close, period)
    return values


def atr(high: Floats, low: Floats, close: Floats, period: int) -> Floats:
    """Return Wilder's average true range, in the unit of the price.

    TR = max(H - L, |H - previous C|, |L - previous C|); ATR is its Wilder average, seeded by the mean of the first
    `period` ranges that have a previous close. First value at index `period`. Warm-up: `wilder_warmup`.

    Source:
        J. W. Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    values: Floats = talib.ATR(high, low, close, period)
    return values


def bollinger(close: Floats, period: int, deviations: float) -> Bands:
    """Return the Bollinger bands: SMA ± deviations * population standard deviation of the last `period` closes.

    First value at index period - 1. Warm-up: `window_warmup`.

    Source:
        J. Bollinger, Bollinger on Bollinger Bands, 2001.
    """
    return Bands(*talib.BBANDS(close, period, deviations, deviations))


def midrange(high: Floats, low: Floats, period: int) -> Floats:
    """Return (highest H + lowest L) / 2 of the last `period` candles, in the unit of the price.

    First value at index period - 1. Warm-up: `window_warmup`.
    """
    values: Floats = talib.MIDPRICE(high, low, period)
    return values


def lowest(series: Floats, period: int) -> Floats:
    """Return the least of the last `period` values. First value at index period - 1. Warm-up: `window_warmup`."""
    values: Floats = talib.MIN(series, period)
    return values


def shifted(series: Floats, candles: int) -> Floats:
    """Return the series as it was so many candles before; `candles` is at least 1."""
    values = np.empty(len(series))
    values[:candles] = np.nan
    values[candles:] = series[: max(len(series) - candles, 0)]
    return values
