"""Parameters that the tests on real candles try, for each logic of the catalogue."""

from typing import Any

from domain.candles import Candles
from strategies.exit_logic import EntryPoint

# With how many signals there are at least in the month, so that a rule that never holds is seen.
ENTRY_CASES: list[tuple[str, dict[str, Any], int]] = [
    ("RSIBBVolumeEntryMixin", {}, 500),
    ("RSIBBVolumeEntryMixin", {"e_rsi_period": 7, "e_bb_dev": 1.5, "e_use_bb_touch": False}, 500),
    ("RSIBBEntryMixin", {}, 500),
    ("RSIBBEntryMixin", {"e_rsi_cross": True, "e_bb_dev": 1.0, "e_use_bb_touch": False}, 100),
    ("RSIBBEntryMixin", {"e_bb_reentry": True, "e_rsi_oversold": 35}, 100),
    ("RSIBBEntryMixin", {"e_rsi_cross": True, "e_bb_reentry": True}, 20),
    ("RSIBBEntryMixin", {"e_cooldown_bars": 5}, 300),
    ("RSIOrBBEntryMixin", {}, 2000),
    ("RSIOrBBEntryMixin", {"e_rsi_cross": True, "e_bb_reentry": True}, 1000),
    ("RSIOrBBEntryMixin", {"e_cooldown_bars": 60}, 200),
    ("RSIIchimokuEntryMixin", {"e_rsi_oversold": 50}, 50),
    ("RSIIchimokuEntryMixin", {"e_rsi_oversold": 50, "e_tenkan": 3, "e_senkou": 30, "e_senkou_lead": 5}, 5),
    ("RSIVolumeSupertrendEntryMixin", {}, 0),  # oversold in an uptrend: not once in this month
    ("RSIVolumeSupertrendEntryMixin", {"e_rsi_oversold": 40, "e_st_multiplier": 5.0, "e_st_period": 21}, 100),
    ("BBVolumeSuperTrendEntryMixin", {}, 50),
    ("BBVolumeSuperTrendEntryMixin", {"e_st_multiplier": 1.0, "e_bb_dev": 0.5, "e_use_bb_touch": False}, 50),
]

_TIGHT = {"x_take_profit": 0.004, "x_stop_loss": 0.003}

# Many are tight, since a minute moves a price by a thousandth or so.
EXIT_CASES: list[tuple[str, dict[str, Any]]] = [
    ("ATRExitMixin", {}),
    ("ATRExitMixin", {"x_atr_period": 5, "x_sl_multiplier": 4.0}),
    ("SimpleATRExitMixin", {}),
    ("SimpleATRExitMixin", {"x_use_breakeven": False, "x_atr_period": 7}),
    ("SimpleATRExitMixin", {"x_atr_multiplier": 4.0, "x_breakeven_atr": 3.0}),
    ("FixedRatioExitMixin", _TIGHT),
    ("FixedRatioExitMixin", _TIGHT | {"x_use_trailing_stop": True, "x_trail_percent": 0.002}),
    ("TrailingStopExitMixin", {"x_trail_pct": 0.003}),
    ("TrailingStopExitMixin", {"x_trail_pct": 0.002, "x_activation_pct": 0.002}),
    ("TrailingStopExitMixin", {"x_use_atr": True}),
    ("TrailingStopExitMixin", {"x_use_atr": True, "x_atr_multiplier": 3.0, "x_activation_pct": 0.001}),
    ("RSIBBExitMixin", {"x_rsi_overbought": 60.0, "x_bb_dev": 1.0}),
    ("RSIOrBBExitMixin", {}),
    ("MACrossoverExitMixin", {}),
    ("MACrossoverExitMixin", {"x_ma_type": "ema", "x_require_confirmation": True}),
    ("MACrossoverExitMixin", {"x_ma_type": "wma", "x_fast_period": 3, "x_slow_period": 40}),
    ("TimeBasedExitMixin", {}),
    ("TimeBasedExitMixin", {"x_use_time": True, "x_max_minutes": 45.0}),
    ("RoiTableExitMixin", {"x_roi": {"0": 0.004, "30": 0.002, "60": -0.001, "240": -1}}),
]

ADVANCED_CASES: list[dict[str, Any]] = [
    {"use_htf_atr": False},
    {"htf": "5m"},
    {"htf": "1h", "use_swing_ratchet": False},
    {"htf": "15m", "alpha_htf": 0.5, "use_swing_ratchet": False, "breakeven_offset_atr": 0.5},
    {"use_htf_atr": False, "k_init": 6.0, "k_run": 5.0, "k_phase2": 1.0, "use_swing_ratchet": False, "arm_at_R": 0.5},
    {"use_htf_atr": False, "tighten_if_stagnant_bars": 3, "min_bars_between_tighten": 2, "swing_lookback": 40},
    {"use_htf_atr": False, "atr_floor": 50.0, "struct_buffer_atr": 2.0, "p_fast": 30, "p_slow": 3},
]


def entry_at(candles: Candles, i: int) -> EntryPoint:
    """Return the position that a signal on candle `i` makes: at the next open, and a little more."""
    return EntryPoint(
        signal_time=candles.open_time.item(i),
        signal_close=candles.close.item(i),
        price=candles.open.item(i + 1) * 1.0005,
        opened_at=candles.open_time.item(i + 1),
    )
