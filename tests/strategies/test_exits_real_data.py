"""Every exit on a month of real candles, for hundreds of positions, against the rules in plain loops."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.candles import Candles
from strategies.catalogue import EXITS
from strategies.logic import AnyExit, EntryPoint, ExitSeries
from tests.strategies import reference, reference_exits
from tests.strategies.reference_advanced_atr import advanced_atr, distances
from tests.strategies.reference_exits import History, Step

Rule = Callable[[History, int, float], Iterator[Step]]

RULES: dict[str, Rule] = {
    "ATRExitMixin": reference_exits.atr_exit,
    "SimpleATRExitMixin": reference_exits.simple_atr,
    "FixedRatioExitMixin": reference_exits.fixed_ratio,
    "TrailingStopExitMixin": reference_exits.trailing_stop,
    "RSIBBExitMixin": reference_exits.rsi_bb,
    "RSIOrBBExitMixin": reference_exits.rsi_or_bb,
    "MACrossoverExitMixin": reference_exits.ma_crossover,
    "TimeBasedExitMixin": reference_exits.time_based,
    "RoiTableExitMixin": reference_exits.roi_table,
}
TIGHT = {"x_take_profit": 0.004, "x_stop_loss": 0.003}

# Parameters other than the defaults; many of them are tight, since a minute moves a price by a thousandth or so.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("ATRExitMixin", {}),
    ("ATRExitMixin", {"x_atr_period": 5, "x_sl_multiplier": 4.0}),
    ("SimpleATRExitMixin", {}),
    ("SimpleATRExitMixin", {"x_use_breakeven": False, "x_atr_period": 7}),
    ("SimpleATRExitMixin", {"x_atr_multiplier": 4.0, "x_breakeven_atr": 3.0}),
    ("FixedRatioExitMixin", TIGHT),
    ("FixedRatioExitMixin", TIGHT | {"x_use_trailing_stop": True, "x_trail_percent": 0.002}),
    ("TrailingStopExitMixin", {"x_trail_pct": 0.003}),
    ("TrailingStopExitMixin", {"x_trail_pct": 0.002, "x_activation_pct": 0.002}),
    ("TrailingStopExitMixin", {"x_use_atr": True}),
    ("TrailingStopExitMixin", {"x_use_atr": True, "x_atr_multiplier": 3.0, "x_activation_pct": 0.001}),
    ("RSIBBExitMixin", {"x_rsi_overbought": 60.0, "x_bb_dev": 1.0}),
    ("RSIOrBBExitMixin", {}),
    ("MACrossoverExitMixin", {}),
    ("MACrossoverExitMixin", {"x_ma_type": "ema", "x_require_confirmation": True}),
    ("MACrossoverExitMixin", {"x_ma_type": "wma", "x_fast_period": 3, "x_slow_period": 40}),
    ("TimeBasedExitMixin", {}),
    ("TimeBasedExitMixin", {"x_use_time": True, "x_max_minutes": 45.0}),
    ("RoiTableExitMixin", {"x_roi": {"0": 0.004, "30": 0.002, "60": -0.001, "240": -1}}),
]

ADVANCED: list[dict[str, Any]] = [
    {"use_htf_atr": False},
    {"htf": "5m"},
    {"htf": "1h", "use_swing_ratchet": False},
    {"htf": "15m", "alpha_htf": 0.5, "use_swing_ratchet": False, "breakeven_offset_atr": 0.5},
    {"use_htf_atr": False, "k_init": 6.0, "k_run": 5.0, "k_phase2": 1.0, "use_swing_ratchet": False, "arm_at_R": 0.5},
    {"use_htf_atr": False, "tighten_if_stagnant_bars": 3, "min_bars_between_tighten": 2, "swing_lookback": 40},
    {"use_htf_atr": False, "atr_floor": 50.0, "struct_buffer_atr": 2.0, "p_fast": 30, "p_slow": 3},
]

FIRST, EVERY, AHEAD = 3_000, 150, 400
STARTS = range(FIRST, 44_000, EVERY)


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def entry_at(candles: Candles, i: int) -> EntryPoint:
    return EntryPoint(
        signal_time=candles.open_time.item(i),
        signal_close=candles.close.item(i),
        price=candles.open.item(i + 1) * 1.0005,
        opened_at=candles.open_time.item(i + 1),
    )


def compare(logic: AnyExit, candles: Candles, steps: Callable[[int, float], Iterator[Step]], *, exits: int) -> None:
    """Follow each position to its exit, at most `AHEAD` candles: the same candle, and the same stop at each third."""
    whole = logic.prepare(candles)
    left = 0
    for start in STARTS:
        entry = entry_at(candles, start)
        expected = []
        for step, _ in zip(steps(start, entry.price), range(AHEAD), strict=False):
            expected.append(step)
            if step[0]:
                break
        left += expected[-1][0]
        state = logic.start(candles[: start + 1], entry)
        for count in sorted({max(len(expected) // 3, 1), max(2 * len(expected) // 3, 1), len(expected)}):
            end = start + 1 + count
            series = ExitSeries(candles[:end], tuple(values[:end] for values in whole.indicators))
            outcome = logic.walk(series, state, entry)
            state = outcome.state

            fired, stop = expected[count - 1]
            assert (outcome.exit is not None) == fired, (start, count)
            assert state.folded == candles.open_time[end - 1]
            assert state.stop == (None if stop is None else pytest.approx(stop, rel=1e-9))
    assert left >= exits


def test_each_exit_of_the_catalogue_has_a_rule_to_be_compared_with() -> None:
    assert RULES.keys() | {"AdvancedATRExitMixin"} == EXITS.keys()
    assert RULES.keys() == {name for name, _ in CASES}


@pytest.mark.parametrize(("name", "changed"), CASES)
def test_each_position_is_left_on_the_candle_that_the_rule_says(
    candles: Candles, name: str, changed: dict[str, Any]
) -> None:
    params = EXITS[name].Params.model_validate(changed)
    history = History(candles, params.model_dump())

    compare(EXITS[name](params), candles, lambda start, price: RULES[name](history, start, price), exits=200)


@pytest.mark.parametrize("changed", ADVANCED)
def test_each_position_of_the_advanced_exit_is_left_on_the_candle_that_the_rule_says(
    candles: Candles, changed: dict[str, Any]
) -> None:
    params = EXITS["AdvancedATRExitMixin"].Params.model_validate(changed)
    history = History(candles, params.model_dump())
    a = distances(history)
    logic = EXITS["AdvancedATRExitMixin"](params)

    compare(logic, candles, lambda start, price: advanced_atr(history, a, start, price), exits=200)
