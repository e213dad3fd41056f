"""The user's example on a month of real candles, against the formulas in plain numpy, at every candle."""

import numpy as np
import pytest

from domain.candles import Candles
from domain.config import parse_config
from domain.templates import bot_from_template
from strategies.arrays import Floats
from strategies.custom import CustomStrategy
from strategies.exit_logic import EntryPoint
from strategies.indicators import atr, bollinger, rsi, volume_sma
from strategies.registry import build_strategy
from tests.strategies import reference

WINDOW = 500
MULTIPLIER = 1.5


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


@pytest.fixture(scope="module")
def ranges(candles: Candles) -> Floats:
    return reference.atr(candles, 14)


@pytest.fixture(scope="module")
def strategy() -> CustomStrategy:
    return build_strategy(parse_config(bot_from_template("rsi", id="example", symbol="BTC/USDT")).strategy)


def entry_at(candles: Candles, i: int) -> EntryPoint:
    return EntryPoint(
        signal_time=candles.open_time.item(i),
        signal_close=candles.close.item(i),
        price=candles.open.item(i + 1),
        opened_at=candles.open_time.item(i + 1),
    )


def test_each_indicator_equals_its_formula_at_every_candle(candles: Candles, ranges: Floats) -> None:
    mean, deviation = reference.rolling(candles.close, 20)
    bands = bollinger(candles.close, 20, 2.0)

    np.testing.assert_allclose(rsi(candles.close, 14), reference.rsi(candles.close, 14), rtol=1e-9)
    np.testing.assert_allclose(atr(candles.high, candles.low, candles.close, 14), ranges, rtol=1e-9)
    np.testing.assert_allclose(bands.lower, mean - 2 * deviation, rtol=1e-12)
    np.testing.assert_allclose(bands.middle, mean, rtol=1e-12)
    np.testing.assert_allclose(bands.upper, mean + 2 * deviation, rtol=1e-12)
    np.testing.assert_allclose(volume_sma(candles.volume, 20), reference.rolling(candles.volume, 20)[0], rtol=1e-9)


def test_the_entry_signals_equal_the_formula_at_every_candle(candles: Candles, strategy: CustomStrategy) -> None:
    expected = reference.example_signals(candles)

    assert expected.sum() > 500
    np.testing.assert_array_equal(strategy.signals(candles), expected)


def test_the_exit_of_every_signal_equals_the_formula(
    candles: Candles, strategy: CustomStrategy, ranges: Floats
) -> None:
    exit_logic = strategy.exit_logic
    series = exit_logic.prepare(candles)
    for i in np.flatnonzero(reference.example_signals(candles))[:-1]:
        expected = reference.trail(candles, ranges, int(i), MULTIPLIER)
        entry = entry_at(candles, int(i))

        outcome = exit_logic.walk(series, exit_logic.start(candles[: i + 1], entry), entry)

        assert expected.exit is not None
        assert outcome.exit is not None
        assert outcome.exit.candle_time == candles.open_time[expected.exit]
        assert outcome.state.stop == pytest.approx(expected.stops[-1], rel=1e-12)


def test_a_live_window_gives_the_entries_of_the_whole_history(candles: Candles, strategy: CustomStrategy) -> None:
    signals = strategy.signals(candles)
    on_signals = np.flatnonzero(signals)[::8]
    sampled = np.concatenate([on_signals, on_signals - 1, np.arange(WINDOW, len(candles), 997)])
    for i in sampled[sampled >= WINDOW]:
        verdict = strategy.entry(candles[i - WINDOW + 1 : i + 1])

        assert verdict.signal == signals[i]
        assert verdict.conditions[0].left == pytest.approx(rsi(candles.close[: i + 1], 14)[-1], rel=1e-9)


def test_a_live_window_candle_by_candle_gives_the_exits_of_the_whole_history(
    candles: Candles, strategy: CustomStrategy, ranges: Floats
) -> None:
    starts = np.flatnonzero(reference.example_signals(candles))[:-1]
    for start in starts[starts >= WINDOW][::40]:
        expected = reference.trail(candles, ranges, int(start), MULTIPLIER)
        entry = entry_at(candles, int(start))
        state = strategy.start_exit(candles[start - WINDOW + 1 : start + 1], entry)
        for i, stop in enumerate(expected.stops[1:], start + 1):
            outcome = strategy.fold_exit(candles[i - WINDOW + 1 : i + 1], state, entry)
            state = outcome.state

            assert state.stop == pytest.approx(stop, rel=1e-9)
            assert (outcome.exit is not None) == (i == expected.exit)


def test_candles_missed_while_nothing_ran_are_folded_in_order(
    candles: Candles, strategy: CustomStrategy, ranges: Floats
) -> None:
    # The exit lies inside of the gap; a fold of the newest candle alone would have missed it.
    start = int(np.flatnonzero(reference.example_signals(candles))[100])
    expected = reference.trail(candles, ranges, start, MULTIPLIER)
    assert expected.exit is not None
    entry = entry_at(candles, start)
    state = strategy.start_exit(candles[: start + 1], entry)
    late = expected.exit + 200

    outcome = strategy.fold_exit(candles[late - WINDOW : late], state, entry)

    assert outcome.exit is not None
    assert outcome.exit.candle_time == candles.open_time[expected.exit]


def test_an_entry_older_than_the_window_starts_at_the_oldest_converged_candle(
    candles: Candles, strategy: CustomStrategy, ranges: Floats
) -> None:
    end = 20_000
    window = candles[end - WINDOW : end]
    first = end - WINDOW + strategy.warmup - 1
    # A close far above, so that the peak it sets holds; then far below, so that the window's highs set it.
    for close in (float(candles.high[end - 3000 : end].max()) + 1.0, 1.0):
        entry = EntryPoint(candles.open_time.item(end - 3000), close, close, candles.open_time.item(end - 2999))
        state = strategy.start_exit(window, entry)
        peak = max(close, candles.high[end - WINDOW : first + 1].max())

        outcome = strategy.fold_exit(candles[end - WINDOW : first + 1], state, entry)

        assert state.stop is None
        assert outcome.state.values["peak"] == peak
        assert outcome.state.stop == pytest.approx(peak - MULTIPLIER * ranges[first], rel=1e-9)
        assert strategy.fold_exit(window, state, entry).state.folded >= candles.open_time[first]
