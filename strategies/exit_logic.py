"""The base of all exit logics: a memory that each candle of a position turns into the next one, and where to leave."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Generic, TypeVar

from domain.candles import Candles
from domain.decisions import Condition, ExitState, Scalar, Take
from strategies.arrays import Floats, Indexes
from strategies.conditions import Check, explained
from strategies.logic import Logic, P

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where a position began. Times are milliseconds UTC, prices quote per unit of base.

    Attributes:
        signal_time, signal_close: open time and close of the candle that gave the signal.
        price: average price of the position.
        opened_at: when the first fill was: live a moment after a candle has opened, in a backtest as it opens.
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

    @property
    def identity(self) -> str:
        """What marks its states: the logic, with its parameters."""
        return self._identity

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


AnyExit = ExitLogic[Any, Any]
