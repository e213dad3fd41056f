"""`CustomStrategy`: one entry logic and one exit logic."""

from dataclasses import dataclass, replace
from typing import Generic, Self, TypeAlias

from typing_extensions import TypeVar

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.arrays import Flags
from strategies.entry_logic import AnyEntry, EntryVerdict
from strategies.exit_logic import AnyExit, EntryPoint, ExitOutcome
from strategies.plugs import EntryRules, ExitRules, Plugged

E_co = TypeVar("E_co", bound=EntryRules, covariant=True, default=AnyEntry)
X_co = TypeVar("X_co", bound=ExitRules, covariant=True, default=AnyExit)


@dataclass(frozen=True, slots=True)
class CustomStrategy(Generic[E_co, X_co]):
    """Per closed candle: the exit first when in position, else the entry; never both on one candle.

    Stateless, so any number of bots may share one. Without type arguments, both logics are of the catalogue.

    Attributes:
        entry_window, exit_window: how many candles each logic is shown, where there are more; None: all.
        exit_warmup: how many candles the exit needs at the bot's interval; None: as many as without longer ones.
    """

    entry_logic: E_co
    exit_logic: X_co
    entry_window: int | None = None
    exit_window: int | None = None
    exit_warmup: int | None = None

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

    def windowed(self, interval: str, lookback_bars: int) -> Self:
        """Return the same as a live bot asks it: each logic sees what it needs itself, but no less than the lookback.

        One may need two hundred times the candles that the other does, and each new candle has all of them computed
        anew.
        """
        entry, exit_ = self.entry_logic.warmup_at(interval), self.exit_logic.warmup_at(interval)
        return replace(
            self,
            entry_window=max(lookback_bars, entry),
            exit_window=max(lookback_bars, exit_),
            exit_warmup=exit_,
        )

    def entry(self, candles: Candles) -> EntryVerdict:
        """Judge the newest closed candle."""
        return self.entry_logic.verdict(candles[-self.entry_window :] if self.entry_window else candles)

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether it gives an entry signal."""
        return self.entry_logic.signals(candles)

    def state_belongs(self, state: ExitState) -> bool:
        """Return whether the exit may go on from `state`; else start anew with `start_exit`."""
        return self.exit_logic.state_belongs(state)

    def start_exit(self, candles: Candles, entry: EntryPoint) -> ExitState:
        """Return the first exit state of a position, as of its signal candle."""
        return self.exit_logic.start(self._exit_candles(candles, entry.signal_time), entry)

    def fold_exit(self, candles: Candles, state: ExitState, entry: EntryPoint) -> ExitOutcome:
        """Fold the candles after `state.folded`, in order, up to the first exit.

        Raises:
            ValueError: the state does not belong to this exit.
        """
        return self.exit_logic.fold(self._exit_candles(candles, state.folded), state, entry, warmup=self.exit_warmup)

    def _exit_candles(self, candles: Candles, since: int) -> Candles:
        """Return the candles after `since`, with the window of the exit up to it."""
        if self.exit_window is None:
            return candles
        begin = int(candles.open_time.searchsorted(since, side="right")) - self.exit_window
        return candles[max(begin, 0) :]


AnyStrategy: TypeAlias = CustomStrategy[EntryRules, ExitRules]
"""A strategy whose logics may be those of plugins."""
