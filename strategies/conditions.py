"""Comparisons of a rule: over all candles at once, or of one candle with its reasons. Both give the same answer.

Values that differ by less than a billionth of their size are equal. An indicator's last digits depend on where its
history begins (TA-Lib keeps running sums), and a tie, such as a close on the band of a flat market, would otherwise
be decided by them: differently by a live window than by a backtest.
"""

import math
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple, TypeVar

import numpy as np

from domain.decisions import Comparison, Condition
from strategies.arrays import Flags, Floats

TIE = 1e-9

Holds = TypeVar("Holds", bool, Flags)
"""Whether a condition holds: on one candle, or on each of them."""


class Check(NamedTuple):
    """One comparison on one candle. A value that is not a number never holds."""

    name: str
    left: float
    op: Comparison
    right: float
    holds: bool

    @property
    def has_values(self) -> bool:
        """Whether both sides have a value; candles may be too few for one."""
        return math.isfinite(self.left) and math.isfinite(self.right)

    def explained(self) -> Condition:
        """Return the same as a value that travels."""
        return Condition(name=self.name, left=self.left, op=self.op, right=self.right, holds=self.holds)


def explained(checks: Sequence[Check]) -> tuple[Condition, ...]:
    """Return the checks that have values, as values that travel: JSON knows no NaN."""
    return tuple([check.explained() for check in checks if check.has_values])


def check(name: str, left: float, op: Comparison, right: float) -> Check:
    """Compare two numbers of one candle; `op` is not a crossing, which takes two candles."""
    return Check(name, left, op, right, compare(left, op, right))


class VectorCondition(NamedTuple):
    """One comparison of a rule on every candle. `right` is an array, or a number for all candles."""

    name: str
    left: Floats
    op: Comparison
    right: Floats | float

    def holds(self) -> Flags:
        """Return for each candle whether it holds."""
        if self.op == "crosses_above":
            return self._crossing("<=", ">")
        if self.op == "crosses_below":
            return self._crossing(">=", "<")
        return _compare_all(self.left, self.op, self.right)

    def known(self) -> Flags:
        """Return for each candle whether both sides have a value."""
        return np.isfinite(self.left) & np.isfinite(self.right)

    def at(self, i: int = -1) -> Check:
        """Return the comparison on one candle alone, without looking at the others."""
        name, left_of_all, op, _ = self
        left, right = left_of_all.item(i), self._right_at(i)
        if op == "crosses_above":
            holds = compare(left, ">", right) and self._held_before(i, "<=")
        elif op == "crosses_below":
            holds = compare(left, "<", right) and self._held_before(i, ">=")
        else:
            holds = compare(left, op, right)
        return Check(name, left, op, right, holds)

    def _crossing(self, before: Comparison, now: Comparison) -> Flags:
        crossed = np.zeros(len(self.left), dtype=np.bool_)
        held_before = _compare_all(self.left, before, self.right)[:-1]
        crossed[1:] = held_before & _compare_all(self.left, now, self.right)[1:]
        return crossed

    def _held_before(self, i: int, op: Comparison) -> bool:
        previous = (i if i >= 0 else len(self.left) + i) - 1
        return previous >= 0 and compare(self.left.item(previous), op, self._right_at(previous))

    def _right_at(self, i: int) -> float:
        right = self.right
        return right.item(i) if isinstance(right, np.ndarray) else float(right)


def all_of(holds: Sequence[Holds]) -> Holds:
    """Return whether each of them holds; at least one is given."""
    return reduce(and_, holds)


def spaced(signals: Flags, cooldown: int) -> Flags:
    """Return the signals without those that come at most `cooldown` candles after one that stays.

    A signal that is left out does not begin another cooldown. Which ones stay depends on the first one of a crowd, so
    on where a window begins, until a stretch of `cooldown` candles without any signal comes.
    """
    kept = np.zeros(len(signals), dtype=np.bool_)
    blocked_until = -1
    for i in np.flatnonzero(signals).tolist():
        if i > blocked_until:
            kept[i] = True
            blocked_until = i + cooldown
    return kept


def compare(left: float, op: Comparison, right: float) -> bool:
    """Return whether a comparison of two numbers holds; `op` is not a crossing.

    Raises:
        ValueError: `op` is a crossing.
    """
    tie = TIE * abs(right)
    match op:
        case "<=":
            return left <= right + tie
        case "<":
            return left < right - tie
        case ">=":
            return left >= right - tie
        case ">":
            return left > right + tie
        case _:
            raise ValueError(f"a comparison of one candle must be one of <, <=, >, >=; was {op}")


def _compare_all(left: Floats, op: Comparison, right: Floats | float) -> Flags:
    tie = TIE * np.abs(right)
    match op:
        case "<=":
            return np.less_equal(left, right + tie)
        case "<":
            return np.less(left, right - tie)
        case ">=":
            return np.greater_equal(left, right - tie)
        case ">":
            return np.greater(left, right + tie)
        case _:
            raise ValueError(f"a comparison must be one of <, <=, >, >=; was {op}")
