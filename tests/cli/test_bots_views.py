"""Commands that show: for people, and with --json for programs."""

import asyncio
import contextlib
import json
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.bots.books import _events
from db.bots import BotRepository
from db.liveness import LivenessRepository
from db.reads import Reads
from domain.errors import VenueUnavailable
from domain.ports import Liveness
from tests.cli.helpers import Cli, eventually, new_id, running_bot
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


async def test_why_says_that_the_exchange_does_not_answer_at_a_start(
    cli: Cli, bench: Bench, rows: BotRepository
) -> None:
    bench.market.unavailable = VenueUnavailable("binance does not answer: connection refused")
    bot_id = new_id()
    await bench.fleet.sync(await rows.create(bot_id, raw_config(bot_id)))

    async def waits() -> bool:
        return bool((await cli("bots", "why", bot_id, "--json")).json["failing"])

    await eventually(waits)
    [failing] = (await cli("bots", "why", bot_id, "--json")).json["failing"]
    assert (failing["activity"], failing["reason"]) == ("prepare", "binance does not answer: connection refused")
    assert failing["failures"] >= 1
    text = (await cli("bots", "why", bot_id)).out
    found = re.search(
        r"→ waiting: the check of its configuration has failed (once|\d+ times): "
        r"binance does not answer: connection refused; (next attempt in \d+ s|the next attempt is under way)\n",
        text,
    )
    assert found, text
    assert text.count("does not answer") == 1
    assert "waiting for candles" not in text
    bench.market.unavailable = None
    await BotUnderTest(bench, bot_id).reaches("running")
    assert (await cli("bots", "why", bot_id, "--json")).json["failing"] == []


async def test_why_says_what_the_watch_cannot_read(
    cli: Cli, bench: Bench, rows: BotRepository, engine: AsyncEngine
) -> None:
    bot = await running_bot(bench)

    async def signed() -> bool:
        # A row that the journal writes at this moment misses the sign.
        sign = Liveness(bot.bot_id, datetime.now(UTC), None, None, None, degraded="binance does not answer")
        await LivenessRepository(engine).flush("worker", [sign])
        return (await rows.overview(bot.bot_id)).degraded is not None

    await eventually(signed)
    outcome = await cli("bots", "why", bot.bot_id)
    assert re.search(r"trouble: binance does not answer \(as of \d+s ago\)\n", outcome.out), outcome.out
    assert (await cli("bots", "why", bot.bot_id, "--json")).json["degraded"] == "binance does not answer"


async def test_why_tells_once_why_a_version_is_refused(cli: Cli, bench: Bench, rows: BotRepository) -> None:
    bot = await running_bot(bench)
    await rows.update_config(bot.bot_id, raw_config(bot.bot_id, symbol="NOPE/USDT", trading__position_size=9))
    await bench.fleet.sync(await rows.get(bot.bot_id))
    await bot.comes(lambda status: status.rejected_version == 2)
    text = (await cli("bots", "why", bot.bot_id)).out
    assert "trouble: version 2 refused: trading.position_size: must be at most 1; was 9\n" in text
    assert text.count("position_size") == 1


async def test_why_of_a_bot_that_never_had_a_valid_configuration_does_not_speak_of_candles(
    cli: Cli, bench: Bench, rows: BotRepository
) -> None:
    bot_id = new_id()
    await bench.fleet.sync(await rows.create(bot_id, raw_config(bot_id, symbol="NOPE/USDT")))
    await BotUnderTest(bench, bot_id).reaches("error")
    text = (await cli("bots", "why", bot_id)).out
    assert "→ it has no valid configuration\n" in text
    assert text.count("NOPE/USDT is not traded on binance") == 1


async def test_why_without_a_worker_says_that_nothing_trades(cli: Cli, idle_bench: Bench) -> None:
    async with idle_bench.worker():
        bot = await running_bot(idle_bench)
    outcome = await cli("bots", "why", bot.bot_id)
    assert outcome.code == 0, outcome.err
    assert "no worker answers for it now: nothing trades until one runs" in outcome.out
