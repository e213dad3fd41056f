"""One comparison of a rule: of one candle, or of all at once."""

import math
from typing import NamedTuple

import numpy as np

from domain.decisions import Comparison
from strategies.arrays import Flags, Floats
from strategies.conditions import Check, VectorCondition, check
from strategies.rules.position import Held, Side
from strategies.rules.program import Values

_CROSSINGS: dict[Comparison, tuple[Comparison, Comparison]] = {
    "crosses_above": ("<=", ">"),
    "crosses_below": (">=", "<"),
}
"""What must hold on the candle before, and on this one."""


class Leaf(NamedTuple):
    """A comparison under its name. `is_not` turns a crossing around; of the others there are opposites."""

    name: str
    left: Side
    op: Comparison
    right: Side
    is_not: bool = False

    def check(self, values: Values, i: int, held: Held | None = None, before: Held | None = None) -> Check:
        """Return the comparison on candle `i`, counted from 0; `before` is the position one candle earlier."""
        left, right = self.left.read(values, i, held), self.right.read(values, i, held)
        if self.op not in _CROSSINGS:
            return check(self.name, left, self.op, right)
        was, now = _CROSSINGS[self.op]
        holds = check(self.name, left, now, right).holds
        if i == 0:
            return Check(self.name, left, self.op, right, holds=False)
        earlier = check(self.name, self.left.read(values, i - 1, before), was, self.right.read(values, i - 1, before))
        if self.is_not:
            known = earlier.has_values and math.isfinite(left) and math.isfinite(right)
            return Check(self.name, left, self.op, right, holds=known and not (holds and earlier.holds))
        return Check(self.name, left, self.op, right, holds=holds and earlier.holds)

    def condition(self, values: Values, count: int) -> VectorCondition:
        """Return the comparison on all candles, as it is written: `is_not` is the caller's."""
        return VectorCondition(self.name, _array(self.left, values, count), self.op, _array(self.right, values, count))

    def flags(self, values: Values, count: int) -> Flags:
        """Return for each candle whether it holds."""
        condition = self.condition(values, count)
        holds = condition.holds()
        if not self.is_not:
            return holds
        known = np.isfinite(condition.left) & np.isfinite(condition.right)
        known[1:] &= known[:-1].copy()
        known[:1] = False
        return known & ~holds


def finite_or_nan(values: Floats) -> Floats:
    """Return the values, NaN where they are not finite: what divides by zero never holds."""
    return np.where(np.isfinite(values), values, np.nan) if np.isinf(values).any() else values


def _array(side: Side, values: Values, count: int) -> Floats:
    if side.slot is None:
        raise ValueError("a value of the position has no array of candles")
    if side.number is not None:
        return np.full(count, side.number)
    return finite_or_nan(values[side.slot])
