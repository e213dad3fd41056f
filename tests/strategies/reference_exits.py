"""The rules of the exits in plain loops, from their formulas: each position from its entry to the candle it leaves on.

Each rule yields, for every candle after the signal's, whether the position is left on it and the stop after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from domain.candles import Candles
from strategies.arrays import Floats
from tests.strategies import reference

Step = tuple[bool, float | None]


@dataclass
class History:
    """Candles with the averages that the rules look into, each computed once."""

    candles: Candles
    params: dict[str, Any]
    close: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.close = self.candles.close.tolist()

    def ranges(self, period: int) -> list[float]:
        ranges: list[float] = reference.atr(self.candles, period).tolist()
        return ranges

    @cached_property
    def atr(self) -> list[float]:
        return self.ranges(self.params["x_atr_period"])

    @cached_property
    def strength(self) -> list[float]:
        strength: list[float] = reference.rsi(self.candles.close, self.params["x_rsi_period"]).tolist()
        return strength

    @cached_property
    def upper(self) -> list[float]:
        mean, deviation = reference.rolling(self.candles.close, self.params["x_bb_period"])
        upper: list[float] = (mean + self.params["x_bb_dev"] * deviation).tolist()
        return upper

    @cached_property
    def averages(self) -> tuple[Floats, Floats]:
        kind = self.params["x_ma_type"]
        fast, slow = (average(self.candles.close, self.params[key], kind) for key in ("x_fast_period", "x_slow_period"))
        return fast, slow


def average(values: Floats, period: int, kind: str) -> Floats:
    averages, _ = reference.rolling(values, period)
    if kind == "wma":
        windows = np.lib.stride_tricks.sliding_window_view(values, period)
        averages[period - 1 :] = windows @ (np.arange(1, period + 1) * 2 / (period * (period + 1)))
    if kind == "ema":
        for i in range(period, len(values)):
            averages[i] = averages[i - 1] + 2 / (period + 1) * (values[i] - averages[i - 1])
    return averages


def atr_exit(h: History, start: int, price: float) -> Iterator[Step]:
    peak = h.close[start]
    stop = peak - h.params["x_sl_multiplier"] * h.atr[start]
    for i in range(start + 1, len(h.close)):
        peak = max(peak, h.candles.high[i])
        stop = max(stop, peak - h.params["x_sl_multiplier"] * h.atr[i])
        yield h.close[i] <= stop, stop


def simple_atr(h: History, start: int, price: float) -> Iterator[Step]:
    p = h.params
    stop = price - p["x_atr_multiplier"] * h.atr[start]
    trailing = not p["x_use_breakeven"]
    for i in range(start + 1, len(h.close)):
        if p["x_use_breakeven"] and h.close[i] - price >= p["x_breakeven_atr"] * h.atr[i]:
            stop = max(stop, price)
            trailing = True
        if trailing:
            stop = max(stop, h.close[i] - p["x_atr_multiplier"] * h.atr[i])
        yield h.close[i] <= stop, stop


def fixed_ratio(h: History, start: int, price: float) -> Iterator[Step]:
    p, peak = h.params, h.close[start]
    for i in range(start + 1, len(h.close)):
        peak = max(peak, h.close[i])
        gained = (h.close[i] - price) / price
        trail = peak * (1 - p["x_trail_percent"])
        fired = gained >= p["x_take_profit"] or gained <= -p["x_stop_loss"]
        if p["x_use_trailing_stop"]:
            yield fired or h.close[i] < trail, max(trail, price * (1 - p["x_stop_loss"]))
        else:
            yield fired, price * (1 - p["x_stop_loss"])


def trailing_stop(h: History, start: int, price: float) -> Iterator[Step]:
    p, peak = h.params, h.close[start]
    armed = p["x_activation_pct"] == 0
    for i in range(start + 1, len(h.close)):
        peak = max(peak, h.close[i])
        armed = armed or (h.close[i] - price) / price >= p["x_activation_pct"]
        stop = peak - p["x_atr_multiplier"] * h.atr[i] if p["x_use_atr"] else peak * (1 - p["x_trail_pct"])
        yield armed and h.close[i] < stop, stop if armed else None


def rsi_bb(h: History, start: int, price: float, *, either: bool = False) -> Iterator[Step]:
    level = h.params["x_rsi_overbought"]
    for i in range(start + 1, len(h.close)):
        by_rsi = h.strength[i - 1] >= level > h.strength[i]
        by_band = h.close[i - 1] >= h.upper[i - 1] and h.close[i] < h.upper[i]
        yield (by_rsi or by_band) if either else (by_rsi and by_band), None


def rsi_or_bb(h: History, start: int, price: float) -> Iterator[Step]:
    return rsi_bb(h, start, price, either=True)


def ma_crossover(h: History, start: int, price: float) -> Iterator[Step]:
    fast, slow = h.averages
    for i in range(start + 1, len(h.close)):
        at = i - 1 if h.params["x_require_confirmation"] else i
        yield bool(fast[at - 1] >= slow[at - 1] and fast[at] < slow[at] and fast[i] < slow[i]), None


def time_based(h: History, start: int, price: float) -> Iterator[Step]:
    for i in range(start + 1, len(h.close)):
        held = i - start
        minutes = (h.candles.open_time[i] + reference.MINUTE - h.candles.open_time[start + 1]) / 60_000
        limit = h.params["x_max_minutes"] if h.params["x_use_time"] else h.params["x_max_bars"]
        yield (minutes if h.params["x_use_time"] else held) >= limit, None


def roi_table(h: History, start: int, price: float) -> Iterator[Step]:
    for i in range(start + 1, len(h.close)):
        minutes = (h.candles.open_time[i] + reference.MINUTE - h.candles.open_time[start + 1]) / 60_000
        asked = [share for least, share in sorted(h.params["x_roi"].items()) if least <= minutes]
        yield bool(asked) and (h.close[i] - price) / price >= asked[-1], None
