"""Every entry with every exit on real candles: the backtest's trades are those of the parts of a live paper bot.

The live bot sees the window that a real one has, and judges each candle a moment after its end.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest

from backtest.engine import backtest
from backtest.history import History
from domain.positions import Book
from strategies.custom import CustomStrategy
from strategies.entry_logic import AnyEntry
from strategies.registry import ENTRIES, EXITS
from tests.backtest.live_bot import LiveBot, told, told_live
from tests.backtest.scenes import config, instrument
from tests.strategies.reference import real_candles

CANDLES = 800
"""How many are lived through: those of the month on which the entry has most signals."""

LATE_MS = 300

ENTRY_CASES: list[tuple[str, dict[str, Any]]] = [
    ("RSIBBVolumeEntryMixin", {}),
    ("RSIBBEntryMixin", {"e_bb_reentry": True, "e_rsi_oversold": 40, "e_cooldown_bars": 3}),
    ("RSIOrBBEntryMixin", {"e_rsi_cross": True, "e_bb_reentry": True}),
    ("RSIIchimokuEntryMixin", {"e_rsi_oversold": 50, "e_tenkan": 2, "e_kijun": 4, "e_senkou": 8, "e_senkou_lead": 2}),
    ("RSIVolumeSupertrendEntryMixin", {"e_rsi_oversold": 45, "e_st_multiplier": 5.0}),
    ("BBVolumeSuperTrendEntryMixin", {"e_st_multiplier": 5.0, "e_bb_dev": 1.0, "e_use_bb_touch": False}),
    (
        "RuleEntryMixin",
        {
            "rule": {
                "any": [
                    {"left": "volume", "op": ">", "right": "6 * sma(volume, 30)"},
                    {
                        "all": [
                            {"left": "close", "op": ">", "right": "ema(10)@15m"},
                            {"left": "rsi(7)", "op": "crosses_above", "right": 45},
                        ]
                    },
                ]
            }
        },
    ),
]
EXIT_CASES: list[tuple[str, dict[str, Any]]] = [
    ("ATRExitMixin", {}),
    ("SimpleATRExitMixin", {"x_atr_multiplier": 3.0}),
    ("FixedRatioExitMixin", {"x_take_profit": 0.003, "x_stop_loss": 0.003}),
    (
        "FixedRatioExitMixin",
        {"x_take_profit": 0.004, "x_stop_loss": 0.003, "x_use_trailing_stop": True, "x_trail_percent": 0.002},
    ),
    ("TrailingStopExitMixin", {"x_trail_pct": 0.002}),
    ("TrailingStopExitMixin", {"x_use_atr": True, "x_activation_pct": 0.0005}),
    ("RSIBBExitMixin", {"x_rsi_overbought": 60.0, "x_bb_dev": 1.0}),
    ("RSIOrBBExitMixin", {}),
    ("MACrossoverExitMixin", {}),
    ("MACrossoverExitMixin", {"x_ma_type": "ema", "x_require_confirmation": True}),
    ("TimeBasedExitMixin", {}),
    ("TimeBasedExitMixin", {"x_use_time": True, "x_max_minutes": 15.0}),
    ("RoiTableExitMixin", {"x_roi": {"0": 0.004, "10": 0.001, "25": -1}}),
    ("AdvancedATRExitMixin", {"use_htf_atr": False, "k_init": 1.5, "tighten_if_stagnant_bars": 6}),
    (
        "AdvancedATRExitMixin",
        {"htf": "5m", "alpha_htf": 0.5, "pt_levels_R": [0.2, 0.4, 0.8], "pt_sizes": [0.3, 0.05, 0.4]},
    ),
    (
        "RuleExitMixin",
        {
            "rule": {
                "any": [
                    {"left": "minutes_held", "op": ">=", "right": 20},
                    {"left": "profit_pct", "op": ">=", "right": 0.3},
                ]
            },
            "stop": "peak - 3 * atr(14)",
        },
    ),
]
LIMITS: dict[str, Any] = {"risk_management__stop_loss_pct": 1, "trading__max_positions": 2}


@cache
def entry_of(number: int) -> tuple[AnyEntry, int]:
    """Return an entry, and where the candles with most of its signals begin."""
    name, params = ENTRY_CASES[number]
    logic = ENTRIES[name](ENTRIES[name].Params.model_validate(params))
    candles = real_candles()
    before = np.concatenate([[0], np.cumsum(logic.signals(candles))])
    starts = np.arange(5_000, len(candles) - CANDLES, 100)
    return logic, starts.item((before[starts + CANDLES] - before[starts]).argmax())


@pytest.mark.parametrize(("exit_name", "params"), [pytest.param(*case, id=case[0]) for case in EXIT_CASES])
@pytest.mark.parametrize("number", range(len(ENTRY_CASES)), ids=[name for name, _ in ENTRY_CASES])
def test_a_backtest_makes_the_trades_of_a_live_paper_bot(number: int, exit_name: str, params: dict[str, Any]) -> None:
    entry, start = entry_of(number)
    by = CustomStrategy(entry, EXITS[exit_name](EXITS[exit_name].Params.model_validate(params)))
    bot, market = config(**LIMITS), instrument()
    window = max(bot.data.lookback_bars, by.warmup_at(bot.data.interval))
    candles = real_candles()[start - window : start + CANDLES]
    live = LiveBot(bot, market, by, candles, Book(cash=bot.broker.cash), window=window, late=LATE_MS)
    live.run(begin=window)
    result = backtest(bot, market, by, History(bot.data.interval, candles, window))
    assert told(result.trades) == told_live(live)
    assert (result.cash, result.held) == (live.book.cash, live.book.holding)
    assert len(live.trades) >= 5
    assert exit_name in {trade.exit_reason for trade in live.trades}


def test_all_logics_are_tried() -> None:
    assert {name for name, _ in ENTRY_CASES} == set(ENTRIES)
    assert {name for name, _ in EXIT_CASES} == set(EXITS)
