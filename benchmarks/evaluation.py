"""What one evaluation of the user's example on 500 candles costs, beside TA-Lib's own calls alone.

python -m benchmarks.evaluation
"""

import time
from collections.abc import Callable

import numpy as np
import talib

from benchmarks.harness import emit, median, raw_bot
from domain.candles import Candles
from domain.config import parse_config
from strategies.logic import EntryPoint
from strategies.registry import build_strategy

CANDLES, ROUNDS, CALLS = 500, 200, 50


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits both alike."""
    candles, strategy = _candles(), build_strategy(parse_config(raw_bot("bench")).strategy)
    entry = EntryPoint(
        signal_time=int(candles.open_time[-2]), signal_close=float(candles.close[-2]), price=100.0, opened_at=0
    )
    before = strategy.start_exit(candles[:-1], entry)

    def bare() -> None:
        talib.RSI(candles.close, 14)
        talib.BBANDS(candles.close, 20, 2.0, 2.0)
        talib.SMA(candles.volume, 20)

    times: dict[str, list[float]] = {"entry": [], "exit": [], "bare": []}
    calls: dict[str, Callable[[], object]] = {
        "entry": lambda: strategy.entry(candles),
        "exit": lambda: strategy.fold_exit(candles, before, entry),
        "bare": bare,
    }
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(_microseconds(call))
    figures = {name: median(values) for name, values in times.items()}
    for name, value in figures.items():
        print(f"{name:6} {value:7.1f} µs (least {min(times[name]):.1f})")
    emit(
        "evaluation",
        max(figures["entry"], figures["exit"]),
        figures["bare"],
        "µs",
        entry=figures["entry"],
        exit=figures["exit"],
        least=max(min(times["entry"]), min(times["exit"])),
        limit=50,
    )


def _microseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6


def _candles() -> Candles:
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.001, CANDLES)))
    spread = np.abs(generator.normal(0, 0.05, CANDLES))
    opened = np.concatenate([[100.0], close[:-1]])
    return Candles(
        open_time=np.arange(CANDLES, dtype=np.int64) * 60_000,
        open=opened,
        high=np.maximum(opened, close) + spread,
        low=np.minimum(opened, close) - spread,
        close=close,
        volume=generator.uniform(1, 10, CANDLES),
    )


if __name__ == "__main__":
    main()
