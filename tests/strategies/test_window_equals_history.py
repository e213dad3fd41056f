"""A window of as many candles as a logic asks for decides as the whole month before it does."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from strategies.catalogue import ENTRIES, EXITS
from strategies.exit_logic import ExitSeries
from tests.strategies import reference
from tests.strategies.cases import ADVANCED_CASES, ENTRY_CASES, EXIT_CASES, entry_at

ALL_EXITS = [*EXIT_CASES, *(("AdvancedATRExitMixin", changed) for changed in ADVANCED_CASES)]
FOLLOWED = 30


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


@pytest.mark.parametrize(("name", "changed"), [(name, changed) for name, changed, _ in ENTRY_CASES])
def test_an_entry_on_a_window_gives_the_signals_of_the_history(
    candles: Candles, name: str, changed: dict[str, Any]
) -> None:
    logic = ENTRIES[name](ENTRIES[name].Params.model_validate(changed))
    window = logic.warmup_at("1m")
    signals = logic.signals(candles)
    on = np.flatnonzero(signals)
    on = on[:: max(len(on) // 60, 1)]
    sampled = np.concatenate([on, on - 1, on + 1, np.arange(window, len(candles), 499)])
    for i in sampled[(sampled >= window) & (sampled < len(candles))].tolist():
        verdict = logic.verdict(candles[i - window + 1 : i + 1])

        assert not verdict.waiting_for
        assert verdict.signal == signals[i], i


@pytest.mark.parametrize(("name", "changed"), ALL_EXITS)
def test_an_exit_on_a_window_candle_by_candle_leaves_where_the_history_does(
    candles: Candles, name: str, changed: dict[str, Any]
) -> None:
    logic = EXITS[name](EXITS[name].Params.model_validate(changed))
    window = logic.warmup_at("1m")
    for start in range(max(window, 3_000), 44_000, 3_500):
        entry = entry_at(candles, start)
        history = candles[: start + FOLLOWED + 1]
        series, expected = logic.prepare(history), logic.start(history, entry)
        state = logic.start(candles[start - window + 1 : start + 1], entry)
        for i in range(start + 1, start + FOLLOWED + 1):
            outcome = logic.fold(candles[i - window + 1 : i + 1], state, entry)
            state = outcome.state
            known = ExitSeries(history[: i + 1], tuple(values[: i + 1] for values in series.indicators))
            whole = logic.walk(known, expected, entry)
            expected = whole.state

            assert (outcome.exit is None) == (whole.exit is None)
            assert state.folded == expected.folded
            assert state.stop == (None if expected.stop is None else pytest.approx(expected.stop, rel=1e-9))
            if outcome.exit is not None:
                break
