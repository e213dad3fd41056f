"""The base of all entry logics: comparisons over candles, and the signals that they make together."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.candles import Candles
from domain.decisions import Condition
from strategies.arrays import Flags
from strategies.conditions import Check, Holds, VectorCondition, all_of, check, explained, spaced
from strategies.logic import Logic, P


@dataclass(frozen=True, slots=True)
class EntryVerdict:
    """What an entry logic says of the newest closed candle.

    `waiting_for` names the conditions that have no value yet, for want of candles; with any, there is no signal.
    """

    signal: bool
    conditions: tuple[Condition, ...]
    waiting_for: tuple[str, ...] = ()


class EntryLogic(Logic[P]):
    """Says on which candles to buy: those on which its rule holds, which is by default that all conditions do.

    There is no signal while a condition has no value. `cooldown` is for how many candles after a signal there is none;
    a signal that it suppresses does not begin it anew.
    """

    cooldown: int = 0

    @abstractmethod
    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the comparisons of the rule, vectorised over the candles; at least one."""

    def combine(self, holds: Sequence[Holds]) -> Holds:
        """Return whether the rule holds, from whether each condition does: on one candle, or on each of them."""
        return all_of(holds)

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether it gives a signal. No candle looks at a later one."""
        flags = self._rule(self.conditions(candles))
        return spaced(flags, self.cooldown) if self.cooldown else flags

    def explain(self, candles: Candles, i: int = -1) -> tuple[Condition, ...]:
        """Return the comparisons on candle `i`, without those that have no value yet."""
        return explained(self._checks(candles, i)[0])

    def verdict(self, candles: Candles) -> EntryVerdict:
        """Judge the newest candle alone. Agrees with the last of `signals`, and takes a fraction of its time."""
        checks, signal = self._checks(candles, -1)
        conditions = explained(checks)
        waiting = len(conditions) < len(checks)
        return EntryVerdict(
            signal=signal,
            conditions=conditions,
            waiting_for=tuple(check.name for check in checks if not check.has_values) if waiting else (),
        )

    def _rule(self, conditions: Sequence[VectorCondition]) -> Flags:
        known = all_of([condition.known() for condition in conditions])
        return known & self.combine([condition.holds() for condition in conditions])

    def _checks(self, candles: Candles, i: int) -> tuple[tuple[Check, ...], bool]:
        """Return the comparisons on candle `i`, and whether they make a signal together."""
        if len(candles) == 0:
            return (), False
        conditions = self.conditions(candles)
        checks = tuple([condition.at(i) for condition in conditions])
        signal = all(check.has_values for check in checks) and self.combine([check.holds for check in checks])
        rest = self._rest(conditions, i % len(candles)) if signal and self.cooldown else None
        return (checks, signal) if rest is None else ((*checks, rest), rest.holds)

    def _rest(self, conditions: Sequence[VectorCondition], i: int) -> Check | None:
        """Compare how many candles ago the last signal was with the cooldown; None if there was none."""
        before = np.flatnonzero(spaced(self._rule(conditions)[:i], self.cooldown))
        return check("candles since the last signal", i - before.item(-1), ">", self.cooldown) if len(before) else None


AnyEntry = EntryLogic[Any]
