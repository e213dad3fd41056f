"""The local stack: PostgreSQL and Temporal, embedded or existing ones, and the processes that use them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from embedded.directory import DataDirectory
from embedded.existing import (
    ExistingTemporal,
    check_database,
    temporal_from_environment,
)
from embedded.ports import HOST, PortBook, Ports
from embedded.postgres import EmbeddedPostgres
from embedded.probes import http_ready
from embedded.process import Child, Probe
from embedded.supervisor import Backoff, OnEvent, OnLine, Supervisor
from embedded.temporal import NAMESPACE, EmbeddedTemporal, without_temporal

# In seconds: a worker hands its watches over at once, and lets orders that are under way come to their end.
_WORKER_STOP_TIMEOUT = 30.0

Prepare = Callable[["EmbeddedStack"], Awaitable[None]]
"""Called when both servers are ready and nothing uses them yet: the place for migrations."""


@dataclass(frozen=True)
class WorkerCommand:
    """How the worker is run. It is ready once it answers 200 at /health on STEADYHAND_HEALTH_PORT.

    Attributes:
        argv: its command, with an absolute path of the program.
        env: added to what `child_env` gives.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class EmbeddedStack:
    """Runs while its `async with` block runs.

    Entering it locks the data directory, starts both servers at once, calls `prepare`, then starts the worker.
    Leaving it stops everything in reverse order; the worker has time to drain.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        database_url: str | None = None,
        temporal_address: str | None = None,
        temporal_from_env: bool = False,
        durable: bool = True,
        ports: Ports | None = None,
        prepare: Prepare | None = None,
        worker: WorkerCommand | None = None,
        on_event: OnEvent | None = None,
        on_line: OnLine | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Describe a stack; nothing happens before it is entered.

        Args:
            database_url: an existing database, instead of the embedded one.
            temporal_address: an existing Temporal server, `host:port`, instead of the embedded one.
            temporal_from_env: use the server that TEMPORAL_* variables or a Temporal profile name, if they name one.
            durable: whether a power cut must lose nothing; off is faster, for demonstrations and tests.
            worker: None starts no worker.
        """
        self._directory = DataDirectory(data_dir)
        self._database_url = database_url
        self._existing = ExistingTemporal(temporal_address) if temporal_address else None
        self._temporal_from_env = temporal_from_env
        self._durable = durable
        self._ports = ports or Ports()
        self._prepare = prepare
        self._worker = worker
        self._health_port = 0
        self._postgres: EmbeddedPostgres | None = None
        self._temporal: EmbeddedTemporal | None = None
        self.supervisor = Supervisor(self._directory.run, on_event=on_event, on_line=on_line, backoff=backoff)

    @property
    def data_dir(self) -> Path:
        """The data directory, as an absolute path."""
        return self._directory.path

    @property
    def logs(self) -> Path:
        """The folder of the children's log files, each `NAME.log`."""
        return self._directory.logs

    @property
    def database_url(self) -> str:
        """The bots' database, `postgresql://...` with its password."""
        if self._postgres is not None:
            return self._postgres.url
        return self._database_url or ""

    @property
    def temporal_address(self) -> str:
        """Temporal's `host:port`."""
        if self._temporal is not None:
            return self._temporal.address
        return self._existing.address if self._existing else ""

    @property
    def namespace(self) -> str:
        """Temporal's namespace."""
        return self._existing.namespace if self._existing else NAMESPACE

    @property
    def ui_url(self) -> str | None:
        """The address of Temporal's Web UI; None for an existing server, whose UI we do not know."""
        return self._temporal.ui_url if self._temporal else None

    @property
    def health_url(self) -> str:
        """Where the worker serves /health; /metrics is beside it."""
        return f"http://{HOST}:{self._health_port}/health"

    @property
    def child_env(self) -> dict[str, str]:
        """The environment that children get: ours, and where the servers are."""
        env = without_temporal(os.environ) if self._temporal else dict(os.environ)
        return env | {
            "STEADYHAND_DATABASE_URL": self.database_url,
            "STEADYHAND_DATA_DIR": str(self.data_dir),
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.namespace,
            "PYTHONUNBUFFERED": "1",
        }

    async def __aenter__(self) -> Self:
        self._directory.open()
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop everything, the last started first, and give the data directory free."""
        try:
            await self.supervisor.close()
        finally:
            self._directory.close()

    async def start_child(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: Probe | None = None,
        stop_timeout: float = 10.0,
    ) -> None:
        """Start one more process of ours and keep it running; `env` is added to `child_env`.

        Raises:
            EmbeddedError: it ended or did not get ready.
        """
        await self.supervisor.start(
            Child(
                name=name,
                argv=argv,
                log_path=self.logs / f"{name}.log",
                env=self.child_env | dict(env or {}),
                cwd=cwd,
                ready=ready,
                ready_timeout=60.0,
                stop_timeout=stop_timeout,
            )
        )

    async def _start(self) -> None:
        await self.supervisor.end_leftovers()
        self._choose_servers()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_database())
                group.create_task(self._start_temporal())
        except BaseExceptionGroup as errors:
            # One sentence for the person: the other server was cancelled, or fails for the same reason.
            raise errors.exceptions[0] from None
        if self._prepare is not None:
            await self._prepare(self)
        if self._worker is not None:
            await self._start_worker(self._worker)

    def _choose_servers(self) -> None:
        if self._temporal_from_env and self._existing is None:
            self._existing = temporal_from_environment()
        book = PortBook(self._directory.ports)
        if self._database_url is None:
            port = book.choose("postgres", self._ports.postgres)
            self._postgres = EmbeddedPostgres(self._directory, port=port, durable=self._durable)
        if self._existing is None:
            port = book.choose("temporal", self._ports.temporal)
            ui_port = book.choose("ui", self._ports.ui)
            self._temporal = EmbeddedTemporal(self._directory, port=port, ui_port=ui_port, durable=self._durable)
        if self._worker is not None:
            self._health_port = book.choose("health", self._ports.health)
        book.save()

    async def _start_database(self) -> None:
        if self._postgres is None:
            await check_database(self.database_url)
            return
        await self._postgres.prepare()
        await self.supervisor.start(self._postgres.child())

    async def _start_temporal(self) -> None:
        if self._temporal is not None:
            self._temporal.prepare()
            await self.supervisor.start(self._temporal.child())
        elif self._existing is not None:
            await self._existing.check()

    async def _start_worker(self, worker: WorkerCommand) -> None:
        await self.start_child(
            "worker",
            worker.argv,
            env={"STEADYHAND_HEALTH_PORT": str(self._health_port), **worker.env},
            cwd=worker.cwd,
            ready=http_ready(self.health_url),
            stop_timeout=_WORKER_STOP_TIMEOUT,
        )
