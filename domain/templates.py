"""Ready-made configurations, so that a first bot needs a symbol and a name and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.config import PAPER
from domain.config_errors import InvalidConfig, Problem, unknown_name


@dataclass(frozen=True, slots=True)
class Template:
    """Values for a bot; `bot_from_template` adds its identity, market and cash. Percentages: 3.0 is 3 %."""

    name: str
    title: str
    description: str
    entry: Mapping[str, Any]
    exit: Mapping[str, Any]
    risk: Mapping[str, Any]


_TEMPLATES = (
    Template(
        name="rsi",
        title="RSI+ATR",
        description="Buys oversold dips below the Bollinger band on volume; trails the stop at 1.5 ATR.",
        entry={
            "e_rsi_period": 14,
            "e_rsi_oversold": 30,
            "e_bb_period": 20,
            "e_bb_dev": 2.0,
            "e_vol_ma_period": 20,
            "e_min_volume_ratio": 1.1,
            "e_use_bb_touch": True,
        },
        exit={"x_atr_period": 14, "x_sl_multiplier": 1.5},
        risk={
            "max_position_size": 1000.0,
            "stop_loss_pct": 3.0,
            "take_profit_pct": 6.0,
            "max_daily_loss": 200.0,
            "max_daily_trades": 5,
        },
    ),
    Template(
        name="rsi-tight",
        title="RSI+ATR tight",
        description="Trades often: buys small dips at any volume and leaves quickly, at 1 ATR. For trying things out.",
        entry={
            "e_rsi_period": 7,
            "e_rsi_oversold": 45,
            "e_bb_period": 10,
            "e_bb_dev": 1.0,
            "e_vol_ma_period": 10,
            "e_min_volume_ratio": 0.1,
        },
        exit={"x_atr_period": 7, "x_sl_multiplier": 1.0},
        risk={"stop_loss_pct": 1.0, "take_profit_pct": 1.5},
    ),
    Template(
        name="rsi-swing",
        title="RSI+ATR swing",
        description="Trades seldom: waits for deep dips, gives room with a stop at 3 ATR, rests after an exit.",
        entry={
            "e_rsi_period": 14,
            "e_rsi_oversold": 25,
            "e_bb_period": 20,
            "e_bb_dev": 2.5,
            "e_vol_ma_period": 20,
            "e_min_volume_ratio": 1.5,
        },
        exit={"x_atr_period": 14, "x_sl_multiplier": 3.0},
        risk={"stop_loss_pct": 8.0, "take_profit_pct": 20.0, "cooldown_minutes": 240},
    ),
)


def templates() -> tuple[Template, ...]:
    """Return all templates, each with a sentence that says what it does."""
    return _TEMPLATES


def bot_from_template(
    template: str = "rsi",
    *,
    id: str,  # noqa: A002  the name that the key has
    symbol: str,
    name: str | None = None,
    venue: str = "binance",
    interval: str = "1h",
    cash: float | Decimal = 1000,
    enabled: bool = True,
    base_url: str | None = None,
) -> dict[str, Any]:
    """Return the configuration of a new paper bot, as a JSON document for `parse_config`.

    Args:
        template: one of `templates()`.
        venue: ccxt id of the exchange whose market data and rules the bot follows.
        cash: starting cash in quote currency.
        base_url: another host than the exchange's own: a proxy, a simulator.

    Raises:
        InvalidConfig: there is no such template.
    """
    chosen = _named(template)
    host = {} if base_url is None else {"base_url": base_url}
    return {
        "id": id,
        "name": name or f"{chosen.title} {symbol} Paper Trading",
        "enabled": enabled,
        "symbol": symbol,
        "broker": {"type": venue, "trading_mode": PAPER, "name": f"{id}_broker", "cash": float(cash)} | host,
        "strategy": _strategy(chosen),
        "data": {"data_source": venue, "interval": interval, "lookback_bars": 500},
        "trading": {"position_size": 0.1, "max_positions": 1},
        "risk_management": dict(chosen.risk),
        "notifications": {"position_opened": True, "position_closed": True, "error_notifications": True},
    }


def _strategy(template: Template) -> dict[str, Any]:
    return {
        "type": "CustomStrategy",
        "parameters": {
            "entry_logic": {"name": "RSIBBVolumeEntryMixin", "params": dict(template.entry)},
            "exit_logic": {"name": "ATRExitMixin", "params": dict(template.exit)},
        },
    }


def _named(name: str) -> Template:
    by_name = {template.name: template for template in _TEMPLATES}
    if name not in by_name:
        raise InvalidConfig([Problem(path="template", message=unknown_name(name, tuple(by_name), noun="template"))])
    return by_name[name]
