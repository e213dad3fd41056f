"""What must be true of every logic, for any candles and any parameters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decisions import ExitState
from strategies.catalogue import ENTRIES, EXITS
from strategies.exit_logic import AnyExit, ExitOutcome
from tests.strategies.generators import entries, exits, markets, positions

RUNS = settings(deadline=None, max_examples=40)

each_entry = pytest.mark.parametrize("name", ENTRIES)
each_exit = pytest.mark.parametrize("name", EXITS)


@each_entry
@RUNS
@given(data=st.data())
def test_an_entry_never_looks_ahead_and_its_last_candle_agrees_with_all(name: str, data: st.DataObject) -> None:
    candles, logic = data.draw(markets()), data.draw(entries(name))
    signals = logic.signals(candles)

    assert len(signals) == len(candles)
    for end in range(1, len(candles) + 1):
        verdict = logic.verdict(candles[:end])
        assert verdict.signal == signals[end - 1]
        assert verdict.conditions == logic.explain(candles, end - 1)
        if verdict.signal:
            assert not verdict.waiting_for
            assert any(condition.holds for condition in verdict.conditions)


@each_exit
@RUNS
@given(data=st.data())
def test_an_exit_never_looks_ahead(name: str, data: st.DataObject) -> None:
    (candles, entry, i), logic = data.draw(positions()), data.draw(exits(name))
    state = logic.start(candles, entry)
    whole = logic.fold(candles, state, entry)
    folded = int(candles.open_time.searchsorted(whole.state.folded, side="right"))

    assert logic.start(candles[: i + 1], entry) == state
    assert logic.fold(candles[:folded], state, entry) == whole
    if whole.exit is not None:
        assert any(condition.holds for condition in whole.conditions)
        assert whole.exit.reason


def _may_fall(logic: AnyExit) -> bool:
    return logic.name == "TrailingStopExitMixin" and logic.params.x_use_atr


@each_exit
@RUNS
@given(data=st.data())
def test_a_stop_is_never_set_above_the_prices_that_there_were(name: str, data: st.DataObject) -> None:
    """At the entry it is at most the price paid or the signal's close; raised, at most the highest price since."""
    (candles, entry, i), logic = data.draw(positions()), data.draw(exits(name))
    state = logic.start(candles, entry)
    peak = max(entry.price, entry.signal_close)
    assert state.stop is None or state.stop <= peak
    for end in range(i + 2, len(candles) + 1):
        peak = max(peak, candles.high.item(end - 1))
        outcome = logic.fold(candles[:end], state, entry)
        if state.stop is not None:
            assert outcome.state.stop is not None
            assert outcome.state.stop >= state.stop or _may_fall(logic)
        assert outcome.state.stop is None or outcome.state.stop <= peak
        state = outcome.state
        if outcome.exit is not None:
            break


@each_exit
@RUNS
@given(data=st.data(), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_folding_in_pieces_equals_folding_in_one_go(name: str, data: st.DataObject, cuts: list[int]) -> None:
    (candles, entry, i), logic = data.draw(positions()), data.draw(exits(name))
    first = logic.start(candles, entry)
    whole = logic.fold(candles, first, entry)

    outcome = ExitOutcome(first, None, ())
    for cut in [*(cut for cut in sorted(cuts) if i < cut < len(candles)), len(candles)]:
        # Between the pieces the state travels through a workflow's history.
        state = ExitState.model_validate_json(outcome.state.model_dump_json())
        outcome = logic.fold(candles[:cut], state, entry)
        if outcome.exit is not None:
            break

    assert outcome == whole
    if whole.exit is None:  # with no new candle, the newest is explained again
        assert logic.fold(candles, ExitState.model_validate_json(whole.state.model_dump_json()), entry) == whole


@each_exit
@RUNS
@given(data=st.data())
def test_a_position_whose_candles_are_gone_goes_on_from_those_that_there_are(name: str, data: st.DataObject) -> None:
    (candles, entry, _), logic = data.draw(positions()), data.draw(exits(name))
    state = logic.start(candles[:0], entry)
    window = candles[len(candles) // 2 :]
    later = logic.fold(window, state, entry)

    assert later.state.folded <= max(entry.signal_time, int(window.open_time[-1]))
    assert ExitState.model_validate_json(later.state.model_dump_json()) == later.state
