"""`backtest`: what it prints, writes and stores, and what it says when something is wrong."""

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.reads import Reads
from simulator.clock import ManualClock
from simulator.exchange import Exchange, replayed_market
from simulator.server import start_simulator
from tests.cli.helpers import Cli, new_id
from tests.e2e import reference
from tests.support.market_data import BTC_MONTH

EXAMPLE = Path(__file__).parents[1] / "e2e" / "example.json"
MONTH = ("--csv", str(BTC_MONTH), "--interval", "1m")
# The candle at whose open the independent calculation begins.
FIRST = "2022-01-01T15:40"


@pytest.fixture
def backtest() -> Cli:
    return Cli()


def example(**risk: Any) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(EXAMPLE.read_text())
    return raw | {"risk_management": risk}


def written(folder: Path, raw: Any) -> str:
    path = folder / "bot.json"
    path.write_text(json.dumps(raw))
    return str(path)


async def test_json_has_the_trades_of_the_independent_calculation_and_the_figures(backtest: Cli) -> None:
    outcome = await backtest("backtest", "--config", str(EXAMPLE), *MONTH, "--from", FIRST, "--json")
    assert outcome.code == 0, outcome.err
    data = reference.read(BTC_MONTH)
    rules = reference.Rules(Decimal("3.0"), Decimal("6.0"), 5)
    expected = reference.Simulation(data, rules, cash=Decimal(100), fraction=Decimal("0.1")).run(999)
    found = outcome.json["trades"]
    assert len(found) == len(expected) == 155

    def at(candle: int) -> str:
        return datetime.fromtimestamp(int(data.time[candle]) / 1000, UTC).isoformat().replace("+00:00", "Z")

    for trade, want in zip(found, expected, strict=True):
        assert list(trade) == [
            *("entry_time", "entry_price", "size", "exit_time", "exit_price"),
            *("commission", "gross_pnl", "net_pnl", "exit_reason"),
        ]
        assert (trade["entry_time"], trade["exit_time"]) == (at(want.entry_candle), at(want.exit_candle))
        assert (Decimal(trade["size"]), Decimal(trade["exit_price"])) == (want.size, want.exit_fill)
        assert abs(Decimal(trade["net_pnl"]) - want.net_pnl) < Decimal("1e-8")
        assert trade["exit_reason"] == want.reason
    figures = outcome.json["metrics"]
    wins = sum(want.net_pnl > 0 for want in expected)
    total = sum(want.net_pnl for want in expected)
    assert list(figures) == [
        *("total_trades", "win_rate", "profit_factor", "sharpe_ratio", "sortino_ratio", "max_drawdown"),
        *("total_return", "expectancy", "avg_trade", "exposure"),
    ]
    assert (figures["total_trades"], figures["win_rate"]) == (155, pytest.approx(wins / 155))
    assert figures["total_return"] == pytest.approx(float(total) / 100)
    assert outcome.json["market"]["rules"] == "assumed for a file"


async def test_people_see_figures_trades_and_what_was_assumed(backtest: Cli, tmp_path: Path) -> None:
    config = written(tmp_path, example(max_daily_trades=2))
    outcome = await backtest("backtest", "--config", config, *MONTH, "--to", "2022-01-05", "--cash", "2000")
    assert outcome.code == 0, outcome.err
    for words in (
        "BTC/USDT 1m, 2022-01-01 06:00 to 2022-01-05 00:00 UTC: 5400 candles, 420 before them to warm up",
        "lot 0.00001, tick 0.01, least notional 5 USDT (assumed for a file)",
        "max_daily_trades: 2 of 2 made today",
        "total return",
        "the last of 8 trades",
        "ATRExitMixin",
    ):
        assert words in outcome.out


async def test_a_gap_is_told_and_not_filled(backtest: Cli, tmp_path: Path) -> None:
    lines = gzip.decompress(BTC_MONTH.read_bytes()).decode().splitlines()
    path = tmp_path / "gap.csv"
    path.write_text("\n".join(lines[:800] + lines[803:1_500]))
    arguments = ("--config", str(EXAMPLE), "--csv", str(path), "--interval", "1m")
    outcome = await backtest("backtest", *arguments)
    assert "3 candles are missing, and not filled in: 3 after 2022-01-01 12:18" in outcome.out
    assert (await backtest("backtest", *arguments, "--json")).json["period"]["missing_candles"] == 3


async def test_the_rules_of_the_market_can_be_given(backtest: Cli) -> None:
    rules = ("--lot", "0.001", "--tick", "0.5", "--min-notional", "0")
    outcome = await backtest("backtest", "--config", str(EXAMPLE), *MONTH, *rules, "--cash", "100000", "--json")
    trades = outcome.json["trades"]
    assert trades
    assert {Decimal(trade["size"]) % Decimal("0.001") for trade in trades} == {0}
    assert {Decimal(trade["exit_price"]) % Decimal("0.5") for trade in trades} == {0}
    assert outcome.json["market"]["rules"] == "as given"


async def test_the_report_is_one_page_that_loads_nothing(backtest: Cli, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    raw = example(stop_loss_pct=1.0) | {"name": "<b>&"}
    outcome = await backtest("backtest", "--config", written(tmp_path, raw), *MONTH, "--report", str(page))
    assert outcome.code == 0, outcome.err
    html = page.read_text()
    assert "<title>Backtest of &lt;b&gt;&amp;</title>" in html
    assert re.findall(r"(?:src|href)=|https?://|url\(|@import|fetch\(", html) == []
    data = json.loads(html.split('id="data">')[1].split("</script>")[0])
    assert len(data["candles"][0]) == 45_031 - 420
    assert len(data["trades"]) > 400
    assert html.count("<svg") == 2
    assert (await backtest("backtest", "--config", str(EXAMPLE), *MONTH, "--report", str(tmp_path))).code == 1


async def test_without_a_trade_there_are_still_figures_and_a_page(backtest: Cli, tmp_path: Path) -> None:
    raw, page = example(), tmp_path / "report.html"
    raw["strategy"]["parameters"]["entry_logic"]["params"]["e_rsi_oversold"] = 0
    arguments = ("--config", written(tmp_path, raw), *MONTH, "--report", str(page))
    told = await backtest("backtest", *arguments)
    assert told.code == 0, told.err
    assert "100.00 USDT" in told.out
    assert "no trade was closed" in page.read_text()
    found = (await backtest("backtest", *arguments, "--json")).json
    assert (found["trades"], found["open_position"], found["metrics"]["win_rate"]) == ([], None, None)


async def test_a_rule_on_longer_candles_is_warm_before_anything_is_traded(backtest: Cli, tmp_path: Path) -> None:
    raw = example()
    rule = {"left": "close", "op": "crosses_above", "right": "sma(40)@15m"}
    raw["strategy"]["parameters"]["entry_logic"] = {"name": "RuleEntryMixin", "params": {"rule": rule}}
    found = (await backtest("backtest", "--config", written(tmp_path, raw), *MONTH, "--json")).json
    # The month begins at 23:00 UTC; forty quarters of an hour are not over before 09:00.
    assert found["period"]["from"] >= "2022-01-01T09:00:00Z"


async def test_finer_candles_are_read_from_a_file(backtest: Cli, tmp_path: Path) -> None:
    # Hours of the month, in some of which both a tight stop and a tight target lie: the minutes know which came first.
    lines = [line.split(",") for line in gzip.decompress(BTC_MONTH.read_bytes()).decode().splitlines()]
    hours = [",".join(lines[0])]
    for k in range(1, len(lines) - 60, 60):
        hour = lines[k : k + 60]
        extremes = max(hour, key=lambda c: float(c[2]))[2], min(hour, key=lambda c: float(c[3]))[3]
        hours.append(",".join([hour[0][0], hour[0][1], *extremes, hour[-1][4], str(sum(float(c[5]) for c in hour))]))
    path = tmp_path / "hours.csv"
    path.write_text("\n".join(hours))
    raw = example(stop_loss_pct=0.2, take_profit_pct=0.2)
    raw["strategy"]["parameters"]["entry_logic"]["params"] |= {"e_rsi_oversold": 50, "e_bb_dev": 0.5}
    arguments = ("--config", written(tmp_path, raw), "--csv", str(path), "--json")
    coarse = await backtest("backtest", *arguments)
    fine = await backtest("backtest", *arguments, "--finer", str(BTC_MONTH))
    reasons = [[trade["exit_reason"] for trade in each.json["trades"]] for each in (coarse, fine)]
    assert len(reasons[0]) == len(reasons[1]) > 5
    changed = [pair for pair in zip(*reasons, strict=True) if pair[0] != pair[1]]
    assert set(changed) == {("stop_loss", "take_profit")}


async def test_check_says_that_nothing_looks_ahead(backtest: Cli) -> None:
    outcome = await backtest("backtest", "--config", str(EXAMPLE), *MONTH, "--check", "--json")
    assert outcome.code == 0
    assert "candles were judged again without those after them: nothing changed" in outcome.err
    assert outcome.json["metrics"]["total_trades"] == 156


async def test_an_exchange_gives_the_candles_and_the_rules(backtest: Cli, tmp_path: Path) -> None:
    data = reference.read(BTC_MONTH)
    clock = ManualClock(int(data.time[3_000]) + 1_000)
    async with await start_simulator(Exchange(clock, [replayed_market("BTCUSDT", BTC_MONTH)])) as simulator:
        raw = example()
        raw["broker"]["base_url"] = simulator.url
        raw["data"]["interval"] = "1m"
        config = written(tmp_path, raw)
        asked = await backtest("backtest", "--config", config, "--from", FIRST, "--to", "2022-01-03T00:00", "--json")
    assert asked.code == 0, asked.err
    from_file = await backtest(
        *("backtest", "--config", str(written(tmp_path, example())), *MONTH),
        *("--from", FIRST, "--to", "2022-01-03T00:00", "--json"),
    )
    assert asked.json["market"]["rules"] == "of binance"
    assert len(asked.json["trades"]) > 5
    assert asked.json["trades"] == from_file.json["trades"]


async def test_a_backtest_is_stored_beside_the_trades_of_its_bot(
    cli: Cli, rows: BotRepository, reads: Reads, engine: AsyncEngine
) -> None:
    bot_id = new_id()
    await rows.create(bot_id, json.loads(EXAMPLE.read_text()) | {"id": bot_id, "enabled": False})
    for _ in range(2):  # a second one takes the place of the first
        outcome = await cli("backtest", "--bot", bot_id, *MONTH, "--from", FIRST, "--save", "--json")
        assert outcome.code == 0, outcome.err
        assert f"stored 155 trades of {bot_id} as a backtest" in outcome.err
    async with engine.connect() as connection:
        select = text("SELECT trade_type, net_pnl, exit_reason FROM trading_trades WHERE bot_id = :bot")
        stored = (await connection.execute(select, {"bot": bot_id})).all()
        select = text(
            "SELECT trade_type, symbol, interval, metrics FROM trading_performance_metrics WHERE bot_id = :bot"
        )
        figures = (await connection.execute(select, {"bot": bot_id})).all()
    assert Counter(row.trade_type for row in stored) == {"backtest": 155}
    assert sum(row.net_pnl for row in stored) == sum(Decimal(trade["net_pnl"]) for trade in outcome.json["trades"])
    assert [(row.trade_type, row.symbol, row.interval) for row in figures] == [("backtest", "BTC/USDT", "1m")]
    assert figures[0].metrics["total_trades"] == 155
    assert await reads.trades(bot_id) == []
    assert (await rows.overview(bot_id)).total_pnl == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param((), "give one of --bot and --config", id="no-bot"),
        pytest.param(("--config", "x", "--bot", "y"), "give one of --bot and --config", id="two-bots"),
        pytest.param(("--config", "x", "--save"), "--save needs --bot", id="save-what"),
        pytest.param(("--config", "x", "--csv", "y", "--venue", "kraken"), "give one of --csv and --venue", id="both"),
        pytest.param(("--config", "missing.json", "--csv", "y"), "missing.json: cannot be read", id="no-config"),
        pytest.param(("--config", str(EXAMPLE), "--csv", "missing.csv"), "missing.csv: cannot be read", id="no-csv"),
        pytest.param(("--config", str(EXAMPLE)), "--from is needed to ask an exchange for candles", id="no-from"),
        pytest.param(("--config", str(EXAMPLE), "--from", "soon"), "--from must be a date or time", id="no-date"),
        pytest.param(
            ("--config", str(EXAMPLE), "--csv", str(BTC_MONTH)), "candles of 1h open every 3600 s", id="other-interval"
        ),
        pytest.param(("--config", str(EXAMPLE), *MONTH, "--lot", "-1"), "must be a number above 0", id="bad-lot"),
        pytest.param(
            ("--config", str(EXAMPLE), *MONTH, "--to", "2021-12-31"), "candles are too few", id="nothing-left"
        ),
        pytest.param(("--config", str(EXAMPLE), *MONTH, "--cash", "0"), "broker.cash", id="no-cash"),
    ],
)
async def test_what_is_wrong_is_told_in_one_sentence(backtest: Cli, arguments: tuple[str, ...], words: str) -> None:
    outcome = await backtest("backtest", *arguments)
    assert outcome.code != 0
    assert words in " ".join(re.sub(r"[│╭╮╰╯─]", " ", outcome.err).split())
