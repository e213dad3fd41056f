"""Every exit on a month of real candles, for hundreds of positions, against the rules in plain loops."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.candles import Candles
from strategies.catalogue import EXITS
from strategies.exit_logic import AnyExit, ExitSeries
from tests.strategies import reference, reference_exits
from tests.strategies.cases import ADVANCED_CASES, EXIT_CASES, entry_at
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

FIRST, EVERY, AHEAD = 3_000, 150, 400
STARTS = range(FIRST, 44_000, EVERY)


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def compare(logic: AnyExit, candles: Candles, steps: Callable[[int, float], Iterator[Step]], *, exits: int) -> None:
    """Follow each position to its exit, at most `AHEAD` candles: the same candle, and the same stop at each third."""
    whole, window = logic.prepare(candles), logic.warmup_at("1m")
    left = 0
    for start in STARTS:
        entry = entry_at(candles, start)
        expected = []
        for step, _ in zip(steps(start, entry.price), range(AHEAD), strict=False):
            expected.append(step)
            if step[0]:
                break
        left += expected[-1][0]
        state = logic.start(candles[max(start + 1 - window, 0) : start + 1], entry)
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
    assert RULES.keys() == {name for name, _ in EXIT_CASES}


@pytest.mark.parametrize(("name", "changed"), EXIT_CASES)
def test_each_position_is_left_on_the_candle_that_the_rule_says(
    candles: Candles, name: str, changed: dict[str, Any]
) -> None:
    params = EXITS[name].Params.model_validate(changed)
    history = History(candles, params.model_dump())

    compare(EXITS[name](params), candles, lambda start, price: RULES[name](history, start, price), exits=200)


@pytest.mark.parametrize("changed", ADVANCED_CASES)
def test_each_position_of_the_advanced_exit_is_left_on_the_candle_that_the_rule_says(
    candles: Candles, changed: dict[str, Any]
) -> None:
    params = EXITS["AdvancedATRExitMixin"].Params.model_validate(changed)
    history = History(candles, params.model_dump())
    a = distances(history)
    logic = EXITS["AdvancedATRExitMixin"](params)

    compare(logic, candles, lambda start, price: advanced_atr(history, a, start, price), exits=200)
