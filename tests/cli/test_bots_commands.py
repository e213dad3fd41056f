"""Commands that change what a bot does: in its row first, then at once in the bot itself."""

from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from db.bots import BotRepository
from tests.cli.helpers import Cli, new_id, running_bot
from tests.support.bots import Bench, BotUnderTest, raw_config


async def test_pause_and_resume_reach_row_and_bot(cli: Cli, bench: Bench, rows: BotRepository) -> None:
    bot = await running_bot(bench)
    paused = await cli("bots", "pause", bot.bot_id)
    assert paused.code == 0, paused.err
    assert f"{bot.bot_id}  paused, version 2" in paused.out
    assert (await rows.get(bot.bot_id)).desired_paused
    assert (await bot.status()).paused
    resumed = await cli("bots", "resume", bot.bot_id)
    assert f"{bot.bot_id}  running, version 3" in resumed.out
    assert not (await bot.status()).paused


async def test_disable_ends_the_bot_and_enable_starts_it_again(cli: Cli, bench: Bench, rows: BotRepository) -> None:
    bot = await running_bot(bench)
    disabled = await cli("bots", "disable", bot.bot_id)
    assert f"{bot.bot_id}  stopped, version 2" in disabled.out, disabled.err
    assert (await bot.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert not (await rows.get(bot.bot_id)).enabled
    enabled = await cli("bots", "enable", bot.bot_id)
    assert f"{bot.bot_id}  running, version 3" in enabled.out
    assert (await bot.status()).status == "running"


async def test_several_bots_at_once_and_all(cli: Cli, bench: Bench) -> None:
    one, two = await running_bot(bench), await running_bot(bench)
    outcome = await cli("bots", "pause", one.bot_id, two.bot_id)
    assert outcome.code == 0, outcome.err
    assert (await one.status()).paused
    assert (await two.status()).paused
    await cli("bots", "resume", "--all")
    assert not (await one.status()).paused
    assert not (await two.status()).paused


async def test_nothing_is_done_when_one_of_several_is_unknown(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one", enabled=False))
    outcome = await cli("bots", "pause", "one", "nobody")
    assert (outcome.code, outcome.err) == (1, "error: there is no bot nobody\n")
    assert not (await rows.get("one")).desired_paused


async def test_bots_must_be_named_or_all_of_them_meant(cli: Cli) -> None:
    sentence = "error: name one or more bots, or --all for all of them\n"
    assert (await cli("bots", "disable")).err == sentence
    assert (await cli("bots", "disable", "one", "--all")).err == sentence


async def test_the_row_is_changed_even_while_temporal_is_away(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one"))
    outcome = await cli("bots", "disable", "one")
    assert outcome.code == 1
    assert (
        "the rows are changed, but the bots could not be told: Temporal at 127.0.0.1:1 does not answer" in outcome.err
    )
    assert not (await rows.get("one")).enabled


async def test_enabling_a_bot_with_an_invalid_row_shows_the_reasons(
    cli: Cli, bench: Bench, rows: BotRepository
) -> None:
    bot_id = new_id()
    await rows.create(bot_id, raw_config(bot_id, enabled=False, data__interval="7x"))
    outcome = await cli("bots", "enable", bot_id)
    assert outcome.code == 1
    assert "data.interval: must be a number and one of" in outcome.out
    assert f"mend it with `bots edit`: {bot_id}" in outcome.err


REFUSED = pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        pytest.param({"trading__position_size": 9}, "trading.position_size: must be", id="by-the-fleet"),
        pytest.param({"symbol": "NOPE/USDT"}, "symbol: NOPE/USDT is not traded on binance", id="by-the-venue"),
    ],
)


async def refuses_newest(bench: Bench, rows: BotRepository, wrong: dict[str, Any]) -> BotUnderTest:
    """Return a bot that runs by its first version and refuses its second."""
    bot = await running_bot(bench)
    await rows.update_config(bot.bot_id, raw_config(bot.bot_id, **wrong))
    await bench.fleet.sync(await rows.get(bot.bot_id))
    await bot.comes(lambda status: status.rejected_version == 2)
    return bot


@REFUSED
async def test_pause_and_resume_of_a_bot_whose_newest_version_is_refused_are_done_with_a_warning(
    cli: Cli, bench: Bench, rows: BotRepository, wrong: dict[str, Any], trouble: str
) -> None:
    bot = await refuses_newest(bench, rows, wrong)
    paused = await cli("bots", "pause", bot.bot_id)
    assert paused.code == 0, paused.err
    assert f"{bot.bot_id}  paused, by version 1" in paused.out
    assert trouble in paused.out
    assert paused.err == f"the newest configuration is refused, mend it with `bots edit`: {bot.bot_id}\n"
    assert (await bot.status()).paused
    resumed = await cli("bots", "resume", bot.bot_id)
    assert resumed.code == 0, resumed.err
    assert f"{bot.bot_id}  running, by version 1" in resumed.out
    assert not (await bot.status()).paused


@REFUSED
async def test_a_bot_that_runs_by_its_last_valid_version_is_disabled_enabled_and_restarted_with_a_warning(
    cli: Cli, bench: Bench, rows: BotRepository, wrong: dict[str, Any], trouble: str
) -> None:
    bot = await refuses_newest(bench, rows, wrong)
    assert (await cli("bots", "disable", bot.bot_id)).code == 0
    for command in ("enable", "restart"):
        outcome = await cli("bots", command, bot.bot_id)
        assert outcome.code == 0, outcome.err
        assert f"{bot.bot_id}  running, by version 1" in outcome.out
        assert trouble in outcome.out
        assert (await bot.status()).status == "running"


async def test_a_pause_of_a_bot_that_never_ran_is_noted_with_a_warning(
    cli: Cli, bench: Bench, rows: BotRepository
) -> None:
    bot_id = new_id()
    await rows.create(bot_id, raw_config(bot_id, data__interval="7x"))
    outcome = await cli("bots", "pause", bot_id)
    assert outcome.code == 0, outcome.err
    assert f"mend it with `bots edit`: {bot_id}" in outcome.err
    assert (await rows.get(bot_id)).desired_paused


async def test_open_and_close_say_what_came_of_them(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench)
    opened = await cli("bots", "open", bot.bot_id)
    # Half of 1000 USDT at 100 and 0.05 % slippage.
    assert opened.out.startswith(f"{bot.bot_id}: bought 4.99"), opened.err
    again = await cli("bots", "open", bot.bot_id)
    assert (again.code, again.err) == (1, f"error: {bot.bot_id}: 1 of 1 entries are open already\n")
    closed = await cli("bots", "close", bot.bot_id)
    assert "sold 4.99" in closed.out
    none = await cli("bots", "close", bot.bot_id)
    assert (none.code, none.err) == (1, f"error: {bot.bot_id}: there is no position to close\n")


async def test_a_bot_that_does_not_run_takes_no_orders(cli: Cli, bench: Bench, rows: BotRepository) -> None:
    bot_id = new_id()
    await rows.create(bot_id, raw_config(bot_id, enabled=False))
    outcome = await cli("bots", "open", bot_id)
    assert (outcome.code, outcome.err) == (1, f"error: {bot_id} does not run; start it with `bots enable {bot_id}`\n")


async def test_an_order_that_no_worker_takes_is_given_up_with_a_warning(
    cli: Cli, idle_bench: Bench, rows: BotRepository
) -> None:
    async with idle_bench.worker():
        bot = await running_bot(idle_bench)
    outcome = await cli("bots", "open", bot.bot_id, "--timeout", "0.5")
    assert outcome.code == 1
    assert f"{bot.bot_id} has not answered within 0.5 s; it may still carry the command out" in outcome.err


async def test_a_restart_is_a_new_life_with_the_old_position(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench)
    await cli("bots", "open", bot.bot_id)
    before = await bot.position()
    first = (await bot.handle.describe()).raw_description.workflow_execution_info.first_run_id
    outcome = await cli("bots", "restart", bot.bot_id)
    assert outcome.code == 0, outcome.err
    assert f"restarted {bot.bot_id}" in outcome.out
    after = (await bot.handle.describe()).raw_description.workflow_execution_info.first_run_id
    assert after != first
    assert (await bot.position()).quantity == before.quantity is not None


async def test_a_restart_never_sells(cli: Cli, bench: Bench, rows: BotRepository) -> None:
    bot = await running_bot(bench, trading__on_stop="close_position")
    await cli("bots", "open", bot.bot_id)
    outcome = await cli("bots", "restart", bot.bot_id)
    assert "it was not stopped, because that would sell its position" in outcome.out
    assert (await bot.position()).quantity is not None
    assert (await rows.get(bot.bot_id)).enabled


async def test_a_disabled_bot_is_not_restarted(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one", enabled=False))
    outcome = await cli("bots", "restart", "one")
    assert outcome.code == 1
    assert "nothing was restarted: disabled, so start with `bots enable`: one" in outcome.err


async def test_a_bot_that_does_not_stop_goes_on(cli: Cli, idle_bench: Bench, rows: BotRepository) -> None:
    async with idle_bench.worker():
        bot = await running_bot(idle_bench)
    outcome = await cli("bots", "restart", bot.bot_id, "--wait", "0.3")
    assert outcome.code == 1
    assert "did not stop within 0.3 s, so it goes on as it was" in outcome.err
    assert (await rows.get(bot.bot_id)).enabled
    async with idle_bench.worker():
        assert (await bot.comes(lambda answer: answer.version >= 1)).enabled
