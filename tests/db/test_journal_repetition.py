"""A batch may be written any number of times, whole or in parts, late and by several processes."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.journal import JournalRepository
from domain.journal import JournalEntry, JournalPayload
from tests.db.samples import (
    BOT,
    START_MS,
    batch,
    config,
    desired,
    entry,
    event,
    fill,
    order,
    position,
    report,
    trade,
)
from tests.support.postgres import Sql

TABLES = (
    "trading_bots",
    "config_versions",
    "trading_orders",
    "trading_fills",
    "trading_positions",
    "trading_trades",
    "trading_performance_metrics",
    "bot_events",
)
PAYLOADS: tuple[JournalPayload, ...] = (
    order(1, status="pending"),
    order(1, status="filled"),
    order(2, status="rejected", reason="no cash"),
    fill(1, "1"),
    fill(1, "2"),
    position(1),
    position(1, quantity="0", cost="0", closed_at=START_MS + 9000),
    trade(1),
    trade(3, gross="-1", trades=2),
    event("one"),
    event("two"),
    report("running", observed=1),
    report("paused", observed=2, pnl="3"),
    report("stopped", observed=2, rejected=3),
    desired(enabled=False),
    desired(enabled=True, desired_paused=True),
    desired(config=config(symbol="ETHUSDT")),
)


@st.composite
def writings(draw: st.DrawFn) -> tuple[list[JournalEntry], list[int], list[tuple[int, int]]]:
    """Entries in order, where they are cut into batches, and which slices of the written ones are sent again."""
    payloads = draw(st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=12))
    stamps = sorted(draw(st.sets(st.integers(1, 10_000), min_size=len(payloads), max_size=len(payloads))))
    entries = [entry(n, payload) for n, payload in zip(stamps, payloads, strict=True)]
    places = st.integers(0, len(entries))
    cuts = sorted(draw(st.sets(places, max_size=3)) | {0, len(entries)})
    slices = [(min(pair), max(pair)) for pair in draw(st.lists(st.tuples(places, places), min_size=2, max_size=4))]
    return entries, cuts, slices


@given(writing=writings())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_writing_anything_again_changes_nothing(
    engine: AsyncEngine,
    sql: Sql,
    writing: tuple[list[JournalEntry], list[int], list[tuple[int, int]]],
) -> None:
    entries, cuts, slices = writing
    await sql.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    uid = (await BotRepository(engine).create(BOT, config())).uid
    journal = JournalRepository(engine)
    for start, end in itertools.pairwise(cuts):
        receipt = await journal.write(batch(uid, *entries[start:end]))
        written = await everything(sql)
        assert await journal.write(batch(uid, *entries[start:end])) == receipt
        for first, last in slices:
            await journal.write(batch(uid, *entries[min(first, end) : min(last, end)]))
        assert await everything(sql) == written


@given(payloads=st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_books_do_not_depend_on_how_entries_are_batched(
    engine: AsyncEngine, sql: Sql, payloads: list[JournalPayload]
) -> None:
    entries = [entry(n, payload) for n, payload in enumerate(payloads, start=1)]
    journal, results = JournalRepository(engine), []
    for size in (1, len(entries)):
        await sql.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        uid = (await BotRepository(engine).create(BOT, config())).uid
        for start in range(0, len(entries), size):
            await journal.write(batch(uid, *entries[start : start + size]))
        books = await everything(sql)
        # The row itself keeps the database's own times and identity.
        del books["trading_bots"], books["config_versions"]
        results.append(without(books, "bot_uid"))
    assert results[0] == results[1]


async def everything(sql: Sql) -> dict[str, list[dict[str, Any]]]:
    return {
        table: [dict(row) for row in await sql.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")] for table in TABLES
    }


def without(books: dict[str, list[dict[str, Any]]], column: str) -> dict[str, list[dict[str, Any]]]:
    return {
        table: sorted(({name: value for name, value in row.items() if name != column} for row in rows), key=repr)
        for table, rows in books.items()
    }
