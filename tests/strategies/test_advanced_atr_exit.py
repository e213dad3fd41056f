"""The advanced exit, by hand: a range of 2 on every candle, so that A is 2 throughout."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from domain.decisions import ExitState, Take
from strategies.exit_logic import EntryPoint, ExitOutcome
from strategies.exits.advanced_atr import AdvancedATRExitMixin, Ride
from strategies.exits.advanced_atr_params import AdvancedATRParams
from tests.strategies.reference import MINUTE, candles_of

PLAIN: dict[str, Any] = {
    "p_fast": 2,
    "p_slow": 3,
    "use_htf_atr": False,
    "use_swing_ratchet": False,
    "k_init": 2.0,
    "k_run": 1.5,
    "k_phase2": 0.5,
    "tighten_if_stagnant_bars": 100,
}
FLAT = [100.0] * 10
SIGNAL = len(FLAT) - 1
"""Bought for 100; R is 4."""


def exit_of(**params: Any) -> AdvancedATRExitMixin:
    return AdvancedATRExitMixin(AdvancedATRParams.model_validate(PLAIN | params))


def steady(closes: list[float]) -> Candles:
    """Ten candles at 100, then these; H and L a little above and below, such that the true range is always 2."""
    candles = candles_of([*FLAT, *closes], spread=1.0)
    before = np.concatenate([[100.0], candles.close[:-1]])
    over, under = np.maximum(candles.close, before), np.minimum(candles.close, before)
    slack = (2 - (over - under)) / 2
    return Candles(candles.open_time, before, over + slack, under - slack, candles.close, candles.volume)


def entry_of(candles: Candles, price: float = 100.0) -> EntryPoint:
    time = candles.open_time.item(SIGNAL)
    return EntryPoint(time, candles.close.item(SIGNAL), price, time + MINUTE)


def follow(logic: AdvancedATRExitMixin, closes: list[float], price: float = 100.0) -> list[ExitOutcome]:
    """Return the outcome after each candle; the states travel."""
    candles = steady(closes)
    entry = entry_of(candles, price)
    state, outcomes = logic.start(candles[: SIGNAL + 1], entry), []
    for end in range(SIGNAL + 2, len(candles) + 1):
        outcomes.append(logic.fold(candles[:end], state, entry))
        state = ExitState.model_validate_json(outcomes[-1].state.model_dump_json())
    return outcomes


def test_the_first_stop_is_one_risk_below_the_entry_and_watched_by_price() -> None:
    candles = steady([])

    state = exit_of().start(candles, entry_of(candles, 101.0))

    assert (state.stop, state.by_price) == (101.0 - 2 * 2, True)
    assert state.takes == (Take(level=105.0, share=0.33), Take(level=109.0, share=0.33))
    assert '"by_price":true,"takes":[{"level":105.0,"share":0.33},' in state.model_dump_json()


def test_each_phase_trails_closer_and_is_never_left() -> None:
    # Highs half a point above the closes: each step of 1 leaves 0.5 on either side of a range of 2.
    outcomes = follow(exit_of(), [101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0, 107.0])

    # Profit 4 arms at 104: k 1.5; 8 begins the second phase at 108: k 0.5. Anchor - k * 2.
    stops = [101.5 - 4, 102.5 - 4, 103.5 - 4, 104.5 - 3, 105.5 - 3, 106.5 - 3, 107.5 - 3, 108.5 - 1, 107.5]
    assert [outcome.state.stop for outcome in outcomes] == stops
    assert [outcome.state.values["phase"] for outcome in outcomes] == [0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_armed_the_stop_is_at_least_break_even_once_the_close_is_above_it() -> None:
    wide = {"k_init": 2.0, "k_run": 10.0, "phase2_at_R": 50.0}

    assert follow(exit_of(**wide), [101.0, 102.0, 103.0, 104.0])[-1].state.stop == 100.0
    assert follow(exit_of(**wide, breakeven_offset_atr=0.5), [101.0, 102.0, 103.0, 104.0])[-1].state.stop == 101.0
    # 100 + 2.25 * 2 is above the close that arms it, where a stop would sell at once; the next close is above it.
    outcomes = follow(exit_of(**wide, breakeven_offset_atr=2.25), [101.0, 102.0, 103.0, 104.0, 105.0])
    assert [outcome.state.stop for outcome in outcomes[-2:]] == [103.5 - 4, 104.5]


def test_without_a_new_high_the_distance_shrinks_until_there_is_one() -> None:
    logic = exit_of(tighten_if_stagnant_bars=3, min_bars_between_tighten=2, tighten_k_factor=0.5, k_init=4.0)

    outcomes = follow(logic, [101.0, *[101.0] * 7, 102.0, 102.0])

    # Candle 0 sets the anchor: 101.5; candle 1 raises it to 102, at the same close. Then it is quiet from 1 on.
    assert [outcome.state.values["tightened"] for outcome in outcomes] == [0, 0, 0, 0, 1, 1, 2, 2, 0, 0]
    k = [4, 4, 4, 4, 2, 2, 1, 1]
    anchors = [101.5, *[102.0] * 7]
    raised = [anchor - 2 * factor for anchor, factor in zip(anchors, k, strict=True)]
    # A new anchor ends it, and the stop stays where it was.
    assert [outcome.state.stop for outcome in outcomes] == [*raised, 100.0, 100.0]


def test_the_ratchet_raises_the_stop_to_below_the_lowest_of_the_last_lows() -> None:
    logic = exit_of(use_swing_ratchet=True, swing_lookback=3, struct_buffer_atr=0.5, k_init=10.0)

    outcomes = follow(logic, [101.0, 102.0, 103.0])

    # Lows: 99 up to the signal, then 99.5, 100.5, 101.5. The lowest of three, less 0.5 * 2.
    assert [outcome.state.stop for outcome in outcomes] == [98.0, 98.0, 98.5]


def test_the_low_is_compared_with_the_stop_that_was_in_force_before() -> None:
    # From 104.5 - 3 = 101.5 in force, candle 5 falls to a low of 101: it is the stop before it that counts.
    outcomes = follow(exit_of(), [101.0, 102.0, 103.0, 104.0, 103.0, 102.0])

    assert [outcome.exit is not None for outcome in outcomes] == [False] * 5 + [True]
    assert outcomes[-1].exit is not None
    assert outcomes[-1].exit.reason == "low, stop below anchor 104.5: 101.5 <= 101.5"


def test_a_stop_that_a_candle_raises_above_its_own_low_does_not_sell_on_that_candle() -> None:
    logic = exit_of(k_init=0.5, k_run=0.5)

    first = follow(logic, [101.5])[0]

    # In force was 99; the low is 99.75, the new stop 101.75 - 1.
    assert (first.exit, first.state.stop) == (None, 100.75)
    assert first.conditions[0].right == 99.0


def test_without_the_range_at_the_entry_a_later_candle_tells_the_risk() -> None:
    candles = steady([101.0])
    time = candles.open_time.item(0)
    entry = EntryPoint(time, 100.0, 100.0, time + MINUTE)
    logic = exit_of()
    state = logic.start(candles[:1], entry)

    assert (state.stop, state.takes) == (None, ())
    assert logic.fold(candles[:3], state, entry).state.stop is None
    fourth = logic.fold(candles[:4], state, entry).state
    # The anchor is 101 by then: 101 - 4 is above 100 - 4.
    assert (fourth.stop, fourth.takes[0].level) == (97.0, 104.0)


def test_a_market_that_has_not_moved_has_no_risk_to_measure_in() -> None:
    flat = candles_of([100.0] * 30)
    entry = entry_of(flat)
    state = exit_of().fold(flat, exit_of().start(flat, entry), entry).state

    assert (state.stop, state.takes) == (None, ())
    assert exit_of(atr_floor=1.5).start(flat, entry).stop == 97.0


def test_a_higher_timeframe_counts_once_it_is_known_and_the_outcome_says_when_it_does_not() -> None:
    logic = exit_of(use_htf_atr=True, htf="2m", alpha_htf=3.0, k_init=1.0)
    candles = candles_of([100.0] * 60, spread=1.0)
    early, late = (
        EntryPoint(candles.open_time.item(i), 100.0, 100.0, candles.open_time.item(i) + MINUTE) for i in (10, 40)
    )

    assert logic.start(candles[:11], early).stop == 98.0
    # Fifteen longer candles take thirty of these, from the first even minute on. Their range is 2 too, times 3.
    assert logic.start(candles[:41], late).stop == 94.0
    told = logic.fold(candles[:12], logic.start(candles[:11], early), early).conditions[0].name
    assert "without ATR(2m)" in told
    assert "without" not in logic.fold(candles[:42], logic.start(candles[:41], late), late).conditions[0].name


def test_candles_that_are_gone_raise_the_anchor_alone() -> None:
    logic, candles = exit_of(), steady([101.0] * 120)
    state = logic.start(candles[:5], entry_of(candles))

    # 120 candles from 10 on: the first 89 of them have not converged. The anchor is 102 from candle 11 on.
    ride = logic.recall(logic.fold(candles[10:100], state, entry_of(candles)).state)
    assert (ride.anchor, ride.quiet) == (102.0, 88)
    assert ride._replace(stop=0, quiet=0, rest=0) == Ride(102.0, 0, ride.in_force, 100.0, 4.0)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [("1m", 422 * 240), ("1h", 422 * 4), ("4h", 30 * 21), ("3h", 30 * 21)],
)
def test_the_warm_up_counts_candles_of_the_bots_own_interval(interval: str, expected: int) -> None:
    assert AdvancedATRExitMixin(AdvancedATRParams()).warmup_at(interval) == expected
    assert AdvancedATRExitMixin(AdvancedATRParams(use_htf_atr=False)).warmup_at(interval) == 30 * 21


@pytest.mark.parametrize(
    ("htf", "interval", "sentence"),
    [
        ("4h", "1h", None),
        ("4h", "4h", None),
        (
            "4h",
            "1d",
            "htf must be a multiple of the candles' interval, unless use_htf_atr is false; was 4h with candles of 1d",
        ),
        (
            "1w",
            "5h",
            "htf must be made of candles that divide a day, unless use_htf_atr is false; was 1w with candles of 5h",
        ),
    ],
)
def test_a_higher_timeframe_that_does_not_fit_is_told_of(htf: str, interval: str, sentence: str | None) -> None:
    assert AdvancedATRExitMixin(AdvancedATRParams(htf=htf)).misfit(interval) == sentence
    assert AdvancedATRExitMixin(AdvancedATRParams(htf=htf, use_htf_atr=False)).misfit(interval) is None
