"""The audit of bots that have really run: several runs of one workflow, and a database that was tampered with."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from cli.audit import audit
from cli.recorded import recorded_orders
from db.reads import Reads
from tests.cli.helpers import running_bot
from tests.support.bots import Bench, BotUnderTest, raw_config
from workflows.bot import BotWorkflow


async def traded_bot(bench: Bench) -> BotUnderTest:
    """Return a bot that has traded, continued as new with another configuration, traded again, and stopped."""
    bot = await running_bot(bench)
    await round_trip(bot)
    run_id = (await bot.handle.describe()).run_id
    await bot.handle.execute_update(BotWorkflow.set_config, raw_config(bot.bot_id, trading__position_size=0.25))
    while (await bot.handle.describe()).run_id == run_id:
        pass
    await round_trip(bot)
    await bot.handle.signal(BotWorkflow.stop)
    await bot.handle.result()
    return bot


async def round_trip(bot: BotUnderTest) -> None:
    await bot.handle.execute_update(BotWorkflow.open_position)
    await bot.handle.execute_update(BotWorkflow.close_position)


async def test_the_orders_of_all_runs_are_found(bench: Bench, temporal: Client) -> None:
    bot = await traded_bot(bench)
    recorded = await recorded_orders(temporal, bot.bot_id)
    assert sorted((order.intent.sequence, order.intent.side) for order in recorded) == [
        (1, "buy"),
        (2, "sell"),
        (3, "buy"),
        (4, "sell"),
    ]
    assert all(order.report is not None and order.report.status == "filled" for order in recorded)


async def test_a_bot_that_has_traded_is_clean(bench: Bench, temporal: Client, reads: Reads) -> None:
    bot = await traded_bot(bench)
    found = await audit(temporal, reads, [bot.bot_id])
    assert found.findings == ()
    assert (found.orders, found.fills, found.round_trips) == (4, 4, 2)


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        pytest.param("UPDATE trading_fills SET price = price + 1e-18", "price is", id="changed-price"),
        pytest.param("DELETE FROM trading_fills WHERE fee_currency = 'USDT'", "not in the journal", id="missing-fill"),
        pytest.param("DELETE FROM trading_orders WHERE side = 'buy'", "not in the journal", id="missing-order"),
        pytest.param("UPDATE trading_orders SET status = 'open'", "status is open", id="changed-status"),
        pytest.param("DELETE FROM trading_trades", "belongs to no trade", id="missing-trade"),
    ],
)
async def test_tampering_with_the_database_is_found(
    bench: Bench, engine: AsyncEngine, tampering: str, finding: str
) -> None:
    bot = await traded_bot(bench)
    async with engine.begin() as connection:
        await connection.execute(text(tampering))
    found = await audit(bench.client, Reads(engine), [bot.bot_id])
    assert not found.clean
    assert any(finding in sentence for sentence in found.findings), found.findings
