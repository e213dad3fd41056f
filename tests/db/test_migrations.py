import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import make_engine
from db.errors import SchemaTooNew
from db.migrate import current, heads, migrate
from db.tables import metadata
from domain.errors import StoreUnavailable
from tests.support.postgres import PostgresServer, Sql, fresh_database

# Everything that a table is made of, as PostgreSQL itself writes it down.
CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname <> 'alembic_version'
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
          AND conrelid::regclass::text <> 'alembic_version'
    """,
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    """,
    "options": """
        SELECT relname, reloptions::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    """,
}
TRIGGERS = {
    "agree": "BEFORE INSERT OR UPDATE OF id, uid, config, enabled, desired_paused, version",
    "keep_first_config": "AFTER INSERT",
    "keep_config": "AFTER UPDATE OF config, enabled",
    "notify_row": "AFTER INSERT OR DELETE",
    "notify_version": "AFTER UPDATE OF config, enabled, desired_paused",
    "notify_halt": "AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE",
}


@pytest.fixture
async def database_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """One of its own, because migrations alter it."""
    async with fresh_database(postgres_server) as url:
        yield url


async def catalogue(engine: AsyncEngine) -> dict[str, list[Any]]:
    async with engine.connect() as connection:
        return {
            part: sorted((tuple(row) for row in await connection.execute(text(query))), key=repr)
            for part, query in CATALOGUE.items()
        }


async def test_the_tables_equal_the_sum_of_the_migrations(engine: AsyncEngine, empty_database_url: str) -> None:
    declared = make_engine(empty_database_url)
    async with declared.begin() as connection:
        await connection.run_sync(metadata.create_all)
    expected, found = await catalogue(declared), await catalogue(engine)
    await declared.dispose()
    for part in CATALOGUE:
        assert found[part] == expected[part], part
    assert len(found["columns"]) > 100


async def test_autogenerate_has_nothing_to_add(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        with warnings.catch_warnings():
            # A computed column that differs is only warned of.
            warnings.simplefilter("error")
            return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_triggers_are_these_and_no_others(sql: Sql) -> None:
    rows = await sql.fetch("SELECT tgname, pg_get_triggerdef(oid) AS body FROM pg_trigger WHERE NOT tgisinternal")
    assert {row["tgname"] for row in rows} == set(TRIGGERS)
    for row in rows:
        name = row["tgname"]
        table = "trading_halts FOR EACH STATEMENT" if name == "notify_halt" else "trading_bots FOR EACH ROW"
        assert f"{TRIGGERS[name]} ON public.{table}" in row["body"]


async def test_every_foreign_key_leads_an_index(sql: Sql) -> None:
    rows = await sql.fetch("""
        SELECT con.conname, EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = con.conrelid AND i.indpred IS NULL
            AND (i.indkey::int2[])[0:cardinality(con.conkey) - 1] = con.conkey
        ) AS indexed
        FROM pg_constraint con WHERE con.contype = 'f'
    """)
    assert len(rows) == 8
    assert [row["conname"] for row in rows if not row["indexed"]] == []


async def test_money_and_times_have_one_type_everywhere(sql: Sql) -> None:
    rows = await sql.fetch("""
        SELECT DISTINCT format_type(atttypid, atttypmod) AS type FROM pg_attribute
        JOIN pg_class c ON c.oid = attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND attnum > 0
    """)
    types = {row["type"] for row in rows}
    assert {name for name in types if name.startswith(("numeric", "double", "real"))} == {"numeric(38,18)"}
    assert {name for name in types if name.startswith(("timestamp", "date"))} == {"timestamp with time zone"}


async def test_a_migrated_database_needs_nothing_more(database_url: str) -> None:
    assert await migrate(database_url) == []
    assert [await current(database_url)] == heads()


async def test_a_new_database_gets_every_revision(empty_database_url: str) -> None:
    assert await current(empty_database_url) is None
    assert await migrate(empty_database_url) == ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]


async def test_an_older_database_gets_what_is_missing(database_url: str, sql: Sql) -> None:
    # The database as the first revision left it.
    await sql.execute(
        "DROP FUNCTION trading_bots_agree, trading_bots_keep_config, trading_bots_notify, trading_halts_notify CASCADE"
    )
    await sql.execute("DROP TABLE broker_credentials, trading_halts")
    await sql.execute("ALTER TABLE trading_trades DROP COLUMN plugins")
    await sql.execute("UPDATE alembic_version SET version_num = '0001'")
    assert await migrate(database_url) == ["0002", "0003", "0004", "0005", "0006", "0007"]


async def test_several_processes_may_migrate_at_once(empty_database_url: str) -> None:
    async with asyncio.timeout(60):
        applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sorted(applied) == [[], [], [], ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]]


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await asyncpg.connect(empty_database_url, ssl=False)
    # In the way of the very last table.
    await connection.execute("CREATE TABLE broker_credentials ()")
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert [row["tablename"] for row in tables] == ["broker_credentials"]


async def test_a_database_of_newer_code_is_refused_in_one_sentence(database_url: str, sql: Sql) -> None:
    await sql.execute("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(SchemaTooNew, match=r"is at revision 0099, .* this code knows up to 0007: run a newer version"):
        await migrate(database_url)


async def test_migrating_an_unreachable_database_says_so(postgres_server: PostgresServer) -> None:
    url = postgres_server.url("no_such_database")
    with pytest.raises(StoreUnavailable, match=r"/no_such_database cannot be reached: .*does not exist"):
        await migrate(url)
