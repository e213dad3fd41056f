"""A real PostgreSQL for tests and benchmarks: one server, and a migrated database for whoever asks.

`empty_tables` lends a database that was used before and emptied, which is quick; `fresh_database` makes one of its own,
to be altered in any way.
"""

import asyncio
import contextlib
import itertools
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeAlias

import asyncpg

from db.migrate import migrate
from db.tables import metadata
from embedded.cluster import USER, Cluster, program_env
from embedded.directory import DataDirectory
from embedded.ports import HOST, PortBook
from embedded.postgres import NOT_DURABLE, SETTINGS
from embedded.process import guarded

Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection of the driver's own, for plain SQL."""

_TEMPLATE = "migrated"
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0


class PostgresServer:
    """A server that can be stopped and started again, as in an outage. Blocking: it belongs to no event loop."""

    def __init__(self, home: Path) -> None:
        self._cluster = Cluster(DataDirectory(home))
        self.home = home
        self._log = home / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._serial = itertools.count(1)
        self.emptied: list[str] = []
        self.port = PortBook(home / "ports.json").choose("postgres", 0)

    async def create(self) -> None:
        """Make the cluster."""
        await self._cluster.prepare(durable=False)

    def url(self, database: str) -> str:
        """Return the URL of a database, which need not exist."""
        return f"postgresql://{USER}:{self._cluster.password}@{HOST}:{self.port}/{database}"

    def next_name(self) -> str:
        """Return a name that no database of this server has had."""
        return f"test_{next(self._serial)}"

    def start(self) -> None:
        """Start it and wait until it serves."""
        settings = SETTINGS | NOT_DURABLE | {"port": str(self.port)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        argv = [str(self._cluster.server), "-D", str(self._cluster.path), *flags]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                guarded(argv, signal.SIGINT, self._cluster.account),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=program_env(),
                cwd=self._cluster.path.parent,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._serves(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End its sessions and stop it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def _serves(self, pid: int) -> bool:
        # The server's own note: process id first, state in the eighth line.
        with contextlib.suppress(OSError):
            lines = (self._cluster.path / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False


@contextlib.contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Run a server with a migrated template database; gone without a trace at the end. Not inside an event loop."""
    home = Path(tempfile.mkdtemp(prefix="steadyhand-tests-"))
    server: PostgresServer | None = None
    try:
        server = PostgresServer(home)
        asyncio.run(server.create())
        server.start()
        asyncio.run(_make_template(server))
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.asynccontextmanager
async def empty_tables(server: PostgresServer) -> AsyncIterator[str]:
    """Lend a migrated database without rows and yield its URL. Its tables and triggers must be left as they are."""
    if server.emptied:
        name = server.emptied.pop()
    else:
        name = server.next_name()
        await _run(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
    yield server.url(name)
    await _run(server, _END_SESSIONS, database=name)
    # Replicas fire no triggers, those of foreign keys included, so that any order will do.
    tables = "; ".join(f"DELETE FROM {table}" for table in metadata.tables)
    await _run(server, f"SET session_replication_role = replica; {tables}", database=name)
    server.emptied.append(name)


@contextlib.asynccontextmanager
async def fresh_database(server: PostgresServer, *, template: str | None = _TEMPLATE) -> AsyncIterator[str]:
    """Make a database and yield its URL; None as template: without tables."""
    name = server.next_name()
    # Copying files is cheaper than logging them, on a server that need not be durable.
    like = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
    await _run(server, f"CREATE DATABASE {name}{like}")
    try:
        yield server.url(name)
    finally:
        await _run(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _make_template(server: PostgresServer) -> None:
    await _run(server, f"CREATE DATABASE {_TEMPLATE}")
    await migrate(server.url(_TEMPLATE))


async def _run(server: PostgresServer, statement: str, *, database: str = "postgres") -> None:
    connection = await asyncpg.connect(server.url(database), ssl=False)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
