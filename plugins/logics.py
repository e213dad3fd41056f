"""An entry and an exit whose code runs in a plugin's process. What it answers is checked before it is relied on."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from domain.candles import Candles
from domain.decisions import ExitState
from domain.model import Model
from plugins.errors import PluginFailed
from plugins.host import Host, Question, T
from plugins.sources import Source
from strategies.arrays import Flags
from strategies.entry_logic import EntryVerdict
from strategies.exit_logic import EntryPoint, ExitOutcome

MOST_CANDLES = 100_000
LONGEST_STATE = 1024
"""Bytes of an exit state as JSON: it travels several times in payloads that stay under 4 KB."""
_LONGEST_WORDS = 2048
_Candles = Annotated[int, Field(ge=1, le=MOST_CANDLES)]


class Opened(Model):
    """What a logic with its parameters says of itself once."""

    model_config = ConfigDict(extra="forbid")

    warmup: _Candles
    identity: Annotated[str, Field(min_length=1, max_length=200)]


class Suits(Model):
    """The same for candles of an interval."""

    warmup: _Candles
    misfit: Annotated[str, Field(max_length=500)] | None


_OPENED, _SUITS = TypeAdapter(Opened), TypeAdapter(Suits)
_VERDICT, _STATE, _OUTCOME = TypeAdapter(EntryVerdict), TypeAdapter(ExitState), TypeAdapter(ExitOutcome)
_WORDS: TypeAdapter[Any] = TypeAdapter(tuple[Any, ...])
_NOTHING: TypeAdapter[None] = TypeAdapter(None)


class _Remote:
    """What entries and exits share. Every method that asks the plugin blocks, and raises `PluginFailed`."""

    def __init__(self, host: Host, source: Source, params: Mapping[str, JsonValue]) -> None:
        self._host = host
        self._source = source
        self._params = params
        opened, _ = self._ask("open", _OPENED)
        self._identity = opened.identity
        self._enough = opened.warmup
        self._suited: dict[str, Suits] = {}

    @property
    def name(self) -> str:
        """The name that configurations use."""
        return self._source.name

    @property
    def version(self) -> str:
        """The plugin and the version of it that runs."""
        return f"{self._source.owner} {self._host.version(self._source)}"

    @property
    def warmup(self) -> int:
        """How many candles make its newest values independent of where the window begins."""
        return self._enough

    def warmup_at(self, interval: str) -> int:
        """Return the warm-up in candles of an interval; from then on, that many are enough."""
        self._enough = self._suits(interval).warmup
        return self._enough

    def misfit(self, interval: str) -> str | None:
        """Return why the parameters do not fit candles of an interval; None: they do."""
        return self._suits(interval).misfit

    def _suits(self, interval: str) -> Suits:
        if interval not in self._suited:
            self._suited[interval], _ = self._ask("suit", _SUITS, interval=interval)
        return self._suited[interval]

    def _ask(
        self, call: str, of: TypeAdapter[T], candles: Candles | None = None, *, numbers: int = 0, **details: Any
    ) -> tuple[T, bytearray]:
        return self._host.ask(Question(self._source, call, self._params, details, candles, numbers), of)

    def _nonsense(self, what: str) -> PluginFailed:
        return PluginFailed(f"{self._source}: it gave nonsense: {what}")

    def _brief(self, *words: object) -> None:
        """Refuse conditions and reasons that are too long to travel."""
        size = len(_WORDS.dump_json(words))
        if size > _LONGEST_WORDS:
            raise self._nonsense(
                f"conditions and reasons must take at most {_LONGEST_WORDS} bytes of JSON; took {size}"
            )


class RemoteEntry(_Remote):
    """Implements `EntryRules`."""

    def verdict(self, candles: Candles) -> EntryVerdict:
        """Judge the newest candle."""
        verdict, _ = self._ask("verdict", _VERDICT, candles, enough=self._enough)
        self._brief(verdict.conditions, verdict.waiting_for)
        return verdict

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether it gives a signal."""
        _, flags = self._ask("signals", _NOTHING, candles, numbers=len(candles), enough=self._enough)
        return np.frombuffer(flags, dtype=np.bool_)


class RemoteExit(_Remote):
    """Implements `ExitRules`."""

    def state_belongs(self, state: ExitState) -> bool:
        """Return whether this logic, with these parameters, has made the state. Asks nobody."""
        return state.logic == self._identity

    def start(self, candles: Candles, entry: EntryPoint) -> ExitState:
        """Return the first state of a position."""
        state, _ = self._ask("start", _STATE, candles, entry=asdict(entry), enough=self._enough)
        self._own(state)
        if state.folded != entry.signal_time:
            raise self._nonsense(f"start must give a state of candle {entry.signal_time}; was of {state.folded}")
        self._below(state, entry.signal_close)
        return state

    def fold(self, candles: Candles, state: ExitState, entry: EntryPoint, *, warmup: int | None = None) -> ExitOutcome:
        """Fold every candle after `state.folded`, up to the first exit; the plugin knows its warm-up itself."""
        del warmup
        outcome, _ = self._ask(
            "fold", _OUTCOME, candles, state=state.model_dump(), entry=asdict(entry), enough=self._enough
        )
        self._brief(outcome.conditions, outcome.exit.reason if outcome.exit else None)
        self._own(outcome.state)
        self._in_order(candles, state, outcome)
        if outcome.exit is not None:
            return replace(outcome, exit=replace(outcome.exit, rule=self.name))
        i = int(candles.open_time.searchsorted(outcome.state.folded))
        if i < len(candles):
            self._below(outcome.state, candles.close.item(i))
        return outcome

    def _own(self, state: ExitState) -> None:
        if not self.state_belongs(state):
            raise self._nonsense(f"an exit state must be of {self._identity}; was of {state.logic[:80]}")
        size = len(_STATE.dump_json(state))
        if size > LONGEST_STATE:
            raise self._nonsense(f"an exit state must take at most {LONGEST_STATE} bytes of JSON; took {size}")

        for take in state.takes:
            if not 0 < take.share <= 1 or take.level <= 0:
                raise self._nonsense(
                    f"a share to sell must be in (0, 1], at a price; was {take.share:g} at {take.level:g}"
                )

    def _below(self, state: ExitState, price: float) -> None:
        if state.stop is not None and state.stop > price:
            raise self._nonsense(f"a stop must be below the close, {price:.8g}, or an exit; was {state.stop:.8g}")

    def _in_order(self, candles: Candles, before: ExitState, outcome: ExitOutcome) -> None:
        """Refuse a fold that has left candles out, or an exit on anything but a candle that was to be folded."""
        times, fired, folded = candles.open_time, outcome.exit, outcome.state.folded
        newest = times.item(-1) if len(times) else before.folded
        last = max(before.folded, newest)
        if fired is None:
            if folded != last:
                raise self._nonsense(f"all candles up to {last} were to be folded; it stopped at {folded}")
        elif fired.candle_time != folded or folded not in times[times > before.folded]:
            raise self._nonsense(
                f"an exit must be on the candle that was folded last, after {before.folded}; was on {fired.candle_time}"
            )
