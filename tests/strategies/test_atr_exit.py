"""The trailing stop, by hand."""

import numpy as np
import pytest

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.exit_logic import EntryPoint
from strategies.exits.atr import ATRExitMixin, ATRParams
from tests.strategies.reference import MINUTE, candles_of

EXIT = ATRExitMixin(ATRParams(x_atr_period=2, x_sl_multiplier=1.5))

# H, L, C; true range; ATR(2), from the mean of the first two ranges.
CANDLES = Candles(
    np.arange(1, 7, dtype=np.int64) * MINUTE,
    *(
        np.array(column, dtype=np.float64)
        for column in (
            [10, 10, 11, 12, 14, 12],
            [11, 12, 13, 15, 14, 12],  # TR  -  2  2  3    2.5  2
            [9, 10, 11, 12, 11.5, 10],  # ATR -  -  2  2.5  2.5  2.25
            [10, 11, 12, 14, 12, 11],
            [1, 1, 1, 1, 1, 1],
        )
    ),
)
ENTRY = EntryPoint(signal_time=3 * MINUTE, signal_close=12.0, price=12.1, opened_at=4 * MINUTE)


def started() -> ExitState:
    return EXIT.start(CANDLES[:3], ENTRY)


def test_the_stop_starts_below_the_signals_close_not_below_its_high() -> None:
    state = started()

    assert state.values == {"peak": 12.0}
    assert state.stop == 12 - 1.5 * 2
    assert state.folded == 3 * MINUTE


def test_the_first_state_is_the_same_when_later_candles_are_known() -> None:
    assert EXIT.start(CANDLES, ENTRY) == started()


@pytest.mark.parametrize(
    ("count", "peak", "stop"),
    [
        pytest.param(4, 15, 15 - 1.5 * 2.5, id="a new high raises peak and stop"),
        pytest.param(5, 15, 11.25, id="a lower high leaves them"),
        pytest.param(6, 15, 15 - 1.5 * 2.25, id="a calmer market raises the stop alone"),
    ],
)
def test_each_candle_raises_peak_and_stop_and_never_lowers_them(count: int, peak: float, stop: float) -> None:
    state = EXIT.fold(CANDLES[:count], started(), ENTRY).state

    assert (state.values["peak"], state.stop, state.folded) == (peak, stop, count * MINUTE)


def test_the_position_is_left_on_the_first_close_at_or_below_the_stop() -> None:
    outcome = EXIT.fold(CANDLES, started(), ENTRY)

    assert outcome.exit is not None
    assert (outcome.exit.rule, outcome.exit.candle_time) == ("ATRExitMixin", 6 * MINUTE)
    assert outcome.exit.reason == "close, stop 1.5 × ATR below peak 15: 11 <= 11.625"


def test_while_it_holds_the_outcome_says_how_far_the_stop_is() -> None:
    outcome = EXIT.fold(CANDLES[:5], started(), ENTRY)

    assert outcome.exit is None
    assert [str(condition) for condition in outcome.conditions] == [
        "✗ close, stop 1.5 × ATR below peak 15: 12 <= 11.25"
    ]


def test_with_no_new_candle_the_state_stays_and_the_newest_candle_is_explained() -> None:
    folded = EXIT.fold(CANDLES[:5], started(), ENTRY)

    again = EXIT.fold(CANDLES[:5], folded.state, ENTRY)

    assert again == folded


def test_the_fold_stops_at_the_exit_and_leaves_later_candles_alone() -> None:
    columns = (CANDLES.open, CANDLES.high, CANDLES.low, CANDLES.close, CANDLES.volume)
    longer = Candles(np.arange(1, 9, dtype=np.int64) * MINUTE, *(np.append(column, [30.0, 31.0]) for column in columns))

    assert EXIT.fold(longer, started(), ENTRY) == EXIT.fold(CANDLES, started(), ENTRY)


def test_without_a_range_at_the_signal_the_first_candle_that_has_one_sets_the_stop() -> None:
    entry = EntryPoint(signal_time=MINUTE, signal_close=10.0, price=10.0, opened_at=2 * MINUTE)
    state = EXIT.start(CANDLES[:1], entry)

    assert state.stop is None
    assert EXIT.fold(CANDLES[:2], state, entry).state.stop is None
    assert EXIT.fold(CANDLES[:2], state, entry).conditions == ()
    assert EXIT.fold(CANDLES[:3], state, entry).state.stop == 13 - 1.5 * 2


def test_after_a_gap_the_first_candle_behind_it_is_judged() -> None:
    times = CANDLES.open_time.copy()
    times[4:] += 60 * MINUTE
    fallen = CANDLES.close.copy()
    fallen[4] = 5.0
    gapped = Candles(times, CANDLES.open, CANDLES.high, np.minimum(CANDLES.low, fallen), fallen, CANDLES.volume)

    outcome = EXIT.fold(gapped, started(), ENTRY)

    assert outcome.exit is not None
    assert outcome.exit.candle_time == (5 + 60) * MINUTE


def test_a_signal_candle_that_is_missing_is_no_obstacle() -> None:
    entry = EntryPoint(signal_time=3 * MINUTE + 1, signal_close=12.0, price=12.0, opened_at=4 * MINUTE)
    state = EXIT.start(CANDLES, entry)

    assert (state.stop, state.values["peak"]) == (None, 12.0)
    assert EXIT.fold(CANDLES[:4], state, entry).state.stop == 15 - 1.5 * 2.5


def test_in_a_flat_market_the_stop_meets_the_price() -> None:
    flat = candles_of([100.1] * 10)
    entry = EntryPoint(5 * MINUTE, 100.1, 100.1, 6 * MINUTE)

    outcome = EXIT.fold(flat, EXIT.start(flat, entry), entry)

    assert outcome.exit is not None
    assert outcome.exit.candle_time == 6 * MINUTE


def test_a_state_of_other_parameters_or_another_logic_does_not_belong() -> None:
    state = started()
    other = ATRExitMixin(ATRParams(x_atr_period=2, x_sl_multiplier=1.6))

    assert EXIT.state_belongs(state)
    assert ATRExitMixin(ATRParams(x_atr_period=2, x_sl_multiplier=1.5)).state_belongs(state)
    assert not other.state_belongs(state)
    assert not EXIT.state_belongs(state.model_copy(update={"logic": state.logic.replace("ATR", "Some")}))
    with pytest.raises(ValueError, match=r"exit state must be of ATRExitMixin:\w{8}; was of ATRExitMixin:\w{8}"):
        other.fold(CANDLES, state, ENTRY)


def test_the_name_in_a_state_never_changes_for_the_same_parameters() -> None:
    # States of running bots carry it through restarts and new versions. From
    # printf '{"x_atr_period":14,"x_sl_multiplier":2.0}' | sha256sum
    default = ATRExitMixin(ATRParams())

    assert default.start(CANDLES, ENTRY).logic == "ATRExitMixin:8e546d57"


def test_with_no_candles_nothing_happens() -> None:
    outcome = EXIT.fold(CANDLES[:0], started(), ENTRY)

    assert (outcome.state, outcome.exit, outcome.conditions) == (started(), None, ())
