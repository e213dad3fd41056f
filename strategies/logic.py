"""What an entry logic and an exit logic are: stateless objects made of parameters, asked about candles.

To write one: subclass, name its parameters with ranges and defaults in `Params`, say how many candles it needs, and
fill in the abstract methods. Vectorised indicators, then cheap scalar steps: the same code decides for a live bot,
candle by candle, and for a backtest, over all of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from domain.candles import Candles
from domain.decisions import Condition, ExitState, Scalar, Take
from strategies.arrays import Flags, Floats, Indexes
from strategies.conditions import Check, Holds, VectorCondition, all_of, check, explained, spaced


class Parameters(BaseModel):
    """Base of all parameters: frozen; a name that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class EntryVerdict:
    """What an entry logic says of the newest closed candle.

    `waiting_for` names the conditions that have no value yet, for want of candles; with any, there is no signal.
    """

    signal: bool
    conditions: tuple[Condition, ...]
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where a position began. Times are milliseconds UTC, prices quote per unit of base.

    Attributes:
        signal_time, signal_close: open time and close of the candle that gave the signal.
        price: average price of the position.
        opened_at: when the first fill was.
    """

    signal_time: int
    signal_close: float
    price: float
    opened_at: int


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """An exit: the rule that fired, the open time of the candle it fired on, and why, in words."""

    rule: str
    candle_time: int
    reason: str


@dataclass(frozen=True, slots=True)
class ExitOutcome:
    """The state after a fold, the exit if one came, and the comparisons on the last candle that was folded."""

    state: ExitState
    exit: ExitSignal | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class ExitSeries:
    """Candles with the indicators of an exit logic, computed once for any number of steps."""

    candles: Candles
    indicators: tuple[Floats, ...]


class Logic(ABC, Generic[P]):
    """What entries and exits share: a name, parameters, and the candles they need."""

    Params: ClassVar[type[Parameters]]

    def __init__(self, params: P) -> None:
        self.params = params

    @property
    def name(self) -> str:
        """The name that configurations use."""
        return type(self).__name__

    @property
    @abstractmethod
    def warmup(self) -> int:
        """How many candles make the newest one's values independent of where the window begins."""

    def warmup_at(self, interval: str) -> int:
        """Return the warm-up in candles of an interval, such as "1h"; it matters where longer candles are looked at."""
        del interval
        return self.warmup

    def misfit(self, interval: str) -> str | None:
        """Return why these parameters do not fit candles of an interval, in a sentence that names them; None: they do.

        With candles that do not fit all the same, the logic does without what it cannot know, and says so.
        """
        del interval
        return None


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


class ExitLogic(Logic[P], Generic[P, M]):
    """Says when to leave a position: on the first candle after the entry's on which it fires: a check of it holds.

    `M`, its memory, is an immutable value that each candle turns into the next one. `by_price` has its stop watched on
    the price between candles too.
    """

    by_price: ClassVar[bool] = False

    def __init__(self, params: P) -> None:
        super().__init__(params)
        self._identity = f"{self.name}:{sha256(params.model_dump_json().encode()).hexdigest()[:8]}"

    @abstractmethod
    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the arrays that the steps look into, vectorised over the candles."""

    @abstractmethod
    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> M:
        """Return the memory at the signal candle `i`, or None if it is not among the candles."""

    @abstractmethod
    def advance(self, memory: M, series: ExitSeries, i: int, entry: EntryPoint) -> M:
        """Return the memory after candle `i`."""

    @abstractmethod
    def checks(self, memory: M, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Return the comparisons on candle `i` under the memory after it."""

    @abstractmethod
    def remember(self, memory: M) -> tuple[dict[str, Scalar], float | None]:
        """Return the memory as JSON-safe values, and the stop among them, if there is one."""

    @abstractmethod
    def recall(self, state: ExitState) -> M:
        """Return the memory that `remember` has written."""

    def fires(self, checks: Sequence[Check]) -> bool:
        """Return whether the comparisons on a candle make an exit: by default, if any holds."""
        return any(check.holds for check in checks)

    def takes(self, memory: M) -> tuple[Take, ...]:
        """Return the levels at which a part of the position is sold, all of them; by default, none."""
        del memory
        return ()

    def catch_up(self, memory: M, series: ExitSeries, until: int) -> M:
        """Return the memory after candles before `until` whose indicators have not converged: by default, the same."""
        del series, until
        return memory

    def first_exits(self, series: ExitSeries, signals: Indexes, width: int) -> Indexes | None:
        """Return how many candles after each of these signal candles an exit comes; 0: not within `width` candles.

        Optional, for speed: what `begin`, `advance` and `checks` say, for many positions at once, where it depends on
        nothing but the candles since the signal. None, as by default: each position has to be walked.
        """
        del series, signals, width
        return None

    def state_belongs(self, state: ExitState) -> bool:
        """Return whether this logic, with these parameters, has made the state and may go on from it."""
        return state.logic == self._identity

    def start(self, candles: Candles, entry: EntryPoint) -> ExitState:
        """Return the first state of a position, as of its signal candle."""
        i = int(candles.open_time.searchsorted(entry.signal_time))
        is_there = i < len(candles) and candles.open_time.item(i) == entry.signal_time
        memory = self.begin(self.prepare(candles), i if is_there else None, entry)
        return self._state(memory, entry.signal_time)

    def fold(self, candles: Candles, state: ExitState, entry: EntryPoint, *, warmup: int | None = None) -> ExitOutcome:
        """Fold every candle after `state.folded`, in order, up to the first exit.

        If not even the oldest candle is part of the state, the fold starts at the oldest converged one.

        Args:
            warmup: with how many candles values have converged, where the interval is known; by default `self.warmup`.

        Raises:
            ValueError: another logic, or other parameters, made the state; start anew from the entry.
        """
        if not self.state_belongs(state):
            raise ValueError(f"exit state must be of {self._identity}; was of {state.logic}")
        return self.walk(self.prepare(candles), state, entry, warmup=warmup)

    def prepare(self, candles: Candles) -> ExitSeries:
        """Return the candles with their indicators, for any number of walks over them."""
        return ExitSeries(candles, self.indicators(candles))

    def walk(
        self, series: ExitSeries, state: ExitState, entry: EntryPoint, *, warmup: int | None = None
    ) -> ExitOutcome:
        """Do what `fold` does, over candles that were prepared."""
        times = series.candles.open_time
        memory, count = self.recall(state), len(times)
        first = int(times.searchsorted(state.folded, side="right"))
        if first == 0 and count > 0:
            first = min(warmup or self.warmup, count) - 1
            memory = self.catch_up(memory, series, first)
        checks: tuple[Check, ...] = ()
        for i in range(first, count):
            memory = self.advance(memory, series, i, entry)
            checks = self.checks(memory, series, i, entry)
            if self.fires(checks):
                return self._outcome(memory, times.item(i), checks, fired=True)
        if first >= count > 0:  # nothing new: say how the newest candle stands
            checks = self.checks(memory, series, count - 1, entry)
            return ExitOutcome(state, None, explained(checks))
        return self._outcome(memory, times.item(-1) if count else state.folded, checks)

    def _outcome(self, memory: M, folded: int, checks: tuple[Check, ...], *, fired: bool = False) -> ExitOutcome:
        conditions = explained(checks)
        reasons = [_reason(condition) for condition in conditions if condition.holds] if fired else []
        signal = ExitSignal(self.name, folded, "; ".join(reasons)) if fired else None
        return ExitOutcome(self._state(memory, folded), signal, conditions)

    def _state(self, memory: M, folded: int) -> ExitState:
        values, stop = self.remember(memory)
        return ExitState(
            logic=self._identity,
            folded=folded,
            values=values,
            stop=stop,
            by_price=self.by_price,
            takes=self.takes(memory),
        )


def _reason(condition: Condition) -> str:
    return f"{condition.name}: {condition.left:.8g} {condition.op} {condition.right:.8g}"


AnyEntry = EntryLogic[Any]
AnyExit = ExitLogic[Any, Any]
