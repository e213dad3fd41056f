"""Comparisons, of all candles and of one."""

import math

import numpy as np
import pytest

from domain.decisions import Comparison
from strategies.conditions import VectorCondition, all_of, check, explained, spaced

NAN = math.nan
LEFT = [1.0, 2.0, 3.0, 2.0, 1.0, NAN, 3.0]


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("<", [1, 0, 0, 0, 1, 0, 0]),
        ("<=", [1, 1, 0, 1, 1, 0, 0]),
        (">", [0, 0, 1, 0, 0, 0, 1]),
        (">=", [0, 1, 1, 1, 0, 0, 1]),
        ("crosses_above", [0, 0, 1, 0, 0, 0, 0]),
        ("crosses_below", [0, 0, 0, 0, 1, 0, 0]),
    ],
)
@pytest.mark.parametrize("right", [2.0, np.full(7, 2.0)], ids=["number", "array"])
def test_each_comparison_holds_where_it_should_on_all_candles_and_on_each(
    op: Comparison, expected: list[int], right: float
) -> None:
    condition = VectorCondition("x", np.array(LEFT), op, right)

    assert condition.holds().astype(int).tolist() == expected
    assert [int(condition.at(i).holds) for i in range(7)] == expected
    assert [int(condition.at(i - 7).holds) for i in range(7)] == expected


@pytest.mark.parametrize(("op", "holds"), [("<=", True), (">=", True), ("<", False), (">", False)])
@pytest.mark.parametrize("noise", [-1e-13, 0.0, 1e-13])
def test_the_last_digits_decide_no_tie(op: Comparison, noise: float, *, holds: bool) -> None:
    condition = VectorCondition("x", np.array([100.0 + noise]), op, 100.0)

    assert check("x", 100.0 + noise, op, 100.0).holds is holds
    assert condition.holds().tolist() == [holds]
    assert condition.at().holds is holds


def test_the_smallest_tick_of_a_dear_coin_is_no_tie() -> None:
    assert check("x", 99_999.99, "<", 100_000.0).holds
    assert not check("x", 100_000.01, "<=", 100_000.0).holds


def test_all_conditions_together_hold_where_each_does() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])

    both = [VectorCondition("a", x, ">", 1.0), VectorCondition("b", x, "<", 4.0)]

    assert all_of([condition.holds() for condition in both]).tolist() == [False, True, True, False]
    assert [all_of([condition.at(i).holds for condition in both]) for i in range(4)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("cooldown", "kept"),
    [
        pytest.param(0, [0, 1, 2, 4, 9], id="none"),
        pytest.param(1, [0, 2, 4, 9], id="the next candle"),
        pytest.param(3, [0, 4, 9], id="1 and 2 are left out and do not delay 4"),
        pytest.param(4, [0, 9], id="4 is left out"),
        pytest.param(100, [0], id="all but the first"),
    ],
)
def test_after_a_signal_there_is_none_for_the_cooldown(cooldown: int, kept: list[int]) -> None:
    signals = np.isin(np.arange(10), [0, 1, 2, 4, 9])

    assert np.flatnonzero(spaced(signals, cooldown)).tolist() == kept


def test_a_condition_knows_where_it_has_values() -> None:
    condition = VectorCondition("x", np.array([1.0, NAN, 1.0, math.inf]), "<", np.array([NAN, 1.0, 1.0, 1.0]))

    assert condition.known().tolist() == [False, False, True, False]


def test_what_has_no_value_is_not_explained() -> None:
    known, unknown, endless = check("a", 1, "<", 2), check("b", NAN, "<", 2), check("c", 1, ">", -math.inf)

    assert [condition.name for condition in explained([known, unknown, endless])] == ["a"]


def test_a_crossing_takes_two_candles() -> None:
    with pytest.raises(ValueError, match="was crosses_above"):
        check("x", 1, "crosses_above", 2)
