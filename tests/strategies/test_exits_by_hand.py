"""The exits besides the example's on edge cases, by hand."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.catalogue import EXITS
from strategies.exit_logic import AnyExit, EntryPoint
from tests.strategies.reference import MINUTE, candles_of


def exit_of(name: str, **params: Any) -> AnyExit:
    return EXITS[name](EXITS[name].Params.model_validate(params))


def entered(candles: Candles, i: int, *, price: float | None = None) -> EntryPoint:
    """Return a position from the signal on candle `i`, bought at the end of it for its close unless said otherwise."""
    close, time = candles.close.item(i), candles.open_time.item(i)
    return EntryPoint(time, close, close if price is None else price, time + MINUTE)


def left_on(logic: AnyExit, candles: Candles, i: int = 0, *, price: float | None = None) -> int | None:
    """Return the candle on which the position from candle `i` is left."""
    entry = entered(candles, i, price=price)
    outcome = logic.fold(candles, logic.start(candles[: i + 1], entry), entry)
    return None if outcome.exit is None else int(candles.open_time.searchsorted(outcome.exit.candle_time))


def stops(logic: AnyExit, candles: Candles, i: int = 0, *, price: float | None = None) -> list[float | None]:
    """Return the stop at the entry and after each later candle."""
    entry = entered(candles, i, price=price)
    state = logic.start(candles[: i + 1], entry)
    found = [state.stop]
    for end in range(i + 2, len(candles) + 1):
        state = logic.fold(candles[:end], state, entry).state
        found.append(state.stop)
    return found


def minutes_apart(close: list[float], opens: list[int]) -> Candles:
    """Return candles that open so many minutes after the first hour."""
    candles = candles_of(close)
    times = (60 + np.array(opens, dtype=np.int64)) * MINUTE
    return Candles(times, candles.open, candles.high, candles.low, candles.close, candles.volume)


# Closes with highs and lows at 1 above and below: while the price moves by 1 a candle, the true range is 2.
STEADY = candles_of([100.0, 101.0, 100.0, 101.0, 102.0, 103.0, 102.0, 101.0], spread=1.0)


def test_the_simple_stop_goes_to_the_entry_and_then_trails_the_close() -> None:
    logic = exit_of("SimpleATRExitMixin", x_atr_period=2, x_atr_multiplier=1.0, x_breakeven_atr=1.0)

    # From candle 3 at 101, ATR 2: stop 99. 4: profit 1. 5: profit 2 is one ATR: the entry, 101; the close less ATR too.
    # 6: C 102 is above; 7: C 101 is on the stop.
    assert stops(logic, STEADY[:7], 3) == [99.0, 99.0, 101.0, 101.0]
    assert left_on(logic, STEADY, 3) == 7
    early = exit_of("SimpleATRExitMixin", x_atr_period=2, x_atr_multiplier=1.0, x_use_breakeven=False)
    assert stops(early, STEADY[:7], 3) == [99.0, 100.0, 101.0, 101.0]


def test_the_simple_stop_is_set_later_where_the_range_is_not_known_at_the_entry() -> None:
    logic = exit_of("SimpleATRExitMixin", x_atr_period=2, x_atr_multiplier=1.0)

    assert stops(logic, STEADY[:4], 0) == [None, None, 98.0, 98.0]


@pytest.mark.parametrize(
    ("closes", "params", "left"),
    [
        pytest.param([100.0, 109.99, 110.0], {}, 2, id="a tenth more"),
        pytest.param([100.0, 95.01, 95.0], {}, 2, id="a twentieth less"),
        pytest.param([100.0, 108.0, 103.0], {}, None, id="no trail unless it is used"),
        pytest.param([100.0, 108.0, 102.7, 102.5], {"x_use_trailing_stop": True}, 3, id="a trail of 5 % below 108"),
        pytest.param([100.0, 101.0, 96.0], {"x_stop_loss": 1.0}, None, id="no loss is too much"),
    ],
)
def test_a_fixed_profit_or_loss_or_a_trail_ends_the_position(
    closes: list[float], params: dict[str, Any], left: int | None
) -> None:
    assert left_on(exit_of("FixedRatioExitMixin", **params), candles_of(closes)) == left


def test_ratios_are_those_of_the_price_paid_and_protect_it() -> None:
    closes = candles_of([100.0, 108.0, 104.0])

    assert left_on(exit_of("FixedRatioExitMixin"), closes, price=98.0) == 1
    assert stops(exit_of("FixedRatioExitMixin", x_take_profit=1), closes, price=98.0) == [pytest.approx(93.1)] * 3
    trailing = exit_of("FixedRatioExitMixin", x_take_profit=1, x_use_trailing_stop=True)
    assert stops(trailing, closes, price=98.0) == [pytest.approx(x) for x in (95.0, 102.6, 102.6)]


def test_a_trail_is_below_the_highest_close_and_is_left_strictly_below() -> None:
    logic = exit_of("TrailingStopExitMixin", x_trail_pct=0.1)
    closes = candles_of([100.0, 200.0, 180.0, 179.9], spread=50.0)

    # Highs of 250 do not count. 180 is on the stop.
    assert stops(logic, closes[:3]) == [90.0, 180.0, 180.0]
    assert left_on(logic, closes) == 3
    # The peak starts anew with each position.
    assert left_on(logic, closes, 2) is None


def test_a_trail_is_armed_by_the_profit_of_a_close() -> None:
    logic = exit_of("TrailingStopExitMixin", x_trail_pct=0.01, x_activation_pct=0.05)
    closes = candles_of([100.0, 90.0, 104.99, 105.0, 104.0, 103.9])

    assert stops(logic, closes[:5]) == [None, None, None, pytest.approx(103.95), pytest.approx(103.95)]
    assert left_on(logic, closes) == 5
    unarmed = logic.fold(closes[:2], logic.start(closes[:1], entered(closes, 0)), entered(closes, 0))
    assert (unarmed.exit, unarmed.conditions) == (None, ())


def test_a_trail_in_ranges_is_that_of_each_candle() -> None:
    logic = exit_of("TrailingStopExitMixin", x_use_atr=True, x_atr_period=2, x_atr_multiplier=2.0)
    wilder = candles_of([100.0, 100.0, 100.0, 100.0, 100.0], spread=1.0)
    wilder.high[3] = 105.0  # TR 6: ATR 4

    # It falls when the range grows: the rule has no running maximum. Candle 4: TR 2, ATR 3.
    assert stops(logic, wilder, 2) == [96.0, 92.0, 94.0]
    assert stops(logic, wilder, 0) == [None, None, 96.0, 92.0, 94.0]


TURN = [100.0, 100.0, 104.0, 106.0, 104.0, 103.0]


def test_rsi_and_band_must_turn_on_the_same_candle_or_either_turns() -> None:
    small = {"x_rsi_period": 2, "x_bb_period": 2, "x_bb_dev": 0.5, "x_rsi_overbought": 70.0}
    # RSI: gains of 2 and 2, no loss: 100 at 2 and 3; G 1, L 1: 50 at 4. The band is mean + |difference| / 4: at 3 the
    # close, 106, is above 105.5; at 4 it is 104, below 105.5.
    both, either = exit_of("RSIBBExitMixin", **small), exit_of("RSIOrBBExitMixin", **small)
    assert (left_on(both, candles_of(TURN), 1), left_on(either, candles_of(TURN), 1)) == (4, 4)
    # An RSI that has not fallen through 50 yet: the band alone turns.
    mild = small | {"x_rsi_overbought": 50.0}
    assert left_on(exit_of("RSIBBExitMixin", **mild), candles_of([*TURN[:4], 105.5, 104.0]), 1) is None
    assert left_on(exit_of("RSIOrBBExitMixin", **mild), candles_of([*TURN[:4], 105.5, 104.0]), 1) == 4


@pytest.mark.parametrize("name", ["RSIBBExitMixin", "RSIOrBBExitMixin", "MACrossoverExitMixin"])
def test_a_flat_market_crosses_nothing_wherever_its_window_begins(name: str) -> None:
    market = candles_of([*np.linspace(50.0, 100.1, 40).tolist(), *[100.1] * 100])

    assert {left_on(exit_of(name), market[begin:], 70 - begin) for begin in range(0, 60, 7)} == {None}


def test_the_fast_average_crosses_below_the_slow_one() -> None:
    # On 3: 11.5 and 11; on 4: 11.5 and 11.33; on 5: 10.5 and 11, a crossing.
    candles = candles_of([10.0, 10.0, 11.0, 12.0, 11.0, 10.0, 14.0])
    params = {"x_fast_period": 2, "x_slow_period": 3}

    assert left_on(exit_of("MACrossoverExitMixin", **params), candles, 2) == 5
    # On candle 6 the fast average is 12, the slow one 11.67: not confirmed.
    assert left_on(exit_of("MACrossoverExitMixin", **params, x_require_confirmation=True), candles, 2) is None
    steady = candles_of([10.0, 10.0, 11.0, 12.0, 11.0, 10.0, 9.0])
    assert left_on(exit_of("MACrossoverExitMixin", **params, x_require_confirmation=True), steady, 2) == 6


def test_candles_held_are_counted_from_the_one_after_the_signal() -> None:
    logic = exit_of("TimeBasedExitMixin", x_max_bars=3)

    assert left_on(logic, candles_of([100.0] * 9), 2) == 5
    # A candle that the venue does not have does not count.
    assert left_on(logic, minutes_apart([100.0] * 6, [0, 1, 5, 6, 7, 8])) == 3


def test_minutes_held_are_counted_from_the_close_of_the_signals_candle_to_that_of_the_one_judged() -> None:
    logic = exit_of("TimeBasedExitMixin", x_use_time=True, x_max_minutes=5)

    # The signal closes at minute 61; the candle of minute 65 ends at 66. With a gap, that of 69 is the first that ends
    # later.
    assert left_on(logic, minutes_apart([100.0] * 8, [0, 1, 2, 3, 4, 5, 6, 7])) == 5
    assert left_on(logic, minutes_apart([100.0] * 5, [0, 1, 2, 9, 10])) == 3


def test_candles_that_were_missed_count_as_held() -> None:
    logic, candles = exit_of("TimeBasedExitMixin", x_max_bars=50), candles_of([100.0] * 100)
    entry = entered(candles, 0)
    state = logic.start(candles[:1], entry)

    # 40 candles are known no more: those that are count.
    outcome = logic.fold(candles[40:80], state, entry)
    assert (outcome.exit, outcome.state.values) == (None, {"candles": 40})


@pytest.mark.parametrize(
    ("closes", "left"),
    [
        pytest.param([100.0, 103.9, 104.0], 2, id="four percent at once"),
        pytest.param([100.0, *[102.5] * 31], 30, id="two percent after thirty minutes"),
        pytest.param([100.0, *[101.9] * 61], 60, id="one percent after sixty"),
        pytest.param([100.0, *[100.9] * 61], None, id="less never"),
    ],
)
def test_the_profit_asked_for_falls_with_the_minutes_held(closes: list[float], left: int | None) -> None:
    assert left_on(exit_of("RoiTableExitMixin"), candles_of(closes)) == left


def test_before_the_first_minutes_of_the_table_no_profit_is_enough() -> None:
    logic = exit_of("RoiTableExitMixin", x_roi={"60": -1, "5": 0.5})
    closes = candles_of([100.0, *[200.0] * 3, *[110.0] * 70])

    assert left_on(logic, closes) == 60
    assert logic.fold(closes[:4], logic.start(closes[:1], entered(closes, 0)), entered(closes, 0)).conditions == ()


@pytest.mark.parametrize("name", EXITS)
def test_a_state_that_cannot_be_read_back_is_refused(name: str) -> None:
    logic, entry = exit_of(name), entered(STEADY, 3)
    state = logic.start(STEADY, entry)
    for key in state.values:
        for values in (state.values | {key: "x"}, {k: value for k, value in state.values.items() if k != key}):
            with pytest.raises((TypeError, KeyError)):
                logic.fold(STEADY, state.model_copy(update={"values": values}), entry)


def test_states_of_running_bots_are_written_as_before() -> None:
    state = ExitState(logic="x", folded=1, values={"peak": 2.0}, stop=1.5)

    assert state.model_dump_json() == '{"logic":"x","folded":1,"values":{"peak":2.0},"stop":1.5}'
