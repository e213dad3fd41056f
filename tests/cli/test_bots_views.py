"""Commands that show: for people, and with --json for programs."""

import asyncio
import contextlib
import json

import pytest

from cli.bots.books import _events
from db.bots import BotRepository
from db.reads import Reads
from tests.cli.helpers import Cli, eventually, running_bot
from tests.support.bots import Bench, BotUnderTest, raw_config
from workflows.bot import BotWorkflow


async def eventually_events(reads: Reads, bot: BotUnderTest, wanted: str) -> None:
    async def there() -> bool:
        return wanted in [event.type for event in await reads.events(bot.bot_id)]

    await eventually(there)


async def round_trip(cli: Cli, bot: BotUnderTest, reads: Reads) -> None:
    await cli("bots", "open", bot.bot_id)
    await cli("bots", "close", bot.bot_id)
    await eventually_events(reads, bot, "position_closed")


async def test_an_empty_list_says_how_to_make_a_bot(cli: Cli) -> None:
    outcome = await cli("bots", "list")
    assert "There are no bots yet; make some: python starter.py bots create" in outcome.out
    assert (await cli("bots", "list", "--json")).json == []


async def test_the_list_shows_each_bot(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one", enabled=False))
    await rows.create("two", raw_config("two"))
    lines = (await cli("bots", "list")).out.splitlines()
    [one] = [line for line in lines if " one " in line]
    assert "BTCUSDT" in one
    assert "stopped" in one
    [two] = [line for line in lines if " two " in line]
    assert "stopped, enabled" in two
    listed = (await cli("bots", "list", "--json")).json
    assert [(bot["bot_id"], bot["enabled"], bot["total_pnl"]) for bot in listed] == [
        ("one", False, "0"),
        ("two", True, "0"),
    ]


async def test_show_has_the_configuration_and_who_changed_it(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one", enabled=False), author="me")
    await rows.update_config("one", raw_config("one", enabled=False, name="Better"), author="you")
    text = (await cli("bots", "show", "one")).out
    assert '"name": "Better"' in text
    assert "2, in force none" in text
    answer = (await cli("bots", "show", "one", "--json")).json
    assert answer["config"]["name"] == "Better"
    assert [(version["version"], version["author"]) for version in answer["versions"]] == [(2, "you"), (1, "me")]


async def test_the_books_of_a_round_trip(cli: Cli, bench: Bench, reads: Reads) -> None:
    bot = await running_bot(bench)
    assert (await cli("bots", "orders", bot.bot_id)).out == f"{bot.bot_id} has made no order yet\n"
    assert (await cli("bots", "trades", bot.bot_id)).out == f"{bot.bot_id} has closed no trade yet\n"
    await round_trip(cli, bot, reads)
    orders = (await cli("bots", "orders", bot.bot_id, "--json")).json
    assert [(order["side"], order["status"]) for order in orders] == [("buy", "filled"), ("sell", "filled")]
    [trade] = (await cli("bots", "trades", bot.bot_id, "--json")).json
    assert trade["exit_reason"] == "manual_close"
    assert "manual_close" in (await cli("bots", "trades", bot.bot_id)).out
    [last] = (await cli("bots", "orders", bot.bot_id, "--json", "--limit", "1")).json
    assert last["side"] == "sell"


async def test_events_are_told_in_order_the_newest_last(cli: Cli, bench: Bench, reads: Reads) -> None:
    bot = await running_bot(bench)
    await round_trip(cli, bot, reads)
    types = [event["type"] for event in (await cli("bots", "events", bot.bot_id, "--json")).json]
    assert types.index("config_applied") < types.index("position_opened") < types.index("position_closed")
    assert "position_opened" in (await cli("bots", "events", bot.bot_id)).out


async def test_events_can_be_followed(cli: Cli, bench: Bench, reads: Reads, capsys: pytest.CaptureFixture[str]) -> None:
    bot = await running_bot(bench)
    await eventually_events(reads, bot, "config_applied")
    following = asyncio.create_task(_events(bot.bot_id, 20, True, True, None))
    await bot.handle.execute_update(BotWorkflow.open_position)
    await bot.handle.execute_update(BotWorkflow.close_position)
    types: list[str] = []
    async with asyncio.timeout(10):
        while "position_closed" not in types:
            await asyncio.sleep(0.1)
            types += [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert types.count("config_applied") == types.count("position_closed") == 1


async def test_why_shows_each_condition_with_its_values(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench, strategy__parameters__entry_logic__params__e_bb_dev=2)

    async def watched() -> bool:
        return bool((await cli("bots", "why", bot.bot_id, "--json")).json["source"] == "watch")

    await eventually(watched)
    answer = (await cli("bots", "why", bot.bot_id, "--json")).json
    assert [condition["name"] for condition in answer["sighting"]["conditions"]] == [
        "RSI(5)",
        "close, lower band BB(5, 2)",
        "volume, 1.1 × its SMA(5)",
    ]
    # The market does not move: no volume above its average.
    assert answer["sighting"]["conditions"][2]["holds"] is False
    text = (await cli("bots", "why", bot.bot_id)).out
    assert f"{bot.bot_id} · BTCUSDT · running" in text
    assert f"→ {answer['sighting']['verdict']}" in text
    assert "✗ volume, 1.1 × its SMA(5)" in text
    assert "price           100.00" in text


async def test_why_shows_the_stops_of_a_position(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench, risk_management__stop_loss_pct=10)
    await cli("bots", "open", bot.bot_id)

    async def guarded() -> bool:
        return "stop loss" in (await cli("bots", "why", bot.bot_id)).out

    await eventually(guarded)
    text = (await cli("bots", "why", bot.bot_id)).out
    # Bought at 100.05 with slippage; ten percent below that.
    assert "stop loss       90.0" in text
    assert "(ATRExitMixin)" in text


async def test_why_of_a_bot_that_does_not_run_says_how_to_start_it(
    cli: Cli, idle_bench: Bench, rows: BotRepository
) -> None:
    await rows.create("idle", raw_config("idle", enabled=False))
    outcome = await cli("bots", "why", "idle")
    assert outcome.code == 1
    assert outcome.err == "error: idle does not run, it is stopped; start it with `bots enable idle`\n"


async def test_why_without_a_worker_says_that_nothing_trades(cli: Cli, idle_bench: Bench) -> None:
    async with idle_bench.worker():
        bot = await running_bot(idle_bench)
    outcome = await cli("bots", "why", bot.bot_id)
    assert outcome.code == 0, outcome.err
    assert "no worker answers for it now: nothing trades until one runs" in outcome.out
