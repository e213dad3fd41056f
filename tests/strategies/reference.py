"""The formulas in plain numpy, one candle after another, to compare with; and candles to compute with."""

import gzip
from dataclasses import dataclass
from functools import cache

import numpy as np

from domain.candles import Candles
from strategies.arrays import Flags, Floats
from tests.support.market_data import BTC_MONTH

MINUTE = 60_000


@cache
def real_candles() -> Candles:
    """Return a month of one-minute candles of BTC/USDT."""
    with gzip.open(BTC_MONTH, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", skiprows=1)
    columns = (np.ascontiguousarray(table[:, k]) for k in range(1, 6))
    return Candles(table[:, 0].astype(np.int64), *columns)


def candles_of(close: list[float], *, spread: float = 0.0, volume: list[float] | None = None) -> Candles:
    """Return one-minute candles around closes: H and L at `spread` above and below."""
    prices = np.array(close, dtype=np.float64)
    times = np.arange(1, len(close) + 1, dtype=np.int64) * MINUTE
    traded = np.ones(len(close)) if volume is None else np.array(volume, dtype=np.float64)
    return Candles(times, prices, prices + spread, prices - spread, prices, traded)


def wilder(values: Floats, period: int) -> Floats:
    """Seed with the mean of the first `period` values from index 1 on; then (A * (period - 1) + value) / period."""
    averages = np.full(len(values), np.nan)
    if len(values) > period:
        averages[period] = values[1 : period + 1].mean()
        for i in range(period + 1, len(values)):
            averages[i] = (averages[i - 1] * (period - 1) + values[i]) / period
    return averages


def rsi(close: Floats, period: int) -> Floats:
    change = np.diff(close, prepend=close[0])
    gain, loss = wilder(np.maximum(change, 0), period), wilder(np.maximum(-change, 0), period)
    return 100 * gain / (gain + loss)


def atr(candles: Candles, period: int) -> Floats:
    before = np.concatenate([[np.nan], candles.close[:-1]])
    ranges = np.stack([candles.high - candles.low, abs(candles.high - before), abs(candles.low - before)])
    return wilder(np.maximum.reduce(ranges), period)


def rolling(values: Floats, period: int) -> tuple[Floats, Floats]:
    """Return mean and population standard deviation of each window of `period` values."""
    mean, deviation = (np.full(len(values), np.nan) for _ in range(2))
    windows = np.lib.stride_tricks.sliding_window_view(values, period)
    mean[period - 1 :], deviation[period - 1 :] = windows.mean(axis=1), windows.std(axis=1)
    return mean, deviation


def example_signals(candles: Candles) -> Flags:
    """The entry of the user's example: RSI(14) <= 30, C <= the lower band of BB(20, 2), V > 1.1 * SMA20(V)."""
    mean, deviation = rolling(candles.close, 20)
    usual, _ = rolling(candles.volume, 20)
    oversold = rsi(candles.close, 14) <= 30
    return oversold & (candles.close <= mean - 2 * deviation) & (candles.volume > 1.1 * usual)


@dataclass(frozen=True)
class Trail:
    """How a position that began on candle `start` was trailed: the stop on each candle, and the one it left on."""

    start: int
    stops: list[float]
    exit: int | None


def trail(candles: Candles, ranges: Floats, start: int, multiplier: float) -> Trail:
    """Peak from the signal's close, then the highest H; stop = running maximum of peak - multiplier * ATR."""
    peak = candles.close[start]
    stop = peak - multiplier * ranges[start]
    stops = [float(stop)]
    for i in range(start + 1, len(candles)):
        peak = max(peak, candles.high[i])
        stop = max(stop, peak - multiplier * ranges[i])
        stops.append(float(stop))
        if candles.close[i] <= stop:
            return Trail(start, stops, i)
    return Trail(start, stops, None)
