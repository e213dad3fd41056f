"""What `reconcile` reads: the bots with real money, and how their orders stand in the journal."""

from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.engine import transaction
from db.journal import JournalRepository
from db.reads import Reads
from db.tables import TradingBot
from domain.account_sides import JournaledOrder, Standing
from domain.config import parse_config
from domain.journal import JournalPayload
from domain.state import Carried
from tests.db.samples import BOT, config, fill, numbered, order
from tests.support.bots import LIVE, raw_config


async def test_live_bots_are_those_that_trade_or_have_traded_with_real_money(engine: AsyncEngine) -> None:
    bots = BotRepository(engine)
    await bots.create("paper", raw_config("paper"))
    await bots.create("live", raw_config("live", **LIVE))
    await bots.create("off", raw_config("off", **LIVE, enabled=False))
    await bots.create("once", raw_config("once"))
    carried = Carried(config=parse_config(raw_config("once", **LIVE))).model_dump(mode="json")
    async with transaction(engine) as connection:
        await connection.execute(update(TradingBot).where(TradingBot.id == "once").values(carried=carried))
    assert [row.bot_id for row in await bots.live()] == ["live", "off", "once"]


@pytest.fixture
async def uid(engine: AsyncEngine) -> str:
    """A bot with a filled order, one that is cancelled, and one that rests."""
    uid = (await BotRepository(engine).create(BOT, config())).uid
    said: list[JournalPayload] = [order(1), fill(1, "7"), fill(1, "8"), order(2, status="cancelled")]
    said += [order(3, status="open")]
    await JournalRepository(engine).write(numbered(uid, *said))
    return uid


async def test_orders_that_are_asked_for_come_with_their_fills(engine: AsyncEngine, uid: str) -> None:
    found = await Reads(engine).standings(ids=["sabcde000000000001", "sabcde000000000002", "unknown"], uids=[])
    assert sorted(found, key=lambda each: each.client_order_id) == [
        JournaledOrder(
            client_order_id="sabcde000000000001",
            symbol="BTC/USDT",
            side="buy",
            quantity=Decimal("0.5"),
            standing=Standing(status="filled", filled=Decimal("0.5"), fills=("7", "8")),
        ),
        JournaledOrder(
            client_order_id="sabcde000000000002",
            symbol="BTC/USDT",
            side="buy",
            quantity=Decimal("0.5"),
            standing=Standing(status="cancelled", filled=Decimal(0)),
        ),
    ]


async def test_what_a_bot_believes_to_rest_comes_without_being_asked_for(engine: AsyncEngine, uid: str) -> None:
    found = await Reads(engine).standings(ids=[], uids=[uid])
    assert [(each.client_order_id, each.standing.status) for each in found] == [("sabcde000000000003", "open")]


async def test_of_a_bot_that_is_gone_the_journal_still_has_the_orders(engine: AsyncEngine, uid: str) -> None:
    await BotRepository(engine).delete(BOT)
    assert len(await Reads(engine).standings(ids=["sabcde000000000001"], uids=[])) == 1
