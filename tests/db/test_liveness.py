from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.engine import transaction
from db.journal import JournalRepository
from db.liveness import LivenessRepository
from domain.ports import Liveness
from tests.db.samples import BOT, START, START_MS, config, numbered, report
from tests.support.postgres import Sql

LIVELY = ("last_heartbeat", "worker", "current_balance", "last_price", "last_candle_at", "degraded")


def sign(bot_id: str = BOT, *, seconds: int = 0, **changes: Any) -> Liveness:
    values: dict[str, Any] = {"balance": Decimal("101.25"), "price": Decimal("64000.1"), "candle_time": START_MS}
    values |= {"degraded": None} | changes
    return Liveness(bot_id=bot_id, seen_at=START + timedelta(seconds=seconds), **values)


@pytest.fixture
def liveness(engine: AsyncEngine) -> LivenessRepository:
    return LivenessRepository(engine)


@pytest.fixture
async def bots(engine: AsyncEngine) -> BotRepository:
    """Three bots; the first of them has taken its configuration."""
    made = BotRepository(engine)
    first, *_ = [await made.create(bot_id, config(bot_id)) for bot_id in (BOT, "second", "third")]
    await JournalRepository(engine).write(numbered(first.uid, report()))
    return made


async def rows(sql: Sql) -> dict[str, dict[str, Any]]:
    return {row["id"]: dict(row) for row in await sql.fetch("SELECT * FROM trading_bots")}


async def test_a_sign_of_life_is_what_the_watch_sees(liveness: LivenessRepository, bots: BotRepository) -> None:
    await liveness.flush("worker-1", [sign(), sign("second", degraded="binance does not answer")])
    seen = await bots.overview(BOT)
    assert (seen.last_heartbeat, seen.worker, seen.balance) == (START, "worker-1", Decimal("101.25"))
    assert (seen.price, seen.last_candle_at) == (Decimal("64000.1"), datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert (await bots.overview("second")).degraded == "binance does not answer"
    assert (await bots.overview("third")).last_heartbeat is None


async def test_what_a_sign_does_not_know_stays(liveness: LivenessRepository, bots: BotRepository) -> None:
    await liveness.flush("one", [sign(degraded="away")])
    await liveness.flush("two", [sign(seconds=30, balance=None, price=None, candle_time=None)])
    seen = await bots.overview(BOT)
    assert (seen.worker, seen.balance, seen.price) == ("two", Decimal("101.25"), Decimal("64000.1"))
    assert (seen.last_candle_at, seen.degraded) == (START, None)


async def test_a_zombie_does_not_overwrite_a_later_sign(liveness: LivenessRepository, bots: BotRepository) -> None:
    await liveness.flush("new", [sign(seconds=10, price=Decimal(2))])
    await liveness.flush("zombie", [sign(seconds=5, price=Decimal(1))])
    seen = await bots.overview(BOT)
    assert (seen.worker, seen.price) == ("new", Decimal(2))


async def test_of_several_signs_of_one_bot_the_newest_counts(liveness: LivenessRepository, bots: BotRepository) -> None:
    signs = [sign(seconds=1, price=Decimal(1)), sign(seconds=3, price=Decimal(3)), sign(seconds=2, price=Decimal(2))]
    await liveness.flush("one", signs)
    assert (await bots.overview(BOT)).price == 3


async def test_nobody_and_strangers_are_no_trouble(liveness: LivenessRepository, bots: BotRepository, sql: Sql) -> None:
    await liveness.flush("one", [])
    await liveness.flush("one", [sign("deleted"), sign()])
    assert [bot for bot, row in (await rows(sql)).items() if row["worker"]] == [BOT]


async def test_signs_change_nothing_else_and_are_not_heard(
    liveness: LivenessRepository, bots: BotRepository, sql: Sql, database_url: str
) -> None:
    heard: list[Any] = []
    listener = await asyncpg.connect(database_url, ssl=False)
    await listener.add_listener("trading_bots", lambda *message: heard.append(message[3]))
    before = await rows(sql)
    await liveness.flush("one", [sign(), sign("second")])
    after = await rows(sql)
    # A transaction's notifications arrive before the answer to a later statement.
    await sql.execute("NOTIFY trading_bots, 'end'")
    while not heard:
        await listener.execute("SELECT 1")
    await listener.close()
    assert heard == ["end"]
    assert await sql.fetchval("SELECT count(*) FROM config_versions") == 3
    for bot, row in after.items():
        assert {name: row[name] for name in row if name not in LIVELY} == {
            name: before[bot][name] for name in row if name not in LIVELY
        }


async def test_signs_fire_no_trigger(liveness: LivenessRepository, bots: BotRepository, sql: Sql) -> None:
    """Every trigger is made to fail; one that fired would take the flush with it."""
    functions = ("trading_bots_agree", "trading_bots_keep_config", "trading_bots_notify")
    sound = [await sql.fetchval("SELECT pg_get_functiondef($1::text::regproc)", name) for name in functions]
    for name in functions:
        body = "$$ BEGIN RAISE 'fired'; END $$"
        await sql.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}")
    try:
        await liveness.flush("one", [sign()])
        with pytest.raises(asyncpg.RaiseError, match="fired"):
            await sql.execute("UPDATE trading_bots SET enabled = false")
    finally:
        await sql.execute("; ".join(sound))


async def test_a_row_that_is_locked_holds_up_nobody(
    liveness: LivenessRepository, bots: BotRepository, sql: Sql
) -> None:
    async with sql.transaction():
        await sql.execute("UPDATE trading_bots SET description = 'being edited' WHERE id = 'second'")
        await liveness.flush("one", [sign(), sign("second"), sign("third")])
    assert {bot: row["worker"] for bot, row in (await rows(sql)).items()} == {
        BOT: "one",
        "second": None,
        "third": "one",
    }
    await liveness.flush("one", [sign("second", seconds=30)])
    assert (await bots.overview("second")).worker == "one"


async def test_signs_of_many_bots_stay_in_their_pages(
    liveness: LivenessRepository, bots: BotRepository, engine: AsyncEngine
) -> None:
    many = [f"bot-{number:03}" for number in range(120)]
    for bot_id in many:
        await bots.create(bot_id, config(bot_id))
    updates_before, hot_before = await update_counts(engine)
    for round_ in range(5):
        await liveness.flush("one", [sign(bot_id, seconds=round_) for bot_id in many])
    updates, hot = await update_counts(engine)
    assert updates - updates_before == 5 * 120
    assert (hot - hot_before) / (updates - updates_before) >= 0.98


async def update_counts(engine: AsyncEngine) -> tuple[int, int]:
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
    async with transaction(engine) as connection:
        counts = await connection.execute(
            text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'trading_bots'")
        )
        updates, hot = counts.one()
    return updates, hot
