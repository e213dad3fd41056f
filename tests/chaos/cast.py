"""The bots of a chaos run: live, eager, each with an account of its own, so that balances can be compared exactly."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.config import parse_config
from domain.templates import bot_from_template

# Nervous enough for stops and targets to be reached within seconds.
VOLATILITY = 30
SYMBOLS = tuple(f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "LTC"))
CASH = Decimal(1_000)
# More than the bot may spend: that it stays within its allotment must show in the balance.
DEPOSIT = Decimal(5_000)
AT_ONCE: dict[str, Any] = {"name": "ATRExitMixin", "params": {"x_atr_period": 3, "x_sl_multiplier": 1.0}}
# A candle's range is some 0.2 %: the parts are sold at a quarter and at half of that.
IN_PARTS: dict[str, Any] = {
    "name": "AdvancedATRExitMixin",
    "params": {"p_fast": 3, "p_slow": 3, "k_init": 1.0, "use_htf_atr": False, "pt_levels_R": [0.25, 0.5]},
}


@dataclass(frozen=True)
class Member:
    """One bot. Its account at the venue and its stored credentials bear its name.

    Attributes:
        patient: it buys and sells by limit orders, and has a stop rest at the venue.
        partial: it sells in parts, and watches the stop of its exit rule by price.
    """

    bot_id: str
    symbol: str
    interval: str
    patient: bool = False
    partial: bool = False

    @property
    def base(self) -> str:
        """The currency that it buys."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency that it pays with."""
        return self.symbol.partition("/")[2]

    @property
    def secret(self) -> str:
        """The secret of its key; it opens nothing but the simulator."""
        return f"secret-of-{self.bot_id}"

    def account(self) -> dict[str, Any]:
        """Return the account as the simulator opens it."""
        return {
            "name": self.bot_id,
            "keys": [{"key": self.bot_id, "secret": self.secret}],
            "balances": {self.quote: str(DEPOSIT)},
        }

    def config(self, url: str) -> dict[str, Any]:
        """Return its configuration: it buys on almost every candle, and sells within seconds."""
        raw = bot_from_template(
            "rsi", id=self.bot_id, symbol=self.symbol, interval=self.interval, cash=CASH, base_url=url
        )
        raw["broker"] |= {"trading_mode": "live", "credentials": self.bot_id, "live_trading_confirmed": True}
        parameters = raw["strategy"]["parameters"]
        parameters["entry_logic"]["params"] = {
            "e_rsi_period": 3,
            "e_rsi_oversold": 50,
            "e_bb_period": 5,
            "e_bb_dev": 0.1,
            "e_vol_ma_period": 3,
            "e_min_volume_ratio": 0.1,
        }
        parameters["exit_logic"] = IN_PARTS if self.partial else AT_ONCE
        raw["risk_management"] = {
            "stop_loss_pct": 0.15,
            "take_profit_pct": 0.5 if self.partial else 0.2,
            "max_position_size": 500,
            "max_daily_loss": 900,
        }
        raw["data"]["lookback_bars"] = 60
        raw["trading"]["position_size"] = 0.3
        if self.patient:
            raw["trading"] |= {"entry_order": "limit", "exit_order": "limit"}
            raw["trading"] |= {"limit_offset_pct": 0.02, "limit_timeout_seconds": 3}
            raw["risk_management"]["exchange_stop"] = True
        parse_config(raw)
        return raw


def cast(size: int) -> tuple[Member, ...]:
    """Return so many bots, over all symbols.

    One of four trades candles of a second: an entry that is late by more than that expires. The others trade candles
    of a minute, so that their entries are sent again after a failure. One of five is patient, one sells in parts.
    """
    return tuple(
        Member(
            f"chaos-{number:02}",
            SYMBOLS[number % len(SYMBOLS)],
            "1s" if number % 4 == 3 else "1m",
            patient=number % 5 == 4,
            partial=number % 5 == 2,
        )
        for number in range(size)
    )
