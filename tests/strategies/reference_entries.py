"""The rules of the entries in plain numpy, from their formulas; raw comparisons, whose ties are left to chance."""

from typing import Any

import numpy as np

from domain.candles import Candles
from strategies.arrays import Flags, Floats
from tests.strategies import reference


def before(values: Floats, candles: int = 1) -> Floats:
    """Return what the values were so many candles before."""
    return np.concatenate([np.full(candles, np.nan), values[:-candles]])


def midrange(candles: Candles, period: int) -> Floats:
    """Return the middle between the highest high and the lowest low of each window."""
    window = np.lib.stride_tricks.sliding_window_view
    middle = np.full(len(candles), np.nan)
    middle[period - 1 :] = (window(candles.high, period).max(axis=1) + window(candles.low, period).min(axis=1)) / 2
    return middle


def supertrend(candles: Candles, period: int, multiplier: float) -> Floats:
    """Return 1 or -1 as TradingView's Pine script does, which begins with a downtrend; NaN without a range."""
    ranges = reference.atr(candles, period)
    middle = (candles.high + candles.low) / 2
    upper, lower = middle + multiplier * ranges, middle - multiplier * ranges
    direction = np.full(len(candles), np.nan)
    for i in range(period, len(candles)):
        if i == period:
            direction[i] = 1 if candles.close[i] > upper[i] else -1
            continue
        if not (upper[i] < upper[i - 1] or candles.close[i - 1] > upper[i - 1]):
            upper[i] = upper[i - 1]
        if not (lower[i] > lower[i - 1] or candles.close[i - 1] < lower[i - 1]):
            lower[i] = lower[i - 1]
        if direction[i - 1] == -1:
            direction[i] = 1 if candles.close[i] > upper[i] else -1
        else:
            direction[i] = -1 if candles.close[i] < lower[i] else 1
    return direction


def lower_band(candles: Candles, p: dict[str, Any]) -> Floats:
    mean, deviation = reference.rolling(candles.close, p["e_bb_period"])
    band: Floats = mean - p["e_bb_dev"] * deviation
    return band


def touches(candles: Candles, p: dict[str, Any]) -> Flags:
    band = lower_band(candles, p)
    flags: Flags = candles.close <= band if p["e_use_bb_touch"] else candles.close < band
    return flags


def is_busy(candles: Candles, p: dict[str, Any]) -> Flags:
    usual, _ = reference.rolling(candles.volume, p["e_vol_ma_period"])
    flags: Flags = candles.volume > p["e_min_volume_ratio"] * usual
    return flags


def is_oversold(candles: Candles, p: dict[str, Any]) -> Flags:
    flags: Flags = reference.rsi(candles.close, p["e_rsi_period"]) <= p["e_rsi_oversold"]
    return flags


def is_up(candles: Candles, p: dict[str, Any]) -> Flags:
    flags: Flags = supertrend(candles, p["e_st_period"], p["e_st_multiplier"]) == 1
    return flags


def rsi_bb_volume(candles: Candles, p: dict[str, Any]) -> Flags:
    return is_oversold(candles, p) & touches(candles, p) & is_busy(candles, p)


def rsi_bb(candles: Candles, p: dict[str, Any], *, either: bool = False) -> Flags:
    strength, level = reference.rsi(candles.close, p["e_rsi_period"]), p["e_rsi_oversold"]
    band = lower_band(candles, p)
    by_rsi = (before(strength) <= level) & (strength > level) if p["e_rsi_cross"] else strength <= level
    by_band = touches(candles, p)
    if p["e_bb_reentry"]:
        by_band = (before(candles.close) < before(band)) & (candles.close > band)
    known = np.isfinite(strength) & np.isfinite(before(band) if p["e_bb_reentry"] else band)
    signals: Flags = known & (by_rsi | by_band if either else by_rsi & by_band)
    last = -np.inf
    for i in range(len(candles)):
        if signals[i] and i - last <= p["e_cooldown_bars"]:
            signals[i] = False
        elif signals[i]:
            last = i
    return signals


def rsi_or_bb(candles: Candles, p: dict[str, Any]) -> Flags:
    return rsi_bb(candles, p, either=True)


def rsi_ichimoku(candles: Candles, p: dict[str, Any]) -> Flags:
    tenkan, kijun = midrange(candles, p["e_tenkan"]), midrange(candles, p["e_kijun"])
    span_a = before((tenkan + kijun) / 2, p["e_senkou_lead"])
    span_b = before(midrange(candles, p["e_senkou"]), p["e_senkou_lead"])
    close = candles.close
    crosses = (before(close) <= before(tenkan)) & (close > tenkan)
    flags: Flags = (close > span_a) & (close > span_b) & is_oversold(candles, p) & crosses
    return flags


def rsi_volume_supertrend(candles: Candles, p: dict[str, Any]) -> Flags:
    return is_oversold(candles, p) & is_busy(candles, p) & is_up(candles, p)


def bb_volume_supertrend(candles: Candles, p: dict[str, Any]) -> Flags:
    return touches(candles, p) & is_busy(candles, p) & is_up(candles, p)
