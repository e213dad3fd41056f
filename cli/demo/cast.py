"""The six bots of the demo and the market that they trade on: loose rules, so that there is something to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.templates import bot_from_template

VENUE = "binance"
CASH = 10_000
# Nervous enough for trades in seconds to earn more or lose more than their fees.
VOLATILITY = 20.0
# Always the same hour of the same day, so that a seed is a market: no halts are scripted for the first of a day.
MARKET_START = datetime(2026, 1, 5, 0, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """One bot: what distinguishes it from the template. Percentages: 2.0 is 2 %."""

    name: str
    symbol: str
    description: str
    entry: Mapping[str, float]
    exit: Mapping[str, float]
    risk: Mapping[str, float]

    @property
    def bot_id(self) -> str:
        """The name as a slug."""
        return self.name.lower().replace(" ", "-")


def _entry(*, rsi: int, oversold: int, bands: int, deviations: float) -> dict[str, float]:
    """Return the parameters of an entry at almost any volume."""
    return {
        "e_rsi_period": rsi,
        "e_rsi_oversold": oversold,
        "e_bb_period": bands,
        "e_bb_dev": deviations,
        "e_vol_ma_period": 5,
        "e_min_volume_ratio": 0.2,
    }


def _exit(*, period: int, multiplier: float) -> dict[str, float]:
    return {"x_atr_period": period, "x_sl_multiplier": multiplier}


def _risk(stop: float, target: float) -> dict[str, float]:
    return {"stop_loss_pct": stop, "take_profit_pct": target}


CAST = (
    Part(
        "Dip Hunter",
        "BTC/USDT",
        "Buys small dips, trails a short stop, takes what it gets.",
        _entry(rsi=5, oversold=48, bands=8, deviations=0.6),
        _exit(period=5, multiplier=1.4),
        _risk(2.0, 1.2),
    ),
    Part(
        "Rubber Band",
        "ETH/USDT",
        "Waits for the price to stretch below its band and lets winners run.",
        _entry(rsi=7, oversold=50, bands=10, deviations=0.4),
        _exit(period=7, multiplier=1.6),
        _risk(2.0, 3.0),
    ),
    Part(
        "Tight Leash",
        "SOL/USDT",
        "Stop and target half a percent away: the price reaches them between two candles.",
        _entry(rsi=4, oversold=50, bands=6, deviations=0.3),
        _exit(period=10, multiplier=4.0),
        _risk(0.5, 0.5),
    ),
    Part(
        "Quick Fingers",
        "BNB/USDT",
        "In and out within seconds, at one ATR.",
        _entry(rsi=3, oversold=48, bands=5, deviations=0.4),
        _exit(period=4, multiplier=1.0),
        _risk(1.5, 0.6),
    ),
    Part(
        "Knife Catcher",
        "DOGE/USDT",
        "Buys what falls fast, hopes for the bounce.",
        _entry(rsi=5, oversold=42, bands=8, deviations=0.9),
        _exit(period=6, multiplier=1.6),
        _risk(1.5, 2.0),
    ),
    Part(
        "Long Breath",
        "XRP/USDT",
        "A wide stop and a near target: wins often and little, loses seldom and much.",
        _entry(rsi=6, oversold=50, bands=8, deviations=0.3),
        _exit(period=8, multiplier=2.4),
        _risk(3.0, 0.8),
    ),
)


def symbols() -> str:
    """Return the symbols of the cast as the simulator takes them."""
    return ",".join(part.symbol.replace("/", "") for part in CAST)


def config_of(part: Part, base_url: str) -> dict[str, Any]:
    """Return the configuration of a bot that trades on the simulator at `base_url`."""
    config = bot_from_template(
        "rsi-tight",
        id=part.bot_id,
        name=part.name,
        symbol=part.symbol,
        venue=VENUE,
        interval="1s",
        cash=CASH,
        base_url=base_url,
    )
    parameters = config["strategy"]["parameters"]
    parameters["entry_logic"]["params"] |= part.entry
    parameters["exit_logic"]["params"] |= part.exit
    # A venue for somebody who trades much: with the usual fees nobody could win within seconds.
    config["broker"]["paper_trading_config"] = {"fee_rate": 0.0002, "slippage_pct": 0.005}
    config["description"] = part.description
    config["data"] |= {"lookback_bars": 250, "price_interval_seconds": 0.5}
    config["trading"] = {"position_size": 0.5, "max_positions": 1, "on_stop": "close_position"}
    config["risk_management"] = dict(part.risk)
    return config
