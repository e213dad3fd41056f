"""The rule of the advanced exit in a plain loop, and longer candles made one by one."""

from collections.abc import Iterator

import numpy as np

from domain.candles import Candles
from domain.intervals import next_open, open_time
from strategies.arrays import Floats
from tests.strategies import reference
from tests.strategies.reference_exits import History, Step


def higher_ranges(candles: Candles, interval: str, period: int) -> Floats:
    """Return Wilder's ATR of the longer candles that are closed when each one-minute candle is."""
    rows: list[tuple[float, float, float]] = []
    counts: list[int] = []
    current: list[int] = []
    for i, moment in enumerate(candles.open_time.tolist()):
        if current and open_time(moment, interval) != open_time(int(candles.open_time[current[0]]), interval):
            current = []  # it was never closed: it began before the candles did
        if current or moment == open_time(moment, interval):
            current.append(i)
        if current and moment + reference.MINUTE == next_open(moment, interval):
            rows.append((candles.high[current].max(), candles.low[current].min(), float(candles.close[i])))
            current = []
        counts.append(len(rows))
    high, low, close = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros(len(rows))
    ranges = reference.atr(Candles(np.arange(len(rows)), nothing, high, low, close, nothing), period)
    return np.array([np.nan if count == 0 else ranges[count - 1] for count in counts])


def distances(h: History) -> list[float]:
    """Return A for each candle."""
    p = h.params
    near = np.maximum(
        p["alpha_fast"] * np.array(h.ranges(p["p_fast"])), p["alpha_slow"] * np.array(h.ranges(p["p_slow"]))
    )
    if p["use_htf_atr"]:
        near = np.fmax(near, p["alpha_htf"] * higher_ranges(h.candles, p["htf"], 14))
    distances: list[float] = np.maximum(near, p["atr_floor"]).tolist()
    return distances


def advanced_atr(h: History, a: list[float], start: int, price: float) -> Iterator[Step]:
    p = h.params
    risk = p["k_init"] * a[start]
    anchor, stop, armed, second = price, price - risk, False, False
    since_anchor = 0
    tightened_at: list[int] = []
    for i in range(start + 1, len(h.close)):
        hit = bool(h.candles.low[i] <= stop)
        if h.candles.high[i] > anchor:
            anchor, since_anchor, tightened_at = h.candles.high[i], 0, []
        else:
            since_anchor += 1
        armed = armed or h.close[i] - price >= p["arm_at_R"] * risk
        second = second or h.close[i] - price >= p["phase2_at_R"] * risk
        if since_anchor >= p["tighten_if_stagnant_bars"] and (
            not tightened_at or i - tightened_at[-1] >= p["min_bars_between_tighten"]
        ):
            tightened_at.append(i)
        k = p["k_phase2"] if second else p["k_run"] if armed else p["k_init"]
        for _ in tightened_at:
            k *= p["tighten_k_factor"]
        candidates = [anchor - k * a[i]]
        if p["use_swing_ratchet"]:
            low = min(h.candles.low[i - p["swing_lookback"] + 1 : i + 1])
            candidates.append(low - p["struct_buffer_atr"] * a[i])
        if armed and price + p["breakeven_offset_atr"] * a[i] < h.close[i]:
            candidates.append(price + p["breakeven_offset_atr"] * a[i])
        stop = max(stop, *candidates)
        yield hit, float(stop)
