"""What one evaluation of each logic on 500 candles costs, beside TA-Lib's calls for the user's example alone.

An entry judges the newest candle; an exit folds one new candle. python -m benchmarks.evaluation
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import talib

from benchmarks.harness import emit, median
from domain.candles import Candles
from strategies.catalogue import ENTRIES, EXITS
from strategies.exit_logic import AnyExit, EntryPoint

CANDLES, ROUNDS, CALLS = 500, 100, 20

REFERENCE = "TA-Lib alone"
EXAMPLE = ("RSIBBVolumeEntryMixin", "ATRExitMixin")
# What needs more than TA-Lib's functions: a recursion, or longer candles made of these.
LIMIT, HIGHER_LIMIT = 50, 500
# 500 candles of a minute hold hardly two of four hours, its default.
CHANGED: dict[str, dict[str, object]] = {"AdvancedATRExitMixin": {"htf": "5m"}}
BEYOND_TALIB = ("RSIVolumeSupertrendEntryMixin", "BBVolumeSuperTrendEntryMixin", "AdvancedATRExitMixin")


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    candles = _candles()
    calls = dict(_calls(candles))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(_microseconds(call))
    figures = {name: median(values) for name, values in times.items()}
    print(f"{'':32} {'median':>8} {'least':>8} {'limit':>8}  µs")
    for name, value in figures.items():
        print(f"{name:32} {value:8.1f} {min(times[name]):8.1f} {_limit(name):8}")
    emit(
        "evaluation",
        max(figures[name] for name in EXAMPLE),
        figures[REFERENCE],
        "µs",
        least=max(min(times[name]) for name in EXAMPLE),
        limit=LIMIT,
        higher_limit=HIGHER_LIMIT,
        over_limit=", ".join(name for name in figures if min(times[name]) > _limit(name)),
        **{f"least_{name}": round(min(times[name]), 1) for name in (*ENTRIES, *EXITS)},
    )


def _calls(candles: Candles) -> Iterator[tuple[str, Callable[[], object]]]:
    def bare() -> None:
        talib.RSI(candles.close, 14)
        talib.BBANDS(candles.close, 20, 2.0, 2.0)
        talib.SMA(candles.volume, 20)

    yield REFERENCE, bare
    for name, entry in ENTRIES.items():
        logic = entry(entry.Params())
        yield name, lambda logic=logic: logic.verdict(candles)  # type: ignore[misc]
    for name, exit_ in EXITS.items():
        params = exit_.Params.model_validate(CHANGED.get(name, {}))
        yield name, _one_candle(exit_(params), candles)


def _one_candle(logic: AnyExit, candles: Candles) -> Callable[[], object]:
    time_, close = candles.open_time.item(-2), candles.close.item(-2)
    entry = EntryPoint(signal_time=time_, signal_close=close, price=close, opened_at=time_ + 60_000)
    state = logic.start(candles[:-1], entry)
    return lambda: logic.fold(candles, state, entry)


def _limit(name: str) -> int:
    return HIGHER_LIMIT if name in BEYOND_TALIB else LIMIT


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
