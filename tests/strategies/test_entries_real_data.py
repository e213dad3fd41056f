"""Every entry on a month of real candles, at each of them, against the rules in plain numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib

from domain.candles import Candles
from strategies.arrays import Flags
from strategies.averages import moving_average
from strategies.catalogue import ENTRIES
from strategies.ichimoku import ichimoku
from strategies.indicators import lowest, rsi
from strategies.supertrend import supertrend
from tests.strategies import reference, reference_entries
from tests.strategies.cases import ENTRY_CASES

Rule = Callable[[Candles, dict[str, Any]], Flags]

RULES: dict[str, Rule] = {
    "RSIBBVolumeEntryMixin": reference_entries.rsi_bb_volume,
    "RSIBBEntryMixin": reference_entries.rsi_bb,
    "RSIOrBBEntryMixin": reference_entries.rsi_or_bb,
    "RSIIchimokuEntryMixin": reference_entries.rsi_ichimoku,
    "RSIVolumeSupertrendEntryMixin": reference_entries.rsi_volume_supertrend,
    "BBVolumeSuperTrendEntryMixin": reference_entries.bb_volume_supertrend,
}


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def test_each_entry_of_the_catalogue_has_a_rule_to_be_compared_with() -> None:
    assert RULES.keys() == ENTRIES.keys() == {name for name, _, _ in ENTRY_CASES}


@pytest.mark.parametrize(("name", "changed", "at_least"), ENTRY_CASES)
def test_the_signals_equal_the_rule_at_every_candle(
    candles: Candles, name: str, changed: dict[str, Any], at_least: int
) -> None:
    params = ENTRIES[name].Params.model_validate(changed)
    expected = RULES[name](candles, params.model_dump())

    signals = ENTRIES[name](params).signals(candles)

    assert expected.sum() >= at_least
    np.testing.assert_array_equal(signals, expected)


@pytest.mark.parametrize(("name", "changed", "at_least"), ENTRY_CASES)
def test_the_verdict_on_the_newest_candle_equals_its_signal(
    candles: Candles, name: str, changed: dict[str, Any], at_least: int
) -> None:
    del at_least
    logic = ENTRIES[name](ENTRIES[name].Params.model_validate(changed))
    piece = candles[20_000:23_000]
    signals = logic.signals(piece)
    on_signals = np.flatnonzero(signals)[:10]
    for i in {*on_signals.tolist(), *(on_signals + 1).tolist(), *range(700, 3000, 211)} - {3000}:
        verdict = logic.verdict(piece[: i + 1])

        assert verdict.signal == signals[i]
        assert logic.explain(piece[: i + 1]) == verdict.conditions
        # An older candle is explained as it was when it was the newest.
        older = logic.explain(piece[: i + 20], i)
        assert [(each.name, each.holds) for each in older] == [(each.name, each.holds) for each in verdict.conditions]


@pytest.mark.parametrize(("period", "multiplier"), [(10, 3.0), (2, 0.3), (21, 10.0)])
def test_the_supertrend_equals_its_formula_from_its_first_break_on(
    candles: Candles, period: int, multiplier: float
) -> None:
    expected = reference_entries.supertrend(candles, period, multiplier)

    direction = supertrend(candles.high, candles.low, candles.close, period, multiplier)

    first = int(np.flatnonzero(np.isfinite(direction))[0])
    assert 0 < first < 2000
    np.testing.assert_array_equal(direction[first:], expected[first:])
    # Before, the reference has its assumed downtrend.
    assert set(expected[period:first]) <= {-1.0}


def test_the_lines_of_ichimoku_equal_their_formula(candles: Candles) -> None:
    lines = ichimoku(candles.high, candles.low, tenkan=9, kijun=26, senkou=52, lead=26)
    tenkan, kijun = (reference_entries.midrange(candles, period) for period in (9, 26))

    np.testing.assert_array_equal(lines.tenkan, tenkan)
    np.testing.assert_array_equal(lines.kijun, kijun)
    np.testing.assert_array_equal(lines.span_a, reference_entries.before((tenkan + kijun) / 2, 26))
    np.testing.assert_array_equal(lines.span_b, reference_entries.before(reference_entries.midrange(candles, 52), 26))


def test_moving_averages_and_lowest_equal_their_formulas(candles: Candles) -> None:
    close = candles.close[:5000]
    windows = np.lib.stride_tricks.sliding_window_view(close, 20)
    exponential = np.full(len(close), np.nan)
    exponential[19] = close[:20].mean()
    for i in range(20, len(close)):
        exponential[i] = exponential[i - 1] + 2 / 21 * (close[i] - exponential[i - 1])

    np.testing.assert_allclose(moving_average(close, 20, "sma")[19:], windows.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(moving_average(close, 20, "ema"), exponential, rtol=1e-12)
    weights = np.arange(1, 21) / 210
    np.testing.assert_allclose(moving_average(close, 20, "wma")[19:], windows @ weights, rtol=1e-10)
    np.testing.assert_array_equal(lowest(close, 20)[19:], windows.min(axis=1))


def test_the_package_that_people_import_gives_the_same(candles: Candles) -> None:
    np.testing.assert_array_equal(rsi(candles.close, 14), talib.RSI(candles.close, 14))
