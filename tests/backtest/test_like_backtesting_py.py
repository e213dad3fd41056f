"""backtesting.py, given the same rules, makes the same trades: see tests/data/README.md."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtest.engine import backtest
from backtest.history import history_of
from domain.config import parse_config
from strategies.registry import build_strategy
from tests.backtest.test_month import EXAMPLE, FIRST
from tests.domain.builders import costs, instrument
from tests.strategies.reference import real_candles

TRADES = Path(__file__).parents[1] / "data" / "backtesting_py"


@pytest.mark.parametrize(
    ("name", "risk", "count"),
    [
        ("example", {"stop_loss_pct": 3, "take_profit_pct": 6, "max_daily_trades": 5}, 155),
        ("unlimited", {}, 454),
        ("tight", {"stop_loss_pct": 0.3, "take_profit_pct": 0.4}, 465),
    ],
)
def test_the_same_rules_make_the_same_trades_in_backtesting_py(name: str, risk: dict[str, Any], count: int) -> None:
    with (TRADES / f"{name}.csv").open() as lines:
        expected = [[Decimal(cell) for cell in row] for row in list(csv.reader(lines))[1:]]
    raw = EXAMPLE | {"risk_management": risk, "data": EXAMPLE["data"] | {"interval": "1m"}}
    raw["broker"] = EXAMPLE["broker"] | {"paper_trading_config": costs(slippage="0", currency="quote")}
    config, candles = parse_config(raw), real_candles()
    strategy = build_strategy(config.strategy)
    history = history_of(candles, "1m", warmup=strategy.warmup, start=int(candles.open_time[FIRST]))
    # It knows neither a least notional nor ticks: the finest that a venue may have.
    result = backtest(config, instrument(notional="0", tick="0.00000001"), strategy, history)
    assert len(result.trades) == len(expected) == count
    for trade, (entered, left, *amounts) in zip(result.trades, expected, strict=True):
        assert (trade.entry_candle, trade.exit_candle) == (int(entered), int(left))
        ours = (trade.size, trade.entry_price, trade.exit_price, trade.net_pnl)
        assert all(abs(mine - its) <= Decimal("1e-8") for mine, its in zip(ours, amounts, strict=True))
