"""The way to PostgreSQL: an engine, transactions on it, and one error for everything that passes with time."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.values import to_json
from domain.errors import StoreUnavailable

_CONNECT_SECONDS = 5.0
# Shorter than the activities that wait for it, so that they can say what happened.
_STATEMENT_SECONDS = 15.0
_POOL_SIZE = 5
_POOL_OVERFLOW = 5
_POOL_SECONDS = 10.0
_DRIVER = "postgresql+asyncpg"
_SCHEMES = ("postgresql", "postgres", _DRIVER)

# Classes and codes of SQLSTATE that pass with time, or once a person has mended the server: connection, credentials,
# unknown database, deadlock, resources (a full disk too), operator intervention, system error, a server that is
# read-only (a standby before its promotion), a lock that was not to be had.
_PASSING_CLASSES = ("08", "28", "3D", "40", "53", "57", "58")
_PASSING_CODES = ("25006", "55P03")
# Of these, what a server says that answers, but takes nothing.
_REFUSALS = {"53100": "its disk is full", "25006": "it is read-only"}
# Undefined table, schema and column.
_UNDEFINED = ("42P01", "3F000", "42703")
_NO_TABLES = "the database lacks tables of this version; run `python starter.py migrate`"


def make_engine(url: str, *, statement_seconds: float | None = _STATEMENT_SECONDS, pooled: bool = True) -> AsyncEngine:
    """Return an engine on asyncpg. It connects when it is first used, and again after the server was away.

    Args:
        url: `postgresql://user:password@host:port/name`, libpq's `sslmode` and `application_name` understood.
        statement_seconds: after so long a statement is given up; None waits for ever.
        pooled: False opens a connection for each transaction.

    Raises:
        ValueError: `url` is not the URL of a PostgreSQL database.
    """
    parsed, options = _asyncpg_url(url)
    options |= {"timeout": _CONNECT_SECONDS, "command_timeout": statement_seconds}
    pool: dict[str, Any] = (
        {
            "pool_size": _POOL_SIZE,
            "max_overflow": _POOL_OVERFLOW,
            "pool_timeout": _POOL_SECONDS,
            "pool_pre_ping": True,
        }
        if pooled
        else {"poolclass": NullPool}
    )
    return create_async_engine(
        parsed,
        connect_args=options,
        json_serializer=to_json,
        json_deserializer=json.loads,
        # Parameters are people's configurations and books: errors go to logs.
        hide_parameters=True,
        **pool,
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, author: str | None = None) -> AsyncIterator[AsyncConnection]:
    """Open a transaction; it is committed at the end, and rolled back when an error leaves it.

    Args:
        author: who changes a configuration, for `config_versions`; the database user if None.

    Raises:
        StoreUnavailable: the database cannot be reached, refuses to write, or was lost on the way. Nothing was
            committed, unless it was lost in the very commit.
    """
    with store_errors(engine):
        async with engine.begin() as connection:
            if author is not None:
                await connection.execute(
                    text("SELECT set_config('steadyhand.author', :author, true)"), {"author": author}
                )
            yield connection


@contextmanager
def store_errors(engine: AsyncEngine) -> Iterator[None]:
    """Turn whatever passes with time into StoreUnavailable. Errors of ours pass through.

    Raises:
        StoreUnavailable: with the place of the database, without its password; or that it must be migrated first.
    """
    try:
        yield
    except (OSError, PoolTimeout, DBAPIError, asyncpg.PostgresError) as error:
        if sqlstate(error) in _UNDEFINED:
            raise StoreUnavailable(_NO_TABLES) from error
        if not _passes(error):
            raise
        refusal = _REFUSALS.get(sqlstate(error) or "")
        verdict = f"refuses to write, {refusal}" if refusal else "cannot be reached"
        raise StoreUnavailable(f"the database at {place_of(engine.url)} {verdict}: {_reason(error)}") from error


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error, None if the server did not answer."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code if isinstance(code, str) else None


def server_message(error: DBAPIError) -> str:
    """Return what the server said, without SQLAlchemy's additions."""
    return str(getattr(error.orig.__cause__, "message", None) or error.orig) if error.orig else str(error)


def place_of(url: URL) -> str:
    """Return `host:port/name` of a database; never its user or password."""
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}:{url.port or 5432}/{url.database or ''}"


def _passes(error: Exception) -> bool:
    code = sqlstate(error)
    if code is not None:
        return code.startswith(_PASSING_CLASSES) or code in _PASSING_CODES
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, OSError | PoolTimeout)


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return server_message(error)
    return str(error) or type(error).__name__


def _asyncpg_url(url: str) -> tuple[URL, dict[str, Any]]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not shown: what cannot be parsed may hold a password anywhere.
        raise ValueError("the database URL must look like postgresql://user:password@host:port/name") from None
    if parsed.drivername not in _SCHEMES:
        raise ValueError(f"the database URL must begin with postgresql://; was {parsed.drivername}://")
    options: dict[str, Any] = {
        "server_settings": {"application_name": parsed.query.get("application_name", "steadyhand")}
    }
    if "sslmode" in parsed.query:
        options["ssl"] = parsed.query["sslmode"]
    return parsed.set(drivername=_DRIVER).difference_update_query(("sslmode", "application_name")), options
