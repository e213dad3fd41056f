import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.engine import make_engine, store_errors, transaction
from db.journal import JournalRepository
from domain.errors import StoreUnavailable
from tests.db.samples import BOT, config, event, numbered, order, report
from tests.support.postgres import PostgresServer, Sql


async def test_an_outage_is_said_and_passes_without_a_new_engine(
    engine: AsyncEngine, postgres_server: PostgresServer
) -> None:
    bots, journal = BotRepository(engine), JournalRepository(engine)
    uid = (await bots.create(BOT, config())).uid
    postgres_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"the database at 127\.0\.0\.1:\d+/test_\d+ cannot be reached"):
                await journal.write(numbered(uid, event("during the outage")))
            with pytest.raises(StoreUnavailable):
                await bots.get(BOT)
    finally:
        postgres_server.start()
    assert (await journal.write(numbered(uid, event("after it")))).orphaned is False
    assert (await bots.overview(BOT)).last_event == "after it"


async def test_a_restart_that_nobody_noticed_costs_nothing(
    engine: AsyncEngine, postgres_server: PostgresServer
) -> None:
    bots = BotRepository(engine)
    await asyncio.gather(*(bots.all_enabled() for _ in range(4)))
    postgres_server.stop()
    postgres_server.start()
    # Every connection of the pool is dead by now.
    assert await asyncio.gather(*(bots.all_enabled() for _ in range(4))) == [[], [], [], []]


async def test_whenever_a_connection_dies_it_is_unavailability(engine: AsyncEngine, sql: Sql) -> None:
    """A sound batch is written as soon as it is left alone, and only once."""
    journal = JournalRepository(engine)
    uid = (await BotRepository(engine).create(BOT, config())).uid
    lost = 0

    async def write(n: int) -> None:
        nonlocal lost
        while True:
            try:
                await journal.write(numbered(uid, order(n), event(str(n)), report(), first=n * 10))
            except StoreUnavailable:
                lost += 1
            else:
                return

    writers = [asyncio.create_task(write(n)) for n in range(1, 41)]
    for _ in range(40):
        await sql.execute("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
        """)
        await asyncio.sleep(0.01)
    await asyncio.gather(*writers)
    assert lost > 0
    assert await sql.fetchval("SELECT count(*) FROM trading_orders") == 40
    assert await sql.fetchval("SELECT count(*) FROM bot_events") == 40


async def test_a_connection_that_dies_in_a_transaction_loses_the_whole_of_it(engine: AsyncEngine) -> None:
    bots = BotRepository(engine)
    await bots.create(BOT, config())
    with pytest.raises(StoreUnavailable):
        await run(engine, "UPDATE trading_bots SET enabled = false", "SELECT pg_terminate_backend(pg_backend_pid())")
    row = await bots.get(BOT)
    assert (row.enabled, row.version) == (True, 1)


async def test_an_error_in_a_transaction_rolls_it_back_and_passes_through(engine: AsyncEngine) -> None:
    bots = BotRepository(engine)
    await bots.create(BOT, config())

    async def fail_halfway() -> None:
        async with transaction(engine) as connection:
            await connection.execute(text("UPDATE trading_bots SET enabled = false"))
            raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        await fail_halfway()
    assert (await bots.get(BOT)).enabled is True


async def test_a_statement_that_takes_too_long_is_given_up(database_url: str) -> None:
    impatient = make_engine(database_url, statement_seconds=0.2)
    with pytest.raises(StoreUnavailable):
        await run(impatient, "SELECT pg_sleep(20)")
    await run(impatient, "SELECT 1")
    await impatient.dispose()


async def test_a_cancelled_transaction_leaves_nothing_and_the_engine_usable(engine: AsyncEngine) -> None:
    await BotRepository(engine).create(BOT, config())

    task = asyncio.create_task(run(engine, "UPDATE trading_bots SET enabled = false", "SELECT pg_sleep(20)"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await BotRepository(engine).get(BOT)).enabled is True


@pytest.mark.parametrize("code", ["08006", "40001", "40P01", "53300", "57014", "57P01", "55P03"])
async def test_what_passes_with_time_is_unavailability(engine: AsyncEngine, code: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached: the server said so"):
        await run(engine, failing_with(code))


@pytest.mark.parametrize(("code", "why"), [("53100", "its disk is full"), ("25006", "it is read-only")])
async def test_a_server_that_takes_nothing_is_told_from_one_that_is_away(
    engine: AsyncEngine, code: str, why: str
) -> None:
    with pytest.raises(StoreUnavailable, match=f"refuses to write, {why}: the server said so"):
        await run(engine, failing_with(code))


@pytest.mark.parametrize("code", ["42P01", "3F000", "42703"])
async def test_a_database_of_another_version_is_waited_for(engine: AsyncEngine, code: str) -> None:
    """Whoever sees to it migrates it; until then it is as good as away."""
    with pytest.raises(StoreUnavailable, match=r"lacks tables of this version; run `python starter\.py migrate`"):
        await run(engine, failing_with(code))


@pytest.mark.parametrize("code", ["22P02", "23505", "23514"])
async def test_what_is_wrong_for_good_is_not(engine: AsyncEngine, code: str) -> None:
    with pytest.raises(DBAPIError, match="the server said so"):
        await run(engine, failing_with(code))


def test_an_exhausted_pool_is_unavailability() -> None:
    expected = pytest.raises(StoreUnavailable, match="nowhere:5432/bots cannot be reached: no connection was free")
    with expected, store_errors(make_engine("postgresql://nowhere/bots")):
        raise PoolTimeout("no connection was free")


async def test_a_wrong_password_is_named_but_not_shown(postgres_server: PostgresServer) -> None:
    url = f"postgresql://steadyhand:open-sesame@127.0.0.1:{postgres_server.port}/postgres"
    engine = make_engine(url)
    with pytest.raises(StoreUnavailable, match="password authentication failed") as failure:
        await BotRepository(engine).get(BOT)
    shown = [repr(engine), str(engine.url), str(failure.value), repr(failure.value), str(failure.value.__cause__)]
    assert not any("open-sesame" in text_ for text_ in shown)


async def test_parameters_do_not_appear_in_errors(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as failure:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT CAST(:value AS text), 1 / 0"), {"value": "canary"})
    assert "canary" not in str(failure.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_usual_urls_are_understood(database_url: str, scheme: str) -> None:
    url = database_url.replace("postgresql", scheme, 1) + "?sslmode=prefer&application_name=my%20tool"
    engine = make_engine(url)
    async with transaction(engine) as connection:
        assert await connection.scalar(text("SHOW application_name")) == "my tool"
    await engine.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me:secret@host/db", "must begin with postgresql://; was mysql://"),
        ("sqlite:///file.db", "must begin with postgresql://; was sqlite://"),
        ("just secret text", "must look like postgresql://user:password@host:port/name"),
    ],
)
def test_other_urls_are_refused_without_showing_them(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as failure:
        make_engine(url)
    assert "secret" not in str(failure.value)


async def run(engine: AsyncEngine, *statements: str) -> None:
    async with transaction(engine) as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


def failing_with(code: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'the server said so' USING ERRCODE = '{code}'; END $$"
