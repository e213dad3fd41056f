"""Halts, in PostgreSQL and, for a worker that starts without it, on the disk of a machine."""

import logging
import os
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import transaction
from db.listening import listening
from db.tables import TradingHalt
from db.telling import tell_bots
from db.values import clean
from domain.halts import Halt

log = logging.getLogger(__name__)

_CHANNEL = "trading_halts"
_EVERY_SECONDS = 30.0


class HaltRepository:
    """`trading_halts`. Every method raises StoreUnavailable while the database cannot be reached."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def halt(self, reason: str, *, author: str) -> None:
        """Forbid entries to all bots; a halt that is in force gets this reason."""
        values = {"reason": clean(reason), "author": clean(author), "since": func.now()}
        statement = insert(TradingHalt).values(values)
        async with transaction(self._engine) as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["scope"], set_=values))
        # In a transaction of its own: whatever becomes of it, the halt stands.
        message = f"entries are halted by {author}: {reason}; exits go on"
        async with transaction(self._engine) as connection:
            await tell_bots(connection, "halted", message, severity="warning")

    async def lift(self, *, author: str) -> bool:
        """Allow entries again; return False if they were not halted."""
        async with transaction(self._engine) as connection:
            lifted = (await connection.execute(delete(TradingHalt))).rowcount > 0
            if lifted:
                await tell_bots(connection, "halt_lifted", f"entries are allowed again by {author}", severity="info")
        return lifted

    async def current(self) -> Halt | None:
        """Return the halt in force, None if there is none."""
        async with transaction(self._engine) as connection:
            return await _read(connection)

    async def changes(self) -> AsyncIterator[Halt | None]:
        """Yield the halt in force: at once, after every change, and every half a minute in case one was missed."""
        async with listening(self._engine, _CHANNEL) as listener:
            while True:
                yield await _read(listener.connection)
                await listener.wait(_EVERY_SECONDS)


class HaltFile:
    """Keeps the halt that a machine has last heard of. What cannot be written is said."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Halt | None:
        """Return the halt that was kept; one that cannot be read is in force until the database is asked."""
        try:
            return Halt.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("the kept halt %s cannot be read: %s", self._path, type(error).__name__)
            return Halt(reason=f"{self._path} cannot be read", author="this worker", since=datetime.now(UTC))

    def keep(self, halt: Halt | None) -> None:
        """Keep a halt, whole or not at all, or that there is none."""
        try:
            if halt is None:
                self._path.unlink(missing_ok=True)
            else:
                self._write(halt.model_dump_json())
        except OSError as error:
            log.warning("the halt cannot be kept in %s: %s", self._path, error.strerror or error)

    def _write(self, told: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A name of its own: several workers may share the directory.
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, prefix=".halt.", delete=False) as unfinished:
            unfinished.write(told)
            unfinished.flush()
            os.fsync(unfinished.fileno())
        Path(unfinished.name).replace(self._path)


async def _read(connection: AsyncConnection) -> Halt | None:
    columns = (TradingHalt.reason, TradingHalt.author, TradingHalt.since)
    row = (await connection.execute(select(*columns))).mappings().one_or_none()
    return None if row is None else Halt.model_validate(dict(row))
