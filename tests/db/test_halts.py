"""Halts in a real database, and on disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities import halting
from activities.gate import Gate
from activities.halting import Halts
from activities.orders import OrderActivities
from db.bots import BotRepository
from db.halts import HaltFile, HaltRepository
from db.listening import listening
from db.reads import Reads
from domain.errors import StoreUnavailable
from domain.halts import Halt
from tests.activities.test_orders import order
from tests.db.samples import BOT, config
from tests.support.exchange import FakeExchange
from tests.support.fakes import FakeKeys
from tests.support.postgres import PostgresServer, Sql


@pytest.fixture
def store(engine: AsyncEngine) -> HaltRepository:
    return HaltRepository(engine)


@pytest.fixture
def memory(tmp_path: Path) -> HaltFile:
    return HaltFile(tmp_path / "data" / "halt.json")


async def next_of(changes: AsyncIterator[Halt | None]) -> Halt | None:
    return await asyncio.wait_for(anext(changes), 10)


async def reason_of(changes: AsyncIterator[Halt | None]) -> str | None:
    halt = await next_of(changes)
    return halt.reason if halt else None


async def test_a_halt_stands_until_it_is_lifted(store: HaltRepository) -> None:
    assert await store.current() is None
    assert await store.lift(author="ada") is False
    await store.halt("a storm", author="ada")
    await store.halt("a worse storm", author="bob")
    halt = await store.current()
    assert halt is not None
    assert (halt.reason, halt.author) == ("a worse storm", "bob")
    assert await store.lift(author="ada") is True
    assert await store.current() is None


async def test_changes_are_told_at_once_by_whoever_they_are_made(store: HaltRepository, sql: Sql) -> None:
    async with aclosing(store.changes()) as changes:  # type: ignore[type-var]
        assert await next_of(changes) is None
        await store.halt("a storm", author="ada")
        assert await reason_of(changes) == "a storm"
        await sql.execute("UPDATE trading_halts SET reason = 'by psql'")
        assert await reason_of(changes) == "by psql"
        await sql.execute("TRUNCATE trading_halts")
        assert await next_of(changes) is None


async def test_a_connection_that_is_lost_ends_the_listening(store: HaltRepository, sql: Sql) -> None:
    changes = store.changes()
    await next_of(changes)
    ended = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    await sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(ended, 10)


async def test_listening_takes_no_place_in_the_pool(engine: AsyncEngine) -> None:
    async with listening(engine, "trading_halts"):
        assert engine.pool.status().endswith("Current Checked out connections: 0")


async def test_enabled_bots_are_told_even_while_somebody_holds_the_row_of_one(
    store: HaltRepository, bots: BotRepository, engine: AsyncEngine, sql: Sql
) -> None:
    for bot_id in (BOT, "other", "disabled"):
        await bots.create(bot_id, {**config(), "id": bot_id, "enabled": bot_id != "disabled"})
    async with sql.transaction():
        await sql.execute("SELECT 1 FROM trading_bots WHERE id = 'other' FOR UPDATE")
        async with asyncio.timeout(5):
            await store.halt("a storm", author="ada")
    await store.lift(author="bob")
    told = {bot_id: await Reads(engine).events(bot_id) for bot_id in (BOT, "other", "disabled")}
    assert [(event.type, event.severity, event.message) for event in told[BOT]] == [
        ("halt_lifted", "info", "entries are allowed again by bob"),
        ("halted", "warning", "entries are halted by ada: a storm; exits go on"),
    ]
    assert [event.type for event in told["other"]] == ["halt_lifted"]
    assert told["disabled"] == []


async def test_a_bot_shows_the_halt(store: HaltRepository, bots: BotRepository) -> None:
    await bots.create(BOT, config())
    assert (await bots.overview(BOT)).halted is None
    await store.halt("a storm", author="ada")
    assert (await bots.overview(BOT)).halted == "a storm"


async def test_a_worker_refuses_entries_and_sells_while_halted_and_still_after_a_restart_without_database(
    store: HaltRepository, memory: HaltFile, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "_RETRY_SECONDS", 0.05)
    exchange, halts = FakeExchange(), Halts(store, memory)
    await halts.begin()
    following = asyncio.create_task(halts.follow())
    submit = OrderActivities(exchange, Gate(halts, FakeKeys())).submit_order
    try:
        await store.halt("a storm", author="ada")
        await until(lambda: halts.closed() is not None and memory.load() is not None)
        report = await ActivityEnvironment().run(submit, order())
        assert (report.status, report.reason) == ("rejected", "risk: entries are halted: a storm")
        assert (exchange.accepted, exchange.looked_up) == ([], 1)
        sold = await ActivityEnvironment().run(submit, order("sell"))
        assert sold.status == "filled"
        postgres_server.stop()
        try:
            restarted = Halts(store, memory)
            await restarted.begin()
            assert restarted.closed() == halts.closed() == "entries are halted: a storm"
        finally:
            postgres_server.start()
        await store.lift(author="ada")
        await until(lambda: halts.closed() is None and memory.load() is None)
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


def test_a_kept_halt_that_cannot_be_read_is_in_force(tmp_path: Path) -> None:
    (tmp_path / "halt.json").write_text("{")
    halt = HaltFile(tmp_path / "halt.json").load()
    assert halt is not None
    assert halt.reason == f"{tmp_path / 'halt.json'} cannot be read"


def test_what_cannot_be_kept_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    memory = HaltFile(tmp_path / "file" / "halt.json")
    memory.keep(Halt.model_validate({"reason": "", "author": "", "since": "2026-01-01T00:00:00Z"}))
    assert "cannot be kept" in caplog.text


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)
