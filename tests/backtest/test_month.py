"""The user's example over a month of real candles gives the trades of an independent calculation."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtest.engine import backtest
from backtest.history import history_of
from domain.config import parse_config
from strategies.registry import build_strategy
from tests.domain.builders import instrument
from tests.e2e import reference
from tests.strategies.reference import real_candles
from tests.support.market_data import BTC_MONTH

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "e2e" / "example.json").read_text())
FIRST = 1_000


@pytest.mark.parametrize(
    ("rules", "risk", "count"),
    [
        pytest.param(
            reference.Rules(Decimal("3.0"), Decimal("6.0"), 5), EXAMPLE["risk_management"], 155, id="as-the-user-has-it"
        ),
        pytest.param(reference.Rules(None, None, None), {}, 454, id="without-limits"),
        pytest.param(
            reference.Rules(Decimal("0.3"), Decimal("0.4"), None),
            {"stop_loss_pct": 0.3, "take_profit_pct": 0.4},
            469,
            id="tight-stop-and-target",
        ),
    ],
)
def test_a_month_gives_the_trades_of_an_independent_calculation(
    rules: reference.Rules, risk: dict[str, Any], count: int
) -> None:
    simulation = reference.Simulation(reference.read(BTC_MONTH), rules, cash=Decimal("100.0"), fraction=Decimal("0.1"))
    expected = simulation.run(FIRST - 1)
    config = parse_config(EXAMPLE | {"risk_management": risk, "data": EXAMPLE["data"] | {"interval": "1m"}})
    candles, strategy = real_candles(), build_strategy(config.strategy)
    history = history_of(candles, "1m", warmup=strategy.warmup, start=int(candles.open_time[FIRST]))
    result = backtest(config, instrument(), strategy, history)
    assert len(expected) == len(result.trades) == count
    for trade, want in zip(result.trades, expected, strict=True):
        assert (trade.entry_candle, trade.exit_candle) == (want.entry_candle, want.exit_candle)
        assert trade.entry_time == candles.open_time[want.entry_candle]
        assert trade.exit_time == candles.open_time[want.exit_candle]
        assert (trade.exit_reason, trade.size, trade.exit_price) == (want.reason, want.size, want.exit_fill)
        assert trade.commission == want.commission
        assert abs(trade.net_pnl - want.net_pnl) <= Decimal("1e-8")
        assert trade.gross_pnl - trade.commission == trade.net_pnl
    assert result.cash == simulation.cash
