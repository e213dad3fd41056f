"""A plugin that misbehaves in a way that its parameters name, while a file is there. Else it is the catalogue's own."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from domain.candles import Candles
from domain.decisions import Condition, ExitState, Take
from strategies.arrays import Flags
from strategies.conditions import Check, VectorCondition, check
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from strategies.entry_logic import EntryVerdict
from strategies.exit_logic import EntryPoint, ExitOutcome, ExitSeries, ExitSignal
from strategies.exits.atr import ATRExitMixin, ATRParams, Trail


class EntryParams(RSIBBVolumeParams):
    mode: str = ""
    switch: str = ""


class ExitParams(ATRParams):
    mode: str = ""
    switch: str = ""


def misbehave(mode: str, switch: str) -> None:
    if mode in HARM and Path(switch).exists():
        HARM[mode]()


def is_on(params: EntryParams | ExitParams, mode: str) -> bool:
    return params.mode == mode and Path(params.switch).exists()


def _raise() -> None:
    raise ZeroDivisionError("a bad mood")


def _loop() -> None:
    while True:
        pass


def _sleep_in_a_child() -> None:
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)


def _allocate() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(1 << 24))


def _print() -> None:
    print("x" * 5_000_000, flush=True)
    os.write(2, b"y" * 5_000_000)


HARM: dict[str, Callable[[], object]] = {
    "raises": _raise,
    "loops": _loop,
    "forks": _sleep_in_a_child,
    "allocates": _allocate,
    "prints": _print,
    "exits": lambda: os._exit(3),
    "quits": lambda: exec("raise SystemExit(4)"),
}


class UnrulyEntry(RSIBBVolumeEntryMixin):
    Params = EntryParams
    params: EntryParams

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        misbehave(self.params.mode, self.params.switch)
        if is_on(self.params, "nan"):
            return (VectorCondition("trend", np.full(len(candles), np.nan), ">", 0.0),)
        if is_on(self.params, "nonsense"):
            return cast("tuple[VectorCondition, ...]", "buy!")
        if is_on(self.params, "lists"):
            lists: Any = [1.0] * len(candles)
            return (VectorCondition("trend", lists, ">", 0.0),)
        return super().conditions(candles)

    def signals(self, candles: Candles) -> Flags:
        flags = super().signals(candles)
        return flags[1:] if is_on(self.params, "short") else flags

    def verdict(self, candles: Candles) -> EntryVerdict:
        told = super().verdict(candles)
        if is_on(self.params, "verdict"):
            return cast("EntryVerdict", "buy!")
        if is_on(self.params, "text"):
            return EntryVerdict(signal=cast("bool", "yes"), conditions=())
        if is_on(self.params, "infinite"):
            wild = Condition.model_construct(name="x", left=np.inf, op=">", right=1.0, holds=True)
            return EntryVerdict(signal=True, conditions=(wild,))
        if is_on(self.params, "wordy"):
            return EntryVerdict(signal=True, conditions=told.conditions * 200)
        return told


class UnrulyExit(ATRExitMixin):
    Params = ExitParams
    params: ExitParams

    def checks(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        misbehave(self.params.mode, self.params.switch)
        if is_on(self.params, "nan"):
            return (check("trend", np.nan, ">", 0.0),)
        if is_on(self.params, "nonsense"):
            return cast("tuple[Check, ...]", "sell!")
        return super().checks(memory, series, i, entry)

    def start(self, candles: Candles, entry: EntryPoint) -> ExitState:
        return self._spoilt(super().start(candles, entry))

    def fold(self, candles: Candles, state: ExitState, entry: EntryPoint, *, warmup: int | None = None) -> ExitOutcome:
        outcome = super().fold(candles, state, entry)
        if is_on(self.params, "lazy"):
            return ExitOutcome(state, None, outcome.conditions)
        exits = {"again": state.folded, "between": state.folded + 1, "ahead": state.folded + 60_000_000}
        if self.params.mode in exits and is_on(self.params, self.params.mode):
            at = exits[self.params.mode]
            return ExitOutcome(state.model_copy(update={"folded": at}), ExitSignal("x", at, "x"), ())
        if is_on(self.params, "wordy"):
            at = outcome.state.folded
            return ExitOutcome(outcome.state, ExitSignal("x", at, "because " * 1000), ())
        return ExitOutcome(self._spoilt(outcome.state), outcome.exit, outcome.conditions)

    def _spoilt(self, state: ExitState) -> ExitState:
        changes: dict[str, dict[str, Any]] = {
            "above": {"stop": 1e9},
            "stop-nan": {"stop": float("nan")},
            "large": {"values": {f"v{i}": 1.5 for i in range(200)}},
            "greedy": {"takes": (Take(level=120.0, share=1.5),)},
            "foreign": {"logic": "ATRExitMixin:12345678"},
            "nameless": {"values": {"v" * 5000: "x", "w": [1]}},
            "early": {"folded": state.folded + 60_000_000},
        }
        found = [change for mode, change in changes.items() if is_on(self.params, mode)]
        return state.model_copy(update=found[0]) if found else state
