"""Short ways to say candles, and to test a bot on them: volumes say what its strategy does, as in tests/activities."""

from typing import Any

import numpy as np

from backtest.engine import backtest
from backtest.history import History, history_of
from backtest.result import Result
from domain.candles import Candles
from domain.config import BotConfig
from domain.instruments import Instrument
from strategies.custom import CustomStrategy
from tests.activities.stage import BUY, QUIET, SELL, strategy
from tests.domain.builders import MINUTE, config, costs, instrument

__all__ = ["BUY", "FREE", "QUIET", "SELL", "START", "candle", "candles", "config", "instrument", "run_on"]

START = 1_700_006_400_000
"""A midnight, UTC."""

FREE: dict[str, Any] = {"broker__paper_trading_config": costs(fee="0", slippage="0")}
"""Nothing is paid but the price: sums stay round."""

Row = tuple[float, float, float, float, float]


def candle(volume: float = QUIET, *, at: float = 100, low: float | None = None, high: float | None = None) -> Row:
    """Return a candle that opens and closes at one price: open, high, low, close, volume."""
    return at, at if high is None else high, at if low is None else low, at, volume


def candles(*rows: Row, step: int = MINUTE, start: int = START) -> Candles:
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    return Candles(start + step * np.arange(len(rows), dtype=np.int64), *columns)


def run_on(
    series: Candles,
    bot: BotConfig,
    *,
    by: CustomStrategy | None = None,
    market: Instrument | None = None,
    finer: Candles | None = None,
) -> Result:
    chosen = by or strategy()
    history: History = history_of(series, bot.data.interval, warmup=1, finer=finer)
    return backtest(bot, market or instrument(), chosen, history)
