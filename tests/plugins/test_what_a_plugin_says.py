"""One plugin, asked directly: its answers are the catalogue's, and each way to misbehave is one error that says how."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest

from domain.candles import Candles
from plugins.errors import PluginFailed
from plugins.logics import RemoteEntry, RemoteExit
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from strategies.exit_logic import EntryPoint
from strategies.exits.atr import ATRExitMixin, ATRParams
from tests.plugins.conftest import Zoo

COUNT = 400
ENTRY: dict[str, Any] = {"e_rsi_period": 5, "e_bb_period": 5, "e_bb_dev": 1.5, "e_vol_ma_period": 5}
EXIT: dict[str, Any] = {"x_atr_period": 5, "x_sl_multiplier": 50.0}


def candles(count: int = COUNT) -> Candles:
    generator = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, COUNT)))
    opened = np.concatenate([[100.0], close[:-1]])
    whole = Candles(
        open_time=np.arange(COUNT, dtype=np.int64) * 60_000,
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
        volume=generator.uniform(1, 10, COUNT),
    )
    return whole[:count]


POINT = EntryPoint(signal_time=299 * 60_000, signal_close=float(candles().close[299]), price=100.0, opened_at=1)


@pytest.fixture
def entry(zoo: Zoo) -> Callable[..., RemoteEntry]:
    plugins = zoo.open(zoo.module("unruly_one"))
    own = {"switch": str(zoo.switch)}
    return lambda mode="": plugins.entry("entry", "unruly_one:UnrulyEntry", {**ENTRY, **own, "mode": mode})


@pytest.fixture
def exits(zoo: Zoo) -> Callable[..., RemoteExit]:
    plugins = zoo.open(zoo.module("unruly_one"))
    own = {"switch": str(zoo.switch)}
    return lambda mode="": plugins.exit("exit", "unruly_one:UnrulyExit", {**EXIT, **own, "mode": mode})


def test_an_entry_says_through_its_process_what_it_says_without_one(entry: Callable[..., RemoteEntry]) -> None:
    here, there = RSIBBVolumeEntryMixin(RSIBBVolumeParams(**ENTRY)), entry()
    assert there.warmup == here.warmup == 150
    assert there.name == "unruly_one:UnrulyEntry"
    flags = there.signals(candles())
    assert flags.tolist() == here.signals(candles()).tolist()
    assert flags.any()
    for count in (0, 3, 200, int(np.flatnonzero(flags)[-1]) + 1):
        assert there.verdict(candles(count)) == here.verdict(candles(count))


def test_an_exit_folds_through_its_process_as_it_does_without_one(exits: Callable[..., RemoteExit]) -> None:
    here, there = ATRExitMixin(ATRParams(**EXIT)), exits()
    started, state = here.start(candles(), POINT), there.start(candles(), POINT)
    assert (state.stop, state.values, state.folded) == (started.stop, started.values, started.folded)
    assert there.state_belongs(state)
    assert not there.state_belongs(started)
    ours, theirs = here.fold(candles(), started, POINT), there.fold(candles(), state, POINT)
    assert (theirs.state.stop, theirs.state.folded) == (ours.state.stop, ours.state.folded)
    assert theirs.conditions == ours.conditions


def test_an_exit_gives_its_reason_by_the_name_that_the_configuration_uses(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_one"))
    tight = plugins.exit("exit", "unruly_one:UnrulyExit", {**EXIT, "x_sl_multiplier": 0.1})
    outcome = tight.fold(candles(), tight.start(candles(), POINT), POINT)
    assert outcome.exit is not None
    assert outcome.exit.rule == "unruly_one:UnrulyExit"
    assert outcome.exit.candle_time == outcome.state.folded


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("raises", "ZeroDivisionError: a bad mood (unruly_logics.py:"),
        ("loops", "no answer within 1.5 s; its process was killed"),
        ("forks", "no answer within 1.5 s; its process was killed"),
        ("allocates", "MemoryError"),
        ("exits", "its process broke off: it exited with code 3"),
        ("quits", "SystemExit: 4"),
        ("nan", "'trend' is not a number on the newest of 400 candles"),
        ("nonsense", "conditions must give a tuple of VectorCondition; gave 'buy!'"),
        ("lists", "'trend' must compare arrays of 400 numbers; has list"),
        ("verdict", "verdict must give an EntryVerdict; gave 'buy!'"),
        ("text", "it gave nonsense: verdict.signal: must be true or false; was 'yes'"),
        ("infinite", "it gave nonsense: verdict.conditions.0.left: must be a finite number; was Infinity"),
        ("wordy", "conditions and reasons must take at most 2048 bytes of JSON; took "),
    ],
)
def test_an_entry_that_misbehaves_is_an_error_that_says_how(zoo: Zoo, mode: str, sentence: str) -> None:
    """What takes too long is asked with a short budget, all else with one that suits a slow machine."""
    plugins = zoo.open(zoo.module("unruly_one"), call_seconds=1.5 if mode in ("loops", "forks") else 10.0)
    params = {**ENTRY, "switch": str(zoo.switch), "mode": mode}
    entry = plugins.entry("entry", "unruly_one:UnrulyEntry", params)
    zoo.turn_on()
    with pytest.raises(PluginFailed) as failed:
        entry.verdict(candles())
    assert str(failed.value).startswith("unruly_one:UnrulyEntry of unruly_one: ")
    assert sentence in str(failed.value)


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("nan", "'trend' is not a number on candle 301 of 400"),
        ("nonsense", "checks must give a tuple of Check; gave 'sell!'"),
        ("above", "a stop must be below the close, "),
        ("stop-nan", "it gave nonsense: fold.state.stop: must be a finite number; was NaN"),
        ("large", "an exit state must take at most 1024 bytes of JSON; took "),
        ("greedy", "a share to sell must be in (0, 1], at a price; was 1.5 at 120"),
        ("foreign", "was of ATRExitMixin:12345678"),
        ("early", "all candles up to 23940000 were to be folded; it stopped at 83940000"),
        ("again", "an exit must be on the candle that was folded last, after 17940000; was on 17940000"),
        ("between", "an exit must be on the candle that was folded last, after 17940000; was on 17940001"),
        ("ahead", "an exit must be on the candle that was folded last, after 17940000; was on 77940000"),
        ("wordy", "conditions and reasons must take at most 2048 bytes of JSON; took "),
        ("nameless", "it gave nonsense: fold.state.values."),
        ("lazy", "all candles up to 23940000 were to be folded; it stopped at 17940000"),
    ],
)
def test_an_exit_that_misbehaves_is_an_error_that_says_how(
    zoo: Zoo, exits: Callable[..., RemoteExit], mode: str, sentence: str
) -> None:
    exit_ = exits(mode)
    state = exit_.start(candles(), POINT)
    zoo.turn_on()
    with pytest.raises(PluginFailed) as failed:
        exit_.fold(candles(), state, POINT)
    assert sentence in str(failed.value)
    assert len(str(failed.value)) < 500


def test_a_state_that_is_nonsense_begins_no_position(zoo: Zoo, exits: Callable[..., RemoteExit]) -> None:
    exit_ = exits("above")
    zoo.turn_on()
    with pytest.raises(PluginFailed, match=r"a stop must be below the close, .*; was 1e\+09"):
        exit_.start(candles(), POINT)


def test_signals_come_one_for_each_candle(zoo: Zoo, entry: Callable[..., RemoteEntry]) -> None:
    short = entry("short")
    zoo.turn_on()
    with pytest.raises(PluginFailed, match="signals gave 399 values for 400"):
        short.signals(candles())


def test_what_a_plugin_prints_is_in_nobodys_way(zoo: Zoo, entry: Callable[..., RemoteEntry]) -> None:
    loud = entry("prints")
    zoo.turn_on()
    assert loud.verdict(candles()) == RSIBBVolumeEntryMixin(RSIBBVolumeParams(**ENTRY)).verdict(candles())


def test_after_harm_it_works_again_in_a_new_process(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_one"))
    entry = plugins.entry("entry", "unruly_one:UnrulyEntry", {**ENTRY, "switch": str(zoo.switch), "mode": "exits"})
    [first] = plugins.pids
    zoo.turn_on()
    with pytest.raises(PluginFailed):
        entry.verdict(candles())
    assert plugins.pids == frozenset()
    assert not psutil.pid_exists(first)
    zoo.turn_off()
    assert entry.verdict(candles()) == RSIBBVolumeEntryMixin(RSIBBVolumeParams(**ENTRY)).verdict(candles())


def test_what_a_plugin_has_started_ends_with_it(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_one"), call_seconds=1.0)
    entry = plugins.entry("entry", "unruly_one:UnrulyEntry", {**ENTRY, "switch": str(zoo.switch), "mode": "forks"})
    [pid] = plugins.pids
    zoo.turn_on()
    with pytest.raises(PluginFailed):
        entry.verdict(candles())
    deadline = time.monotonic() + 10
    while _living(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _living(pid) == []


def test_one_that_dies_of_what_another_has_left_behind_is_asked_again(zoo: Zoo) -> None:
    """The first bot's code ends the process a moment after it has answered: the second is not to blame."""
    plugins = zoo.open("unruly_late", call_seconds=10.0)
    guilty = plugins.entry("entry", "unruly_late:LateEntry", {**ENTRY, "mode": "late"})
    innocent = plugins.entry("entry", "unruly_late:LateEntry", ENTRY)
    guilty.verdict(candles())
    assert innocent.verdict(candles()) == RSIBBVolumeEntryMixin(RSIBBVolumeParams(**ENTRY)).verdict(candles())


def test_a_module_that_raises_is_a_problem_of_the_configuration_until_it_is_mended(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_raw", "raise RuntimeError('no such model file')\n"))
    at = ("strategy", "parameters", "entry_logic")
    [problem] = plugins.problems("entry", "unruly_raw:UnrulyEntry", ENTRY, at=at)
    assert problem.path == "strategy.parameters.entry_logic.name"
    assert "RuntimeError: no such model file (unruly_raw.py:1)" in problem.message
    zoo.module("unruly_raw")
    assert plugins.problems("entry", "unruly_raw:UnrulyEntry", ENTRY, at=at) == ()


def test_a_module_that_never_returns_is_given_up(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_stuck", "while True: pass\n"), start_seconds=4.0)
    with pytest.raises(PluginFailed, match="no answer within 4 s; its process was killed"):
        plugins.entry("entry", "unruly_stuck:UnrulyEntry", ENTRY)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("Missing", "AttributeError: module 'unruly_kinds' has no attribute 'Missing'"),
        ("number", "unruly_kinds:number must be a subclass of strategies.entry_logic.EntryLogic; was 42"),
        ("UnrulyExit", "must be a subclass of strategies.entry_logic.EntryLogic; was <class"),
        ("Half", "unruly_kinds:Half lacks conditions, warmup"),
        ("Bare", "unruly_kinds:Bare.Params must be a subclass of strategies.logic.Parameters; was None"),
    ],
)
def test_a_class_that_is_no_entry_is_refused_in_one_sentence(zoo: Zoo, target: str, sentence: str) -> None:
    plugins = zoo.open("unruly_kinds")
    with pytest.raises(PluginFailed) as failed:
        plugins.entry("entry", f"unruly_kinds:{target}", {})
    assert sentence in str(failed.value)


def test_a_child_sees_nothing_of_the_workers_secrets(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://steady:hand@127.0.0.1/bots")
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", "canary")
    plugins = zoo.open(zoo.module("unruly_one"))
    plugins.entry("entry", "unruly_one:UnrulyEntry", ENTRY)
    [pid] = plugins.pids
    inherited = psutil.Process(pid).environ()
    assert not [name for name in inherited if name.startswith(("STEADYHAND", "TEMPORAL"))]
    assert "canary" not in str(inherited)


def _living(group: int) -> list[int]:
    """Return the processes of a group that live; the dead ones are whoever's who has to reap them."""
    return [found.pid for found in psutil.process_iter(["status"]) if _is_of(found, group)]


def _is_of(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE
    except ProcessLookupError:
        return False
