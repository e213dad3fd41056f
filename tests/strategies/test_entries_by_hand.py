"""The entries besides the example's on edge cases, by hand."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from strategies.catalogue import ENTRIES
from strategies.entry_logic import AnyEntry
from strategies.ichimoku import ichimoku
from strategies.supertrend import supertrend, supertrend_warmup
from tests.strategies.reference import MINUTE, candles_of

NAN = np.nan


def entry(name: str, **params: Any) -> AnyEntry:
    return ENTRIES[name](ENTRIES[name].Params.model_validate(params))


def on(logic: AnyEntry, candles: Candles) -> list[int]:
    """Return the candles with a signal, after seeing that each verdict agrees."""
    signals = logic.signals(candles)
    assert [logic.verdict(candles[: i + 1]).signal for i in range(len(candles))] == signals.tolist()
    return np.flatnonzero(signals).tolist()


def with_gap(candles: Candles, at: int) -> Candles:
    """Return the same candles, those from `at` on ten minutes later."""
    times = candles.open_time + np.where(np.arange(len(candles)) >= at, 10 * MINUTE, 0)
    return Candles(times, candles.open, candles.high, candles.low, candles.close, candles.volume)


# RSI(2) and a band of two candles at half a deviation: mean - |difference| / 4. The price falls, rests, and recovers.
SMALL = {"e_rsi_period": 2, "e_bb_period": 2, "e_bb_dev": 0.5}
PRICES = [100.0, 99.0, 98.0, 97.0, 97.0, 97.5, 99.0, 98.0, 97.0, 96.0]
# Gains and losses, averaged by halves from candle 2 on. RSI: 0, 0, 0 (at rest), 50, 87.5, 43.75, 21.9, 10.9.
DOWN = [2, 3, 4, 8, 9]


def test_rsi_and_band_must_hold_together_or_either_of_them() -> None:
    # At 2 and 3, C is below the band; at 4 the price rests on it. From 7 on it is below again; at 7 RSI is above 30.
    candles = candles_of(PRICES)

    assert on(entry("RSIBBEntryMixin", **SMALL), candles) == DOWN
    assert on(entry("RSIOrBBEntryMixin", **SMALL), candles) == [2, 3, 4, 7, 8, 9]
    assert on(entry("RSIBBEntryMixin", **SMALL, e_use_bb_touch=False), candles) == [2, 3, 8, 9]


def test_the_rsi_may_have_to_come_back_up_instead() -> None:
    candles = candles_of(PRICES)
    logic = entry("RSIOrBBEntryMixin", **SMALL, e_rsi_cross=True, e_bb_reentry=True)

    # RSI from 0 to 50 at 5, where C is above its band after having been on the one before, not below it.
    verdict = logic.verdict(candles[:6])
    assert verdict.signal
    assert [str(condition) for condition in verdict.conditions] == [
        "✓ RSI(2): 50 crosses_above 30",
        "✗ previous close, lower band BB(2, 0.5): 97 < 97",
        "✓ close, lower band BB(2, 0.5): 97.5 > 97.125",
    ]
    assert on(logic, candles) == [5]


def test_a_reentry_takes_a_close_that_was_below() -> None:
    # At 3 below the band; at 4 the price rests on it, which is not above it; at 5 it rises from there.
    logic = entry("RSIBBEntryMixin", e_rsi_period=2, e_rsi_oversold=50, e_bb_period=3, e_bb_dev=0.5, e_bb_reentry=True)
    candles = candles_of([100.0, 99.0, 98.0, 90.0, 91.0, 90.5])

    # 4: previous C 90 < 95.33 - 0.5 * 3.77, but C 91 < 93 - 0.5 * 3.56. 5: previous C below, C 90.5 > 90.5 - 0.2.
    assert on(logic, candles) == [5]


def test_nothing_is_decided_before_both_parts_have_a_value() -> None:
    logic = entry("RSIOrBBEntryMixin", e_rsi_period=5, e_bb_period=2, e_bb_dev=0.5)
    candles = candles_of([100.0 - i for i in range(7)])

    early, first = logic.verdict(candles[:5]), logic.verdict(candles[:6])

    assert (early.signal, early.waiting_for) == (False, ("RSI(5)",))
    assert (first.signal, first.waiting_for) == (True, ())
    assert on(logic, candles) == [5, 6]


def test_after_a_signal_there_is_none_for_the_cooldown_and_the_verdict_says_so() -> None:
    candles = candles_of(PRICES)

    assert on(entry("RSIBBEntryMixin", **SMALL, e_cooldown_bars=1), candles) == [2, 4, 8]
    assert on(entry("RSIBBEntryMixin", **SMALL, e_cooldown_bars=5), candles) == [2, 8]
    logic = entry("RSIBBEntryMixin", **SMALL, e_cooldown_bars=1)
    assert str(logic.verdict(candles[:4]).conditions[-1]) == "✗ candles since the last signal: 1 > 1"
    assert str(logic.verdict(candles[:5]).conditions[-1]) == "✓ candles since the last signal: 2 > 1"
    assert len(logic.verdict(candles[:3]).conditions) == 2
    assert logic.warmup == 60 + 1 + 20


def test_in_a_gap_the_candles_that_are_there_count_for_a_cooldown() -> None:
    candles = with_gap(candles_of(PRICES), 3)

    assert on(entry("RSIBBEntryMixin", **SMALL, e_cooldown_bars=1), candles) == [2, 4, 8]


@pytest.mark.parametrize("name", ENTRIES)
def test_no_entry_buys_a_flat_market_without_volume(name: str) -> None:
    flat = candles_of([0.1] * 120, volume=[0.0] * 120)
    strictly = {"e_use_bb_touch": False} if "e_use_bb_touch" in ENTRIES[name].Params.model_fields else {}
    logic = entry(name, **strictly)

    # TA-Lib's RSI of a price that has never moved is 0, which counts as oversold where that is enough.
    assert on(logic, flat) == ([*range(19, 120)] if name == "RSIOrBBEntryMixin" else [])


@pytest.mark.parametrize(
    ("name", "params", "enough"),
    [
        ("RSIBBEntryMixin", {}, 20),
        ("RSIOrBBEntryMixin", {}, 20),
        ("RSIBBEntryMixin", {"e_bb_reentry": True}, 21),
        ("RSIIchimokuEntryMixin", {}, 78),
        ("RSIVolumeSupertrendEntryMixin", {}, 41),
        ("BBVolumeSuperTrendEntryMixin", {}, 41),
    ],
)
def test_with_one_candle_too_few_there_is_no_signal_and_it_says_why(
    name: str, params: dict[str, Any], enough: int
) -> None:
    # Still for 40 candles, then one that breaks the Supertrend's upper band.
    candles = candles_of([100.0] * 40 + [110.0] * 60, spread=0.5)
    logic = entry(name, **params)

    too_few = logic.verdict(candles[: enough - 1])

    assert not too_few.signal
    assert too_few.waiting_for
    assert logic.verdict(candles[:enough]).waiting_for == ()
    assert logic.verdict(candles[:0]).conditions == ()


def test_the_supertrend_turns_when_a_close_breaks_a_band() -> None:
    # Ranges of 2 until the jumps: bands at 100 ± 2. Candle 4: TR 11, ATR 6.5; its own bands are around 110.
    candles = candles_of([100.0, 100.0, 100.0, 102.0, 110.0, 110.0, 99.0, 99.0], spread=1.0)

    direction = supertrend(candles.high, candles.low, candles.close, 2, 1.0)

    # Candle 3: TR 3, ATR 2.5; the upper band stays at 102: on it, not above. Candle 4: up. Lower band from there on:
    # ATR (2.5 + 9) / 2 = 5.75: 104.25; candle 5, TR 2, ATR 3.875: 106.125; candle 6 closes below it.
    np.testing.assert_array_equal(direction, [NAN, NAN, NAN, NAN, 1, 1, -1, -1])


def test_a_flat_market_breaks_no_band() -> None:
    flat = candles_of([0.1 + 0.2] * 50)

    assert np.isnan(supertrend(flat.high, flat.low, flat.close, 10, 3.0)).all()
    # After a rise the bands close in on a flat price, and do not break.
    risen = candles_of([100.0] * 20 + [150.0] + [150.1] * 1000, spread=0.0)
    direction = supertrend(risen.high, risen.low, risen.close, 2, 3.0)
    assert set(direction[21:]) == {1.0}


def test_the_warm_up_of_the_supertrend_grows_with_the_square_of_its_multiplier() -> None:
    assert supertrend_warmup(10, 3.0) == 300 + 180
    assert supertrend_warmup(10, 100.0) == 300 + 10_000


def test_the_spans_are_those_that_were_made_a_lead_ago() -> None:
    candles = candles_of([1.0, 2.0, 3.0, 10.0, 11.0, 30.0])

    lines = ichimoku(candles.high, candles.low, tenkan=2, kijun=3, senkou=4, lead=2)

    np.testing.assert_array_equal(lines.tenkan, [NAN, 1.5, 2.5, 6.5, 10.5, 20.5])
    np.testing.assert_array_equal(lines.kijun, [NAN, NAN, 2, 6, 7, 20])
    np.testing.assert_array_equal(lines.span_a, [NAN, NAN, NAN, NAN, 2.25, 6.25])
    np.testing.assert_array_equal(lines.span_b, [NAN, NAN, NAN, NAN, NAN, 5.5])


def test_ichimoku_takes_a_turn_up_through_tenkan_above_the_cloud() -> None:
    # A climb far above its old cloud, a fall of five candles, and a turn: Tenkan(3) is the middle of three candles.
    climb = [100.0 + 2 * i for i in range(40)]
    candles = candles_of([*climb, 170.0, 165.0, 160.0, 155.0, 150.0, 156.0], spread=0.5)
    params = {"e_tenkan": 3, "e_kijun": 5, "e_senkou": 9, "e_senkou_lead": 20, "e_rsi_period": 5, "e_rsi_oversold": 50}

    # Tenkan at the turn: (156.5 + 149.5) / 2; on the candle before: (160.5 + 149.5) / 2, above its close.
    verdict = entry("RSIIchimokuEntryMixin", **params).verdict(candles)

    assert [condition.holds for condition in verdict.conditions] == [True] * 4
    assert verdict.conditions[3].right == 153.0
    assert on(entry("RSIIchimokuEntryMixin", **params), candles) == [45]
    # The same turn under a cloud that stands higher is none.
    assert on(entry("RSIIchimokuEntryMixin", **(params | {"e_senkou_lead": 5})), candles) == []
    # Chikou decides nothing.
    assert on(entry("RSIIchimokuEntryMixin", **params, e_chikou=3), candles) == [45]


@pytest.mark.parametrize("name", ["RSIVolumeSupertrendEntryMixin", "BBVolumeSuperTrendEntryMixin"])
@pytest.mark.parametrize(("volume", "falls_to", "expected"), [(10.0, 99.0, [24]), (1.0, 99.0, []), (10.0, 90.0, [])])
def test_a_dip_is_bought_on_volume_in_an_uptrend_only(
    name: str, volume: float, falls_to: float, expected: list[int]
) -> None:
    # Up at 20, above the upper band of 90 ± 3; a dip to 99 does not break the lower band, one to 90 does.
    candles = candles_of([90.0] * 20 + [104.0] * 4 + [falls_to], spread=1.0, volume=[1.0] * 24 + [volume])
    params = {"e_vol_ma_period": 5, "e_st_period": 5, "e_st_multiplier": 3.0}
    params |= {"e_rsi_period": 2} if name.startswith("RSI") else {"e_bb_period": 4, "e_bb_dev": 1.0}

    assert on(entry(name, **params), candles) == expected
