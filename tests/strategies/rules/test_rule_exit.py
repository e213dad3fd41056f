"""An exit by rule, by hand: what it knows of the position, and when it is left."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.exit_logic import EntryPoint, ExitOutcome
from strategies.exits.atr import ATRExitMixin, ATRParams
from strategies.exits.rule import RuleExitMixin, RuleExitParams
from tests.strategies import reference
from tests.strategies.reference import MINUTE

# The signal comes on the candle of minute 3, at 12; the position was bought at 12.5. Minute 6 is missing.
CANDLES = Candles(
    np.array([1, 2, 3, 4, 5, 7, 8], dtype=np.int64) * MINUTE,
    *(
        np.array(column, dtype=np.float64)
        for column in (
            [10, 11, 12, 12, 13, 15, 12],
            [11, 12, 13, 14, 16, 15, 13],
            [9, 10, 11, 12, 13, 12, 10],
            [11, 12, 12, 13, 15, 13, 10],
            [1, 1, 1, 1, 1, 1, 1],
        )
    ),
)
ENTRY = EntryPoint(signal_time=3 * MINUTE, signal_close=12.0, price=12.5, opened_at=4 * MINUTE)


def exit_of(rule: dict[str, Any], stop: str = "") -> RuleExitMixin:
    return RuleExitMixin(RuleExitParams(rule=rule, stop=stop))


def compared(left: str, op: str, right: float | str) -> dict[str, Any]:
    return {"left": left, "op": op, "right": right}


def fold(logic: RuleExitMixin, count: int = len(CANDLES)) -> ExitOutcome:
    return logic.fold(CANDLES[:count], logic.start(CANDLES[:3], ENTRY), ENTRY)


def left_at(rule: dict[str, Any], stop: str = "") -> int | None:
    """Return the minute of the candle on which the position is left."""
    outcome = fold(exit_of(rule, stop))
    return outcome.exit.candle_time // MINUTE if outcome.exit else None


@pytest.mark.parametrize(
    ("rule", "minute"),
    [
        pytest.param(compared("profit_pct", ">=", 4), 4, id="13 is 4 % above 12.5"),
        pytest.param(compared("profit_pct", ">", 4), 5, id="15 is 20 % above"),
        pytest.param(compared("profit_pct", "<=", -20), 8, id="10 is 20 % below"),
        pytest.param(compared("close", ">=", "1.2 * entry_price"), 5, id="1.2 * 12.5 is 15"),
        pytest.param(compared("bars_held", ">=", 1), 4, id="the candle after the signal's is the first"),
        pytest.param(compared("bars_held", ">=", 4), 8, id="the missing candle does not count"),
        pytest.param(compared("minutes_held", ">=", 4), 7, id="but its minute does"),
        pytest.param(compared("minutes_held", "<", 1), None, id="no candle is younger than one minute"),
        pytest.param(compared("close", "<=", "peak - 3"), 7, id="the peak is 16"),
        pytest.param(compared("close", "<=", "peak * 0.99"), 4, id="13 is below 99 % of 14"),
        pytest.param(
            compared("close", "crosses_below", "peak - 0.5"), 4, id="12 was at the peak, 13 is below 14 - 0.5"
        ),
        pytest.param(compared("close", "crosses_below", "peak - 2"), 7, id="15 was above 14, and 13 is below"),
        pytest.param(compared("close", "crosses_below", "entry_price"), 8, id="from 13 to 10 through 12.5"),
        pytest.param(compared("profit_pct", "crosses_above", 0), 4, id="the signal closed at -4 %"),
        pytest.param(compared("bars_held", "crosses_above", 0), 4, id="from the signal's candle to the first"),
        pytest.param({"not": compared("close", "crosses_above", "entry_price")}, 5, id="it does on the first"),
        pytest.param({"all": [compared("bars_held", ">=", 2), compared("close", "<", 14)]}, 7, id="both"),
        pytest.param({"any": [compared("bars_held", ">=", 4), compared("close", "<", "open")]}, 7, id="either"),
        pytest.param(compared("close", "<", "sma(3)"), 7, id="13 is below the mean of 13, 15, 13"),
        pytest.param(compared("close", "<", "sma(3) - 2 + 0 * peak"), 8, id="10 is below 12.67 - 2"),
        pytest.param(compared("close / (peak - high)", ">", 0), 7, id="nothing is divided by zero"),
        pytest.param(compared("-profit_pct", ">", 5), 8, id="minus"),
        pytest.param(compared("close", "<", "sma(50)"), None, id="what has no value never holds"),
    ],
)
def test_the_position_is_left_on_the_first_candle_on_which_the_rule_holds(
    rule: dict[str, Any], minute: int | None
) -> None:
    assert left_at(rule) == minute


def test_an_exit_tells_the_comparisons_that_hold() -> None:
    outcome = fold(exit_of({"all": [compared("bars_held", ">=", 2), compared("close", "<", "peak - 2")]}))

    assert outcome.exit is not None
    assert outcome.exit.rule == "RuleExitMixin"
    assert outcome.exit.reason == "bars_held: 3 >= 2; close, peak - 2: 13 < 14"


def test_part_of_an_all_is_no_exit_and_is_explained() -> None:
    outcome = fold(exit_of({"all": [compared("bars_held", ">=", 2), compared("close", "<", 5)]}))

    assert outcome.exit is None
    assert [str(condition) for condition in outcome.conditions] == ["✓ bars_held: 4 >= 2", "✗ close: 10 < 5"]


NEVER = compared("close", "<", 0)


@pytest.mark.parametrize(
    ("stop", "minute", "levels"),
    [
        pytest.param("peak - 2.5", 7, [9.5, 11.5, 13.5, 13.5], id="13 is below 16 - 2.5"),
        pytest.param("entry_price * 0.8", 8, [10, 10, 10, 10, 10], id="10 is at 0.8 * 12.5"),
        pytest.param("low[-1]", 7, [10, 11, 12, 13], id="the low before; 13 closes on it"),
        pytest.param("low - 1", 8, [10, 11, 12, 12, 12], id="never falls"),
        pytest.param("sma(50)", None, [None] * 5, id="no stop for want of candles"),
    ],
)
def test_a_stop_is_the_running_maximum_of_its_price(stop: str, minute: int | None, levels: list[float | None]) -> None:
    logic = exit_of(NEVER, stop)
    state = logic.start(CANDLES[:3], ENTRY)
    found = [state.stop]
    for end in range(4, len(CANDLES) + 1):
        outcome = logic.fold(CANDLES[:end], state, ENTRY)
        state = outcome.state
        found.append(state.stop)
        if outcome.exit:
            break

    assert found == levels
    assert left_at(NEVER, stop) == minute


def test_a_stop_that_is_reached_is_the_reason() -> None:
    outcome = fold(exit_of(NEVER, "peak-2.5"))

    assert outcome.exit is not None
    assert outcome.exit.reason == "close, stop peak - 2.5: 13 <= 13.5"


def test_a_position_older_than_the_candles_keeps_count_and_peak() -> None:
    logic = exit_of(compared("close", "<", "sma(3) - 5"))
    state = ExitState.model_validate(logic.start(CANDLES[:3], ENTRY).model_dump())

    outcome = logic.fold(CANDLES[3:], state, ENTRY)

    assert outcome.state.values == {"candles": 4, "peak": 16.0, "peak_before": 16.0}


def test_without_its_signal_candle_it_begins_at_the_signals_close() -> None:
    state = exit_of(NEVER, "peak - 2.5").start(CANDLES[4:], ENTRY)

    assert (state.values, state.stop) == ({"candles": 0, "peak": 12.0, "peak_before": 12.0}, None)


def test_a_state_without_numbers_is_refused() -> None:
    logic = exit_of(NEVER)
    state = logic.start(CANDLES[:3], ENTRY)

    with pytest.raises(TypeError, match="peak in an exit state must be a number; was 'high'"):
        logic.fold(CANDLES, state.model_copy(update={"values": {**state.values, "peak": "high"}}), ENTRY)


def test_another_rule_does_not_go_on_from_the_state_but_other_spaces_do() -> None:
    state = exit_of(compared("close", "<", "peak-1"), "peak-2").start(CANDLES[:3], ENTRY)

    assert exit_of(compared("close", "<", "Peak - 1"), "peak  - 2").state_belongs(state)
    assert not exit_of(compared("close", "<", "peak - 1")).state_belongs(state)


def test_the_trailing_stop_of_the_catalogue_can_be_written_as_a_rule() -> None:
    candles = reference.real_candles()
    written = exit_of(NEVER, "peak - 1.5 * atr(14)")
    known = ATRExitMixin(ATRParams(x_sl_multiplier=1.5))
    assert written.warmup == known.warmup
    for start in np.flatnonzero(reference.example_signals(candles))[::40]:
        close, i = candles.close.item(start), int(start)
        entry = EntryPoint(candles.open_time.item(i), close, close, candles.open_time.item(i) + MINUTE)
        window = candles[max(i - 500, 0) : i + 2000]
        expected = known.fold(window, known.start(window, entry), entry)

        outcome = written.fold(window, written.start(window, entry), entry)

        assert outcome.exit is not None
        assert expected.exit is not None
        assert outcome.exit.candle_time == expected.exit.candle_time
        assert outcome.state.stop == expected.state.stop


@settings(deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=5))
def test_folding_in_pieces_equals_folding_in_one_go(seed: int, cuts: list[int]) -> None:
    chance = np.random.default_rng(seed)
    market = reference.candles_of((100 + np.cumsum(chance.normal(0, 1, 60))).tolist(), spread=0.5)
    rule = {"all": [compared("close", "crosses_below", "peak - 2"), compared("bars_held", ">", 3)]}
    logic = exit_of(rule, "peak - 4 * atr(3)")
    close = market.close.item(10)
    entry = EntryPoint(market.open_time.item(10), close, close, market.open_time.item(11))
    first = logic.start(market, entry)
    assert logic.start(market[:11], entry) == first
    whole = logic.fold(market, first, entry)

    outcome = ExitOutcome(first, None, ())
    for cut in [*(cut for cut in sorted(cuts) if cut > 11), len(market)]:
        state = ExitState.model_validate_json(outcome.state.model_dump_json())
        outcome = logic.fold(market[:cut], state, entry)
        if outcome.exit is not None:
            break

    assert outcome == whole
