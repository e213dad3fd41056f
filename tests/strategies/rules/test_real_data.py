"""Rules on a month of real candles: the catalogue's entries written as rules, and a live window beside the history."""

from typing import Any

import numpy as np
import pytest

from domain.candles import Candles
from strategies.arrays import Flags
from strategies.entries.rule import RuleEntryMixin, RuleEntryParams
from strategies.registry import ENTRIES
from tests.strategies import reference

RSI = {"left": "rsi(14)", "op": "<=", "right": 30}
BAND = {"left": "close", "op": "<=", "right": "bbands(20, 2.0).lower"}
VOLUME = {"left": "volume", "op": ">", "right": "1.1 * sma(volume, 20)"}

CROSS = {"left": "rsi(14)", "op": "crosses_above", "right": 30}
REENTRY = {
    "all": [
        {"left": "close[-1]", "op": "<", "right": "bbands(20, 2.0).lower[-1]"},
        {"left": "close", "op": ">", "right": "bbands(20, 2.0).lower"},
    ]
}
COMEBACK = {"e_rsi_cross": True, "e_bb_reentry": True}
# TA-Lib's: that of pandas-ta-classic compares with the bands of the candle before, and carries on but one of them.
TREND = {"left": "supertrend(10, 3.0).trend", "op": ">", "right": 0}
WIDE_TREND = {**TREND, "left": "supertrend(21, 5.0).trend"}
FIRST_BREAK = {"RSIVolumeSupertrendEntryMixin": 54, "BBVolumeSuperTrendEntryMixin": 22}
"""The candle on which the catalogue's Supertrend breaks a band first; TA-Lib's begins with a direction."""
DIP = {**RSI, "right": 50}
CLOUD = [
    {"left": "close", "op": ">", "right": "(midprice(9) + midprice(26))[-26] / 2"},
    {"left": "close", "op": ">", "right": "midprice(52)[-26]"},
    {"left": "close", "op": "crosses_above", "right": "midprice(9)"},
]

CATALOGUE: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    ("RSIBBVolumeEntryMixin", {}, {"all": [RSI, BAND, VOLUME]}, 500),
    (
        "RSIBBVolumeEntryMixin",
        {"e_use_bb_touch": False, "e_rsi_period": 7, "e_bb_dev": 1.5},
        {"all": [{**RSI, "left": "rsi(7)"}, {**BAND, "op": "<", "right": "bbands(20, 1.5).lower"}, VOLUME]},
        500,
    ),
    ("RSIBBEntryMixin", {}, {"all": [RSI, BAND]}, 500),
    ("RSIBBEntryMixin", {"e_rsi_cross": True}, {"all": [CROSS, BAND]}, 20),
    ("RSIBBEntryMixin", {"e_bb_reentry": True}, {"all": [RSI, REENTRY]}, 100),
    ("RSIBBEntryMixin", COMEBACK, {"all": [CROSS, REENTRY]}, 20),
    ("RSIOrBBEntryMixin", {}, {"any": [RSI, BAND]}, 2000),
    ("RSIOrBBEntryMixin", COMEBACK, {"any": [CROSS, REENTRY]}, 1000),
    ("RSIIchimokuEntryMixin", {"e_rsi_oversold": 50}, {"all": [*CLOUD, DIP]}, 50),
    (
        "RSIVolumeSupertrendEntryMixin",
        {"e_rsi_oversold": 40, "e_st_multiplier": 5.0, "e_st_period": 21, "e_min_volume_ratio": 1.1},
        {"all": [{**RSI, "right": 40}, VOLUME, WIDE_TREND]},
        100,
    ),
    ("BBVolumeSuperTrendEntryMixin", {}, {"all": [BAND, VOLUME, TREND]}, 50),
]
"""An entry of the catalogue, its parameters, the same as a rule, and how many signals there are at least."""


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def signals(rule: dict[str, Any], candles: Candles) -> Flags:
    return RuleEntryMixin(RuleEntryParams(rule=rule)).signals(candles)


@pytest.mark.parametrize(("name", "params", "rule", "least"), CATALOGUE)
def test_an_entry_of_the_catalogue_written_as_a_rule_gives_its_signals_on_every_candle(
    name: str, params: dict[str, Any], rule: dict[str, Any], least: int, candles: Candles
) -> None:
    expected = ENTRIES[name](ENTRIES[name].Params.model_validate(params)).signals(candles)

    assert expected.sum() >= least
    since = FIRST_BREAK.get(name, 0)
    assert not expected[:since].any()
    np.testing.assert_array_equal(signals(rule, candles)[since:], expected[since:])


@pytest.mark.parametrize(("name", "params", "rule", "_least"), CATALOGUE[:2])
def test_it_needs_as_many_candles_as_the_entry_does(
    name: str, params: dict[str, Any], rule: dict[str, Any], _least: int
) -> None:
    logic = ENTRIES[name](ENTRIES[name].Params.model_validate(params))

    assert RuleEntryMixin(RuleEntryParams(rule=rule)).warmup == logic.warmup


def test_a_rule_equals_its_formula_in_plain_numpy_on_every_candle(candles: Candles) -> None:
    expected = reference.example_signals(candles)

    np.testing.assert_array_equal(signals({"all": [RSI, BAND, VOLUME]}, candles), expected)
    np.testing.assert_array_equal(signals({"not": {"not": {"all": [VOLUME, RSI, BAND]}}}, candles), expected)


RULES: dict[str, dict[str, Any]] = {
    "talib": {"all": [RSI, {"left": "close", "op": "crosses_above", "right": "bbands(20, 2.0).lower"}]},
    "either": {"any": [{"left": "macd().hist", "op": "crosses_above", "right": 0}, {"all": [RSI, BAND]}]},
    "longer": {"all": [RSI, {"left": "close", "op": ">", "right": "ema(20)@15m"}, {"not": BAND}]},
    "crossing": {"left": "close", "op": "crosses_below", "right": "sma(10)[-1]@1h"},
    "nested": {"left": "ema(rsi(14) - 50, 9)", "op": "crosses_above", "right": "-5 + close / close[-1]"},
    "pandas": {"left": "cti(12)", "op": "crosses_below", "right": "-0.8"},
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_live_window_decides_like_the_whole_history(rule: dict[str, Any], candles: Candles) -> None:
    logic = RuleEntryMixin(RuleEntryParams(rule=rule))
    window = max(500, logic.warmup_at("1m"))
    expected = logic.signals(candles)
    on_signals = np.flatnonzero(expected)
    sampled = np.concatenate([on_signals[:: len(on_signals) // 80 + 1], np.arange(window, len(candles), 1777)])

    assert len(on_signals) > 20
    for i in sampled[sampled >= window]:
        assert logic.verdict(candles[i + 1 - window : i + 1]).signal == expected[i]


@pytest.mark.parametrize(
    ("rule", "interval", "warmup"),
    [
        ({"left": "close", "op": ">", "right": "ema(50)@4h"}, "1h", (15 * 50 + 2) * 4),
        ({"left": "close", "op": "crosses_above", "right": "sma(50)@4h"}, "1h", (51 + 2) * 4),
        ({"left": "close", "op": ">", "right": "close[-1]@1d"}, "4h", (2 + 2) * 6),
        ({"left": "close", "op": ">", "right": "close@1M"}, "1d", (1 + 2) * 31),
        ({"all": [RSI, {"left": "close", "op": ">", "right": "close@1d"}]}, "1h", 420),
        (RSI, "1h", 420),
    ],
)
def test_longer_candles_need_more_of_the_shorter_ones(rule: dict[str, Any], interval: str, warmup: int) -> None:
    assert RuleEntryMixin(RuleEntryParams(rule=rule)).warmup_at(interval) == warmup


def test_of_candles_that_do_not_make_up_the_longer_ones_the_rule_waits(candles: Candles) -> None:
    logic = RuleEntryMixin(RuleEntryParams(rule={"left": "close", "op": ">", "right": "close@5m"}))
    quarters = candles[: 15 * 20]
    quarters = Candles(quarters.open_time * 15, *(getattr(quarters, name) for name in Candles.__slots__[1:]))

    verdict = logic.verdict(quarters)

    assert not verdict.signal
    assert verdict.waiting_for == ("close, close@5m",)
    assert not logic.signals(quarters).any()


def test_a_million_candles_are_judged_in_one_go(candles: Candles) -> None:
    count = 1_000_000 // len(candles) + 1
    times = candles.open_time[0] + np.arange(count * len(candles), dtype=np.int64) * reference.MINUTE
    columns = (np.tile(getattr(candles, name), count) for name in Candles.__slots__[1:])
    many = Candles(times, *columns)[:1_000_000]

    found = signals(RULES["longer"], many)

    assert len(found) == 1_000_000
    assert found.any()
