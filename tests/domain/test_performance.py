"""The running metrics against a calculation over the whole list of trades, with pandas."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.metrics import Performance
from domain.positions import Trade
from tests.domain.builders import DAY, HOUR, dec

START = 19_000 * DAY + 5 * HOUR


def trade(entry: int, exit_: int, net: Decimal) -> Trade:
    return Trade(
        position_id="p",
        symbol="BTC/USDT",
        entry_time=entry,
        exit_time=exit_,
        entry_price=dec(1),
        entry_value=dec(1),
        exit_price=dec(1),
        exit_value=dec(1),
        size=dec(1),
        commission=dec(0),
        gross_pnl=net,
        net_pnl=net,
        exit_reason="test",
        orders=(),
    )


def folded(trades: list[Trade], cash: int = 1_000) -> Performance:
    performance = Performance.begin(started=START, equity=dec(cash))
    for each in trades:
        performance = performance.after(each)
    return performance


def expected(trades: list[Trade], cash: int) -> dict[str, float | None]:
    net = np.array([float(each.net_pnl) for each in trades])
    equity = cash + np.concatenate([[0.0], net.cumsum()])
    exits = pd.to_datetime([each.exit_time for each in trades], unit="ms", utc=True)
    daily = pd.Series(net, index=exits).resample("1D").sum()
    first = pd.Timestamp(START, unit="ms", tz="UTC").floor("D")
    daily = daily.reindex(pd.date_range(first, daily.index[-1], freq="1D"), fill_value=0.0)
    before = cash + daily.cumsum().shift(fill_value=0.0)
    returns = daily / before
    deviation = returns.std(ddof=1)
    downside = math.sqrt((returns.clip(upper=0.0) ** 2).mean())
    year = math.sqrt(365)
    losses = -net[net <= 0].sum()
    return {
        "total_trades": len(trades),
        "win_rate": (net > 0).mean(),
        "profit_factor": net[net > 0].sum() / losses if losses else None,
        "sharpe_ratio": returns.mean() / deviation * year
        if len(returns) > 1 and deviation > 1e-6 * returns.abs().max()
        else None,
        "sortino_ratio": returns.mean() / downside * year if len(returns) > 1 and downside > 0 else None,
        "max_drawdown": (1 - equity / np.maximum.accumulate(equity)).max(),
        "total_return": net.sum() / cash,
        "expectancy": net.mean(),
        "avg_trade": net.mean(),
        "exposure": sum(each.exit_time - each.entry_time for each in trades) / (trades[-1].exit_time - START),
    }


@st.composite
def trade_lists(draw: st.DrawFn) -> list[Trade]:
    moment, trades = START, []
    for _ in range(draw(st.integers(1, 30))):
        entry = moment + draw(st.integers(1, 40 * HOUR))
        moment = entry + draw(st.integers(1, 60 * HOUR))
        trades.append(trade(entry, moment, draw(st.decimals(-25, 30, places=2))))
    return trades


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists())
def test_the_running_metrics_are_those_of_the_whole_list(trades: list[Trade]) -> None:
    report = folded(trades).report()
    wanted = expected(trades, 1_000)
    assert report.keys() == wanted.keys()
    for name, value in wanted.items():
        assert report[name] == (None if value is None else pytest.approx(value, rel=1e-4, abs=1e-9)), name


def test_three_days_by_hand() -> None:
    """+100 and -10 on day 1 (9 %), nothing on day 2, -109 on day 3 (-10 %): mean -1/300, drawdown 119/1100."""
    day = 19_000 * DAY
    performance = folded(
        [
            trade(day + 6 * HOUR, day + 7 * HOUR, dec(100)),
            trade(day + 8 * HOUR, day + 9 * HOUR, dec(-10)),
            trade(day + 2 * DAY, day + 2 * DAY + HOUR, dec(-109)),
        ]
    )
    report = performance.report()
    assert report["win_rate"] == pytest.approx(1 / 3)
    assert report["profit_factor"] == pytest.approx(100 / 119)
    assert report["max_drawdown"] == pytest.approx(119 / 1100)
    deviation = math.sqrt(((0.09 + 1 / 300) ** 2 + (1 / 300) ** 2 + (0.1 - 1 / 300) ** 2) / 2)
    assert report["sharpe_ratio"] == pytest.approx(-1 / 300 / deviation * math.sqrt(365))
    assert report["sortino_ratio"] == pytest.approx(-1 / 300 / math.sqrt(0.01 / 3) * math.sqrt(365))
    assert report["total_return"] == pytest.approx(-0.019)
    assert report["exposure"] == pytest.approx(3 / 44)
    assert performance.total_pnl == -19
    assert performance.equity == 981


def test_before_the_first_trade_no_figure_has_a_meaning() -> None:
    report = folded([]).report()
    assert report == {
        "total_trades": 0, "win_rate": None, "profit_factor": None, "sharpe_ratio": None, "sortino_ratio": None,
        "max_drawdown": 0.0, "total_return": 0.0, "expectancy": None, "avg_trade": None, "exposure": None,
    }  # fmt: skip


def test_the_same_return_every_day_has_no_ratio() -> None:
    """The deviation is zero; what rounding leaves of it must not become a ratio of millions."""
    trades, equity = [], dec(1_000)
    for day in range(5):
        gain = equity / 10
        trades.append(trade(START + day * DAY, START + day * DAY + 1, gain))
        equity += gain
    report = folded(trades).report()
    assert report["sharpe_ratio"] is None
    assert report["sortino_ratio"] is None


def test_one_day_is_too_short_for_a_ratio() -> None:
    report = folded([trade(START + 1, START + 2, dec(-5)), trade(START + 3, START + 4, dec(7))]).report()
    assert (report["sharpe_ratio"], report["sortino_ratio"]) == (None, None)


def test_a_break_even_trade_is_no_win() -> None:
    assert folded([trade(START + 1, START + 2, dec(0))]).report()["win_rate"] == 0
