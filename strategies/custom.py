"""`CustomStrategy`: one entry logic and one exit logic."""

from dataclasses import dataclass
from typing import Generic, TypeAlias

from typing_extensions import TypeVar

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.arrays import Flags
from strategies.logic import AnyEntry, AnyExit, EntryPoint, EntryVerdict, ExitOutcome
from strategies.plugs import EntryRules, ExitRules, Plugged

E_co = TypeVar("E_co", bound=EntryRules, covariant=True, default=AnyEntry)
X_co = TypeVar("X_co", bound=ExitRules, covariant=True, default=AnyExit)


@dataclass(frozen=True, slots=True)
class CustomStrategy(Generic[E_co, X_co]):
    """Per closed candle: the exit first when in position, else the entry; never both on one candle.

    Stateless, so any number of bots may share one. Without type arguments, both logics are of the catalogue.
    """

    entry_logic: E_co
    exit_logic: X_co

    @property
    def plugins(self) -> dict[str, str]:
        """Which plugins take part, by their part (`entry`, `exit`), each with its version."""
        parts = {"entry": self.entry_logic, "exit": self.exit_logic}
        return {part: logic.version for part, logic in parts.items() if isinstance(logic, Plugged)}

    @property
    def warmup(self) -> int:
        """How many candles make its decisions independent of where the window begins."""
        return max(self.entry_logic.warmup, self.exit_logic.warmup)

    def warmup_at(self, interval: str) -> int:
        """Return the same for candles of an interval: a logic may look at longer candles made of them."""
        return max(self.entry_logic.warmup_at(interval), self.exit_logic.warmup_at(interval))

    def entry(self, candles: Candles) -> EntryVerdict:
        """Judge the newest closed candle."""
        return self.entry_logic.verdict(candles)

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether it gives an entry signal."""
        return self.entry_logic.signals(candles)

    def state_belongs(self, state: ExitState) -> bool:
        """Return whether the exit may go on from `state`; else start anew with `start_exit`."""
        return self.exit_logic.state_belongs(state)

    def start_exit(self, candles: Candles, entry: EntryPoint) -> ExitState:
        """Return the first exit state of a position, as of its signal candle."""
        return self.exit_logic.start(candles, entry)

    def fold_exit(self, candles: Candles, state: ExitState, entry: EntryPoint) -> ExitOutcome:
        """Fold the candles after `state.folded`, in order, up to the first exit.

        Raises:
            ValueError: the state does not belong to this exit.
        """
        return self.exit_logic.fold(candles, state, entry)


AnyStrategy: TypeAlias = CustomStrategy[EntryRules, ExitRules]
"""A strategy whose logics may be those of plugins."""
