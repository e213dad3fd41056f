"""`bots halt`, and where it shows."""

from db.bots import BotRepository
from tests.cli.helpers import Cli, running_bot
from tests.support.bots import Bench, raw_config


async def test_a_halt_shows_in_the_list_until_it_is_ended(cli: Cli, rows: BotRepository) -> None:
    await rows.create("one", raw_config("one", enabled=False))
    assert (await cli("bots", "halt", "a storm")).out.startswith("entries are halted, exits go on")
    listed = (await cli("bots", "list")).out
    assert "stopped, halted" in listed
    assert "entries are halted: a storm; end it with" in listed
    assert [bot["halted"] for bot in (await cli("bots", "list", "--json")).json] == ["a storm"]
    assert "a storm" in (await cli("bots", "show", "one")).out
    assert (await cli("bots", "halt", "--off")).out == "entries are allowed again\n"
    assert (await cli("bots", "halt", "--off")).out == "entries were not halted\n"
    assert "halted" not in (await cli("bots", "list")).out


async def test_a_reason_and_off_make_no_sense(cli: Cli) -> None:
    outcome = await cli("bots", "halt", "a storm", "--off")
    assert (outcome.code, "not both" in outcome.err) == (1, True)


async def test_a_bot_says_that_it_is_halted(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench)
    await cli("bots", "halt")
    assert "entries are halted: no reason was given" in (await cli("bots", "why", bot.bot_id)).out
    assert (await cli("bots", "why", bot.bot_id, "--json")).json["halted"] == "no reason was given"
