"""Exits that are foreseen for many positions at once are those that a walk from candle to candle finds."""

import numpy as np
import pytest

from backtest.engine import backtest
from backtest.exits import ExitFinder
from backtest.history import History
from strategies.arrays import Indexes
from strategies.custom import CustomStrategy
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from strategies.exit_logic import EntryPoint, ExitSeries
from strategies.exits.atr import ATRExitMixin, ATRParams
from tests.domain.builders import config, instrument
from tests.strategies.reference import real_candles


class Walked(ATRExitMixin):
    """The same rule without the shortcut."""

    def first_exits(self, series: ExitSeries, signals: Indexes, width: int) -> None:  # type: ignore[override]
        return None


def exit_by_hand(series: ExitSeries, signal: int, multiplier: float) -> int:
    """Return the first candle that closes at or below the highest of peak - multiplier * ATR; 0: none."""
    candles, ranges = series.candles, series.indicators[0]
    peak = candles.close[signal]
    stop = peak - multiplier * ranges[signal]
    for i in range(signal + 1, len(candles)):
        peak = max(peak, candles.high[i])
        stop = max(stop, peak - multiplier * ranges[i])
        if candles.close[i] <= stop:
            return i - signal
    return 0


@pytest.mark.parametrize("multiplier", [0.3, 1.5, 6.0])
def test_the_trails_of_many_signals_end_where_each_alone_does(multiplier: float) -> None:
    logic = ATRExitMixin(ATRParams(x_atr_period=14, x_sl_multiplier=multiplier))
    candles = real_candles()[:3_000]
    series, signals = logic.prepare(candles), np.arange(100, 2_999, 7)
    expected = np.array([exit_by_hand(series, signal, multiplier) for signal in signals.tolist()])
    assert logic.first_exits(series, signals, 3_000).tolist() == expected.tolist()
    within_ten = np.where(expected <= 10, expected, 0)
    assert logic.first_exits(series, signals, 10).tolist() == within_ten.tolist()


def test_no_exit_is_foreseen_after_the_last_candle() -> None:
    logic = ATRExitMixin(ATRParams(x_atr_period=14, x_sl_multiplier=0.1))
    # This candle closes far below its high: if it came again, it would be an exit.
    series = logic.prepare(real_candles()[:1_175])
    high, close, spread = series.candles.high[-1], series.candles.close[-1], series.indicators[0][-1]
    assert close < high - 0.1 * spread
    assert logic.first_exits(series, np.array([1_174]), 5).tolist() == [0]


def test_without_a_first_average_the_stop_waits_for_one() -> None:
    logic = ATRExitMixin(ATRParams(x_atr_period=5, x_sl_multiplier=0.1))
    series = logic.prepare(real_candles()[:60])
    assert np.isnan(series.indicators[0][:5]).all()
    entry = EntryPoint(int(series.candles.open_time[0]), float(series.candles.close[0]), 0.0, 0)
    start = logic.start(series.candles, entry)
    fired = logic.walk(series, start, entry).exit
    assert fired is not None
    offset = logic.first_exits(series, np.array([0]), 50).item()
    assert series.candles.open_time[offset] == fired.candle_time


@pytest.mark.parametrize(
    ("multiplier", "risk"),
    [
        pytest.param(1.5, {}, id="short-trades"),
        pytest.param(25.0, {}, id="trades-of-hundreds-of-candles"),
        pytest.param(25.0, {"trading__max_positions": 4, "trading__position_size": 0.05}, id="several-entries"),
        pytest.param(
            4.0, {"risk_management__stop_loss_pct": 0.4, "risk_management__take_profit_pct": 0.5}, id="levels"
        ),
    ],
)
def test_both_ways_through_a_month_make_the_same_trades(multiplier: float, risk: dict[str, float]) -> None:
    entry = RSIBBVolumeEntryMixin(RSIBBVolumeParams())
    params = ATRParams(x_atr_period=14, x_sl_multiplier=multiplier)
    history = History("1m", real_candles(), 500)
    bot = config(**risk)
    seen, walked = (
        backtest(bot, instrument(), CustomStrategy(entry, logic), history)
        for logic in (ATRExitMixin(params), Walked(params))
    )
    assert ExitFinder(Walked(params), Walked(params).prepare(history.candles), np.array([600])).foreseen(0) is None
    assert len(seen.trades) > 50
    assert [(trade.entry_candle, trade.exit_candle, trade.size, trade.net_pnl) for trade in seen.trades] == [
        (trade.entry_candle, trade.exit_candle, trade.size, trade.net_pnl) for trade in walked.trades
    ]
    assert seen.cash == walked.cash
