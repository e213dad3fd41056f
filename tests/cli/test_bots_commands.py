"""Commands that change what a bot does: in its row first, then at once in the bot itself."""

from temporalio.client import WorkflowExecutionStatus

from db.bots import BotRepository
from tests.cli.helpers import Cli, new_id, running_bot
from tests.support.bots import Bench, raw_config


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
