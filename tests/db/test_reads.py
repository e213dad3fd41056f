from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.journal import JournalRepository
from db.reads import BotSummary, Reads
from domain.journal import JournalPayload
from tests.db.samples import BOT, config, event, fill, numbered, order, trade


@pytest.fixture
async def reads(engine: AsyncEngine) -> Reads:
    bots, journal = BotRepository(engine), JournalRepository(engine)
    uid = (await bots.create(BOT, config())).uid
    await bots.create("idle", config("idle", name="Idle"))
    said: list[JournalPayload] = [
        order(1),
        fill(1, "1"),
        fill(1, "2"),
        order(2, side="sell"),
        trade(1),
        order(3, status="rejected"),
    ]
    said += [trade(3, gross="-2"), event("first"), event("second")]
    await journal.write(numbered(uid, *said))
    return Reads(engine)


async def test_orders_come_newest_first(reads: Reads) -> None:
    orders = await reads.orders(BOT)
    assert [(found.sequence, found.side, found.status) for found in orders] == [
        (3, "buy", "rejected"),
        (2, "sell", "filled"),
        (1, "buy", "filled"),
    ]
    assert orders[2].average_price == Decimal("100.55")
    assert orders[2].created_at == datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    assert [found.sequence for found in await reads.orders(BOT, limit=1)] == [3]


async def test_fills_trades_and_events_come_newest_first(reads: Reads) -> None:
    assert [found.trade_id for found in await reads.fills(BOT)] == ["2", "1"]
    assert [(found.position_id[-1], found.net_pnl) for found in await reads.trades(BOT)] == [
        ("3", Decimal("-2.1")),
        ("1", Decimal("4.9")),
    ]
    assert [found.message for found in await reads.events(BOT)] == ["second", "first"]


async def test_a_trade_says_which_plugins_it_came_from(reads: Reads, engine: AsyncEngine) -> None:
    uid = (await BotRepository(engine).get(BOT)).uid
    plugins = {"entry": "steadyhand-example 1.0.0", "exit": "steadyhand-example 1.0.1"}
    said = trade(5).model_copy(update={"plugins": plugins})
    await JournalRepository(engine).write(numbered(uid, said, first=100))
    assert [found.plugins for found in await reads.trades(BOT)] == [plugins, None, None]


async def test_of_a_stranger_there_is_nothing_to_read(reads: Reads) -> None:
    for read in (reads.orders, reads.fills, reads.trades, reads.events):
        assert await read("nobody") == []


async def test_the_summary_counts_what_each_bot_did(reads: Reads) -> None:
    busy = BotSummary(
        bot_id=BOT,
        name="RSI+ATR BTC Paper Trading",
        orders=3,
        filled_orders=2,
        trades=2,
        wins=1,
        commission=Decimal("0.2"),
        net_pnl=Decimal("2.8"),
    )
    assert list(await reads.summary()) == [BotSummary(bot_id="idle", name="Idle"), busy]
