"""Brings a database up to the tables of this code. Forward only; several processes may try at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.engine import make_engine, place_of, transaction
from db.errors import SchemaTooNew

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number, the same for all who migrate; the bytes of "steady".
_LOCK = 0x737465616479


async def migrate(url: str) -> list[str]:
    """Apply all migrations that are missing, in one transaction; return their revisions, oldest first.

    Raises:
        SchemaTooNew: the database knows a revision that this code does not.
        StoreUnavailable: the database cannot be reached.
    """
    # The wait for another process, and a migration itself, may take as long as they need.
    engine = make_engine(url, statement_seconds=None, pooled=False)
    try:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            return await connection.run_sync(_upgrade, place_of(engine.url))
    finally:
        await engine.dispose()


async def current(url: str) -> str | None:
    """Return the revision of a database, None if it was never migrated.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    engine = make_engine(url, pooled=False)
    try:
        async with transaction(engine) as connection:
            return await connection.run_sync(_current)
    finally:
        await engine.dispose()


async def try_to_write(url: str) -> None:
    """Write what is there already, to see whether the database takes it. It must have been migrated.

    Raises:
        StoreUnavailable: it does not, or cannot be reached.
    """
    engine = make_engine(url, pooled=False)
    try:
        async with transaction(engine) as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    finally:
        await engine.dispose()


def heads() -> list[str]:
    """Return the newest revision that this code knows; more than one only while branches are being merged."""
    return ScriptDirectory.from_config(_config()).get_heads()


def _upgrade(connection: Connection, place: str) -> list[str]:
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    known = [script.revision for script in scripts.walk_revisions()]
    before = _current(connection)
    if before is not None and before not in known:
        raise SchemaTooNew(
            f"the database at {place} is at revision {before}, which newer code made; "
            f"this code knows up to {', '.join(scripts.get_heads())}: run a newer version of Steadyhand"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return list(reversed(known[: known.index(before)] if before else known))


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    # A path may hold a percent sign, which ConfigParser would read as the beginning of a reference.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
