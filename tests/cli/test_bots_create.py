from decimal import Decimal

import pytest

from db.bots import BotRepository
from domain.config import parse_config
from tests.cli.helpers import Cli, new_id
from tests.support.bots import Bench


async def test_a_bot_is_made_for_each_symbol_and_named_after_template_and_symbol(cli: Cli, rows: BotRepository) -> None:
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT, ETHUSDT", "--disabled")
    assert outcome.code == 0, outcome.err
    assert [(bot.bot_id, bot.symbol, bot.enabled) for bot in await rows.list_overview()] == [
        ("rsi_btcusdt", "BTC/USDT", False),
        ("rsi_ethusdt", "ETHUSDT", False),
    ]
    assert "Start them with: python starter.py bots enable rsi_btcusdt rsi_ethusdt" in outcome.out


async def test_every_option_reaches_the_configuration(cli: Cli, rows: BotRepository) -> None:
    options = {
        "--template": "rsi-tight",
        "--symbols": "BTC/USDT",
        "--venue": "kraken",
        "--interval": "1m",
        "--cash": "250.5",
        "--id-prefix": "mine",
        "--base-url": "http://127.0.0.1:8899",
    }
    changes = ("--set", "trading.position_size=0.25", "--set", "broker.paper_trading_config.fee_rate=0.002")
    flat = [word for pair in options.items() for word in pair]
    outcome = await cli("bots", "create", *flat, *changes, "--set", "name=Mine", "--disabled")
    assert outcome.code == 0, outcome.err
    config = parse_config((await rows.get("mine_btcusdt")).config)
    assert (config.data.data_source, config.data.interval, config.broker.cash) == ("kraken", "1m", Decimal("250.5"))
    assert config.broker.base_url == "http://127.0.0.1:8899"
    assert config.position_fraction == Decimal("0.25")
    assert config.broker.paper_trading_config.fee_rate == Decimal("0.002")
    assert config.name == "Mine"


async def test_an_unknown_template_names_the_nearest(cli: Cli) -> None:
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT", "--template", "rsi-tihgt")
    assert outcome.code == 1
    assert "template: unknown template; did you mean rsi-tight?" in outcome.err


async def test_all_problems_come_at_once_and_nothing_is_made(cli: Cli, rows: BotRepository) -> None:
    changes = ("--set", "trading.positon_size=3", "--set", "risk_management.stop_loss_pct=-1")
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT", *changes)
    assert outcome.code == 1
    assert "trading.positon_size: unknown key; did you mean position_size?" in outcome.err
    assert "risk_management.stop_loss_pct" in outcome.err
    assert await rows.list_overview() == []


async def test_an_id_that_exists_stops_all(cli: Cli, rows: BotRepository) -> None:
    await cli("bots", "create", "--symbols", "ETH/USDT", "--disabled")
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT,ETH/USDT", "--disabled")
    assert outcome.code == 1
    assert "there is a bot rsi_ethusdt already, nothing was made; choose another --id-prefix" in outcome.err
    assert len(await rows.list_overview()) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--set", "trading"), "expected PATH=VALUE; was 'trading'"),
        (("--set", "name.first=x"), "which has no keys"),
        (("--symbols", " , "), "expected at least one symbol"),
        (("--cash", "much"), "--cash"),
    ],
)
async def test_wrong_usage_is_exit_code_2(cli: Cli, wrong: tuple[str, str], words: str) -> None:
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT", *wrong)
    assert outcome.code == 2
    assert words in " ".join(outcome.err.replace("│", " ").split())


async def test_a_bot_of_a_symbol_that_the_venue_lacks_says_so_at_once(cli: Cli, bench: Bench) -> None:
    outcome = await cli("bots", "create", "--symbols", "DOGE/USDT", "--id-prefix", new_id())
    assert outcome.code == 1
    assert "version 1 refused: symbol: DOGE/USDT is not traded on binance" in outcome.out
    assert "mend it with `bots edit`" in outcome.err


async def test_with_a_worker_the_bot_runs_and_the_next_step_is_shown(cli: Cli, bench: Bench) -> None:
    prefix = new_id()
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT", "--id-prefix", prefix, "--interval", "1m")
    assert outcome.code == 0, outcome.err
    assert f"{prefix}_btcusdt  running, version 1" in outcome.out
    assert f"python starter.py bots why {prefix}_btcusdt" in outcome.out


async def test_without_a_worker_the_bot_waits_for_one(cli: Cli, idle_bench: Bench) -> None:
    prefix = new_id()
    outcome = await cli("bots", "create", "--symbols", "BTC/USDT", "--id-prefix", prefix, "--wait", "0.1")
    assert outcome.code == 0
    assert "has not confirmed yet" in outcome.out
    async with idle_bench.worker():
        answer = await cli("bots", "enable", f"{prefix}_btcusdt")
    assert f"{prefix}_btcusdt  running, version 1" in answer.out
