"""A live bot's strategy shows each logic the candles that it needs, and decides as on all of them."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from strategies.catalogue import ENTRIES, EXITS
from strategies.custom import CustomStrategy
from strategies.entries.rule import RuleEntryMixin, RuleEntryParams
from strategies.entry_logic import AnyEntry, EntryVerdict
from strategies.exit_logic import AnyExit
from strategies.exits.rule import RuleExitMixin, RuleExitParams
from tests.strategies import reference
from tests.strategies.cases import entry_at

LOOKBACK = 500
LONG_ENTRY = RuleEntryMixin(RuleEntryParams(rule={"left": "close", "op": "crosses_above", "right": "ema(5)@15m"}))
SHORT_ENTRY = ENTRIES["RSIBBEntryMixin"](ENTRIES["RSIBBEntryMixin"].Params())


def exit_of(name: str, **params: Any) -> AnyExit:
    return EXITS[name](EXITS[name].Params.model_validate(params))


LONG_EXIT = exit_of("AdvancedATRExitMixin", htf="5m")
RULE_EXIT = RuleExitMixin(
    RuleExitParams.model_validate(
        {"rule": {"left": "close", "op": "crosses_below", "right": "ema(9)@5m"}, "stop": "peak - 6 * atr(14)@5m"}
    )
)
EXIT_LOGICS = [LONG_EXIT, RULE_EXIT, exit_of("ATRExitMixin"), exit_of("TimeBasedExitMixin", x_use_time=True)]


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def strategy(entry: AnyEntry, exit_: AnyExit) -> CustomStrategy:
    return CustomStrategy(entry, exit_).windowed("1m", LOOKBACK)


def test_each_logic_has_a_window_of_its_own() -> None:
    made = strategy(SHORT_ENTRY, LONG_EXIT)

    # Wilder's averages of 14 take 420 candles; the range of five-minute candles 422 of those.
    assert (made.entry_window, made.exit_window) == (500, 5 * 422)
    assert made.warmup_at("1m") == 5 * 422
    assert strategy(LONG_ENTRY, exit_of("ATRExitMixin")).entry_window == LONG_ENTRY.warmup_at("1m")


def test_the_other_logics_needs_do_not_lengthen_an_entrys_window(candles: Candles) -> None:
    class Seen(type(SHORT_ENTRY)):  # type: ignore[misc]
        def verdict(self, candles: Candles) -> EntryVerdict:
            lengths.append(len(candles))
            return super().verdict(candles)  # type: ignore[no-any-return]

    lengths: list[int] = []
    strategy(Seen(SHORT_ENTRY.params), LONG_EXIT).entry(candles[:5_000])
    CustomStrategy(Seen(SHORT_ENTRY.params), LONG_EXIT).entry(candles[:5_000])

    assert lengths == [500, 5_000]


@pytest.mark.parametrize("entry", [SHORT_ENTRY, LONG_ENTRY])
def test_an_entry_in_its_window_gives_the_signals_of_the_history(candles: Candles, entry: AnyEntry) -> None:
    made = strategy(entry, LONG_EXIT)
    signals = made.signals(candles)
    on = np.flatnonzero(signals)[:: signals.sum() // 100]
    sampled = np.concatenate([on, on + 1, np.arange(3_000, len(candles), 997)])

    assert len(on) >= 100
    for i in sampled[(sampled >= 3_000) & (sampled < len(candles))].tolist():
        assert made.entry(candles[: i + 1]).signal == signals[i], i


@pytest.mark.parametrize("exit_", EXIT_LOGICS, ids=lambda logic: logic.name)
@pytest.mark.parametrize("away", [1, 7, 600], ids=lambda away: f"{away} candles at a time")
def test_an_exit_in_its_window_leaves_where_the_history_does(candles: Candles, exit_: AnyExit, away: int) -> None:
    made = strategy(SHORT_ENTRY, exit_)
    for signal in range(5_000, 40_000, 7_001):
        entry, end = entry_at(candles, signal), signal + 600
        whole = exit_.fold(candles[:end], exit_.start(candles[: signal + 1], entry), entry)
        state, exit_signal = made.start_exit(candles[: signal + 1], entry), None
        for seen in [*range(signal + 1 + away, end, away), end]:
            outcome = made.fold_exit(candles[:seen], state, entry)
            state, exit_signal = outcome.state, outcome.exit
            if exit_signal is not None:
                break

        assert whole.exit is not None
        assert exit_signal is not None
        assert exit_signal.candle_time == whole.exit.candle_time
        assert state.stop == (None if whole.state.stop is None else pytest.approx(whole.state.stop, rel=1e-9))


def test_after_candles_that_are_gone_the_longer_ones_converge_first(candles: Candles) -> None:
    # Nothing is left of the candles before the state: in the 2,110 that the range of five minutes takes it is not
    # settled, and the exit looks at the newest one alone; without the interval it looks at all from the 630th on.
    entry = entry_at(candles, 1_000)
    state = LONG_EXIT.start(candles[:1_001], entry)
    left = candles[1_002:3_112]
    low = float(left.low[700:-1].min())
    state = state.model_copy(update={"stop": low})

    assert len(left) == LONG_EXIT.warmup_at("1m")
    assert LONG_EXIT.fold(left, state, entry).state.folded < left.open_time.item(-1)
    assert strategy(SHORT_ENTRY, LONG_EXIT).fold_exit(left, state, entry).state.folded == left.open_time.item(-1)
