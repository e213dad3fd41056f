"""Where the logics of plugins come from, as strategies and activities see it; the room `plugins/` implements it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from domain.candles import Candles
from domain.config_errors import Place, Problem
from domain.decisions import ExitState
from strategies.arrays import Flags
from strategies.entry_logic import EntryVerdict
from strategies.exit_logic import EntryPoint, ExitOutcome

Kind: TypeAlias = Literal["strategy", "entry", "exit"]
"""What a plugin brings: a whole strategy, which is an entry and an exit in one, or one of them."""


class Rules(Protocol):
    """What is asked of an entry and an exit alike; `strategies.logic.Logic` says what each means."""

    @property
    def name(self) -> str:
        """The name that configurations use."""
        ...

    @property
    def warmup(self) -> int:
        """How many candles make the newest one's values independent of where the window begins."""
        ...

    def warmup_at(self, interval: str) -> int:
        """Return the warm-up in candles of an interval."""
        ...

    def misfit(self, interval: str) -> str | None:
        """Return why the parameters do not fit candles of an interval; None: they do."""
        ...


class EntryRules(Rules, Protocol):
    """What is asked of an entry, wherever its code runs."""

    def verdict(self, candles: Candles) -> EntryVerdict:
        """Judge the newest candle alone."""
        ...

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether it gives a signal."""
        ...


class ExitRules(Rules, Protocol):
    """What is asked of an exit, wherever its code runs."""

    def state_belongs(self, state: ExitState) -> bool:
        """Return whether this logic has made the state."""
        ...

    def start(self, candles: Candles, entry: EntryPoint) -> ExitState:
        """Return the first state of a position."""
        ...

    def fold(self, candles: Candles, state: ExitState, entry: EntryPoint, *, warmup: int | None = None) -> ExitOutcome:
        """Fold every candle after `state.folded`, up to the first exit."""
        ...


@runtime_checkable
class Plugged(Protocol):
    """What a logic that comes from a plugin can say besides."""

    @property
    def version(self) -> str:
        """The plugin and its version, such as `steadyhand-example 1.0.0`."""
        ...


@dataclass(frozen=True, slots=True)
class Described:
    """A plugin's logic for people: its rule in words, and its parameters as a JSON schema."""

    kind: Kind
    name: str
    rule: str
    schema: Mapping[str, Any]


class Plugs(Protocol):
    """The plugins of a process. Whatever loads or runs their code blocks: it belongs into `executor`."""

    def names(self, kind: Kind) -> Sequence[str]:
        """Return the names that are installed; no plugin's code is run for that."""
        ...

    def has(self, kind: Kind, name: str) -> bool:
        """Return whether a name is installed, or is the path of a class that may be loaded."""
        ...

    def hint(self, name: str) -> str | None:
        """Return why what looks like the path of a class may not be loaded; None for any other name."""
        ...

    def executor(self, strategy: Any) -> Executor | None:
        """Return where a strategy, as a raw document, is to be checked, built and asked; None: no plugin takes part."""
        ...

    def problems(self, kind: Kind, name: str, params: Mapping[str, Any], *, at: Place) -> Sequence[Problem]:
        """Return what is wrong with parameters, or with the plugin itself. Blocks.

        Args:
            at: where the name stands, without its last key, inside the whole configuration.
        """
        ...

    def entry(self, kind: Kind, name: str, params: Mapping[str, Any]) -> EntryRules:
        """Return an entry with these parameters. Blocks; whatever a plugin does wrong is raised."""
        ...

    def exit(self, kind: Kind, name: str, params: Mapping[str, Any]) -> ExitRules:
        """Return an exit with these parameters. Blocks; whatever a plugin does wrong is raised."""
        ...

    def describe(self) -> Sequence[Described]:
        """Return what is installed and can be loaded. Blocks."""
        ...


class NoPlugins:
    """Implements `Plugs` of a process that has none."""

    def names(self, kind: Kind) -> Sequence[str]:
        """Return none."""
        del kind
        return ()

    def has(self, kind: Kind, name: str) -> bool:
        """Return false."""
        del kind, name
        return False

    def hint(self, name: str) -> str | None:
        """Return None."""
        del name
        return None

    def executor(self, strategy: Any) -> Executor | None:
        """Return None."""
        del strategy
        return None

    def problems(self, kind: Kind, name: str, params: Mapping[str, Any], *, at: Place) -> Sequence[Problem]:
        """Refuse, as there is none to ask."""
        del params, at
        raise LookupError(f"there is no {kind} {name!r}")

    def entry(self, kind: Kind, name: str, params: Mapping[str, Any]) -> EntryRules:
        """Refuse, as there is none to return."""
        del params
        raise LookupError(f"there is no {kind} {name!r}")

    def exit(self, kind: Kind, name: str, params: Mapping[str, Any]) -> ExitRules:
        """Refuse, as there is none to return."""
        del params
        raise LookupError(f"there is no {kind} {name!r}")

    def describe(self) -> Sequence[Described]:
        """Return none."""
        return ()


NO_PLUGINS = NoPlugins()
