"""The database answers and takes nothing: bots trade on, say so, and nothing of their books is lost or doubled."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.reads import Reads
from tests.cli.helpers import Cli, running_bot
from tests.support.bots import Bench, BotUnderTest
from tests.support.refusals import Refusing, full_disk, read_only

REFUSALS = pytest.mark.parametrize(
    ("refusing", "why"),
    [
        pytest.param(read_only, "it is read-only: cannot execute", id="read-only"),
        pytest.param(full_disk, 'its disk is full: could not extend file "base/1"', id="full-disk"),
    ],
)


async def round_trips(bot: BotUnderTest, count: int) -> None:
    for _ in range(count):
        await bot.handle.execute_update("open_position")
        await bot.handle.execute_update("close_position")


async def written(bot: BotUnderTest, seconds: float = 60.0) -> None:
    """Wait until nothing waits for the database any more."""
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=seconds)


@REFUSALS
async def test_bots_trade_on_say_why_their_journals_wait_and_lose_nothing(
    cli: Cli, bench: Bench, engine: AsyncEngine, refusing: Refusing, why: str
) -> None:
    bot, reads = await running_bot(bench), Reads(engine)
    await round_trips(bot, 1)
    await written(bot)
    async with refusing(engine):
        await round_trips(bot, 2)
        status = await bot.comes(lambda status: status.journal_waiting >= 20)
        assert (status.status, status.trades) == ("running", 3)
        assert len(await reads.trades(bot.bot_id)) == 1
        told = (await cli("bots", "why", bot.bot_id)).out
        assert "trouble: writing the journal has failed " in told
        assert f"refuses to write, {why}" in told
        assert (
            f"trouble: {status.journal_waiting} entries of the journal wait for the database; the bot trades on" in told
        )
        assert "→ waiting" not in told
    await written(bot)
    orders = list(reversed(await reads.orders(bot.bot_id)))
    assert [(order.sequence, order.side, order.status) for order in orders] == [
        (number, "buy" if number % 2 else "sell", "filled") for number in range(1, 7)
    ]
    fills = await reads.fills(bot.bot_id)
    assert sorted(fill.client_order_id for fill in fills) == sorted(order.client_order_id for order in orders)
    assert len(await reads.trades(bot.bot_id)) == 3
    events = list(reversed(await reads.events(bot.bot_id)))
    assert [event.at for event in events] == sorted(event.at for event in events)
    told_of = [event.type for event in events if event.type in ("position_opened", "position_closed")]
    assert told_of == ["position_opened", "position_closed"] * 3
    assert "refuses to write" not in (await cli("bots", "why", bot.bot_id)).out


@REFUSALS
async def test_commands_and_the_doctor_say_that_nothing_can_be_written(
    cli: Cli, bench: Bench, engine: AsyncEngine, refusing: Refusing, why: str
) -> None:
    bot = await running_bot(bench)
    await written(bot)
    async with refusing(engine):
        paused = await cli("bots", "pause", bot.bot_id)
        checks = (await cli("doctor", "--json")).json
    assert paused.code == 1
    assert f"refuses to write, {why}" in paused.err
    [database] = [check for check in checks if check["name"] == "database"]
    assert database["verdict"] == "fail"
    assert f"refuses to write, {why}" in database["found"]
    assert "free its disk, or let it write again" in database["mend"]
