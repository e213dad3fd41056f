"""A PostgreSQL that answers and takes nothing: made read-only, or as if its disk were full."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

Refusing: TypeAlias = Callable[[AsyncEngine], AbstractAsyncContextManager[None]]
"""Has the server of an engine refuse all writes inside a block."""

_TABLES = (
    *("trading_bots", "trading_orders", "trading_fills", "trading_positions", "trading_trades"),
    *("trading_performance_metrics", "bot_events", "notifications", "alembic_version"),
)


@asynccontextmanager
async def read_only(engine: AsyncEngine) -> AsyncIterator[None]:
    """Make the whole server read-only, as one is that is not promoted yet; sessions that are open feel it too."""
    url = _url(engine)
    await _everywhere(url, "ALTER SYSTEM SET default_transaction_read_only = on", "on")
    try:
        yield
    finally:
        await _everywhere(url, "ALTER SYSTEM RESET default_transaction_read_only", "off")


@asynccontextmanager
async def full_disk(engine: AsyncEngine) -> AsyncIterator[None]:
    """Have every table answer as PostgreSQL does when it cannot make a file longer."""
    url = _url(engine)
    triggers = "; ".join(
        f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()" for table in _TABLES
    )
    await _run(
        url,
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'could not extend file "base/1": No space left on device' USING ERRCODE = '53100';
        END $$""",
        triggers,
    )
    try:
        yield
    finally:
        await _run(url, "DROP FUNCTION full_disk CASCADE")


def _url(engine: AsyncEngine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


async def _everywhere(url: str, change: str, wanted: str) -> None:
    await _run(url, change, "SELECT pg_reload_conf()")
    async with asyncio.timeout(10):
        while await _default(url) != wanted:
            await asyncio.sleep(0.02)


async def _default(url: str) -> str:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return str(await connection.fetchval("SHOW default_transaction_read_only"))
    finally:
        await connection.close()


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        await connection.execute("SET default_transaction_read_only = off")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
