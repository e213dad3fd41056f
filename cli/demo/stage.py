"""The stage of the demo: servers, simulated exchange and worker in a temporary directory, started side by side."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.demo.cast import CAST, MARKET_START, VOLATILITY, config_of, symbols
from cli.demo.clock import VenueClock
from cli.demo.progress import Progress
from cli.endpoints import Endpoints, own_process
from db.bots import BotRepository
from db.engine import make_engine
from db.migrate import migrate
from domain.queues import workflow_id
from domain.state import WatchOptions
from embedded.ports import HOST, PortBook, Ports
from embedded.probes import http_ready
from embedded.process import Child
from embedded.stack import EmbeddedStack
from embedded.supervisor import ChildEvent, Supervisor
from embedded.temporal import without_temporal

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER = "worker"

_DATABASE, _TEMPORAL = "PostgreSQL, a new cluster", "Temporal and its Web UI"
_STEPS = {"postgres": _DATABASE, "temporal": _TEMPORAL}
_READY_SECONDS = 120.0
# There is one worker here and no fleet to notice its death; in production the timeout is longer.
HEARTBEAT_TIMEOUT_SECONDS = 5
_WORKER_SETTINGS = {
    "STEADYHAND_SOLE_WORKER": "1",
    "STEADYHAND_FLUSH_SECONDS": "0.5",
    "STEADYHAND_HEARTBEAT_TIMEOUT_SECONDS": str(HEARTBEAT_TIMEOUT_SECONDS),
    "STEADYHAND_LOG_FORMAT": "console",
}


@dataclass(frozen=True)
class Stage:
    """What runs: the stack with the servers, the crew with exchange and worker, and the ways to them."""

    stack: EmbeddedStack
    crew: Supervisor
    engine: AsyncEngine
    client: Client
    clock: VenueClock
    health_url: str

    @property
    def bot_ids(self) -> list[str]:
        """The ids of the bots."""
        return [part.bot_id for part in CAST]

    @property
    def endpoints(self) -> Endpoints:
        """What `bots` commands in another terminal need to know."""
        stack = self.stack
        return Endpoints.model_validate(
            {
                **own_process(),
                "database_url": stack.database_url,
                "temporal_address": stack.temporal_address,
                "namespace": stack.namespace,
                "ui_url": stack.ui_url,
                "health_url": self.health_url,
                "watch": WatchOptions(heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT_SECONDS),
            }
        )

    def link(self, bot_id: str) -> str:
        """Return the page of a bot in the Web UI."""
        return f"{self.stack.ui_url}/namespaces/{self.stack.namespace}/workflows/{workflow_id(bot_id)}"


@asynccontextmanager
async def set_up(*, seed: int, progress: Progress) -> AsyncIterator[Stage]:
    """Start everything, and stop it in order at the end. The worker imports while the servers start.

    Raises:
        EmbeddedError: something cannot be started.
    """
    async with AsyncExitStack() as exits:
        home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="steadyhand-demo-")))
        builder = _Builder(home, seed=seed, progress=progress)
        # Twice: here for a start that fails, and below because the worker must end before its servers.
        exits.push_async_callback(builder.crew.close)
        stack = builder.stack()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(builder.start_exchange())
                group.create_task(builder.start_worker())
                group.create_task(_enter(exits, stack, builder))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        engine = make_engine(stack.database_url)
        exits.push_async_callback(engine.dispose)
        exits.push_async_callback(builder.crew.close)
        client = await Client.connect(
            stack.temporal_address, namespace=stack.namespace, data_converter=pydantic_data_converter
        )
        clock = await VenueClock.read(builder.exchange_url)
        yield Stage(stack, builder.crew, engine, client, clock, builder.health_url)


async def _enter(exits: AsyncExitStack, stack: EmbeddedStack, builder: "_Builder") -> None:
    await exits.enter_async_context(stack)
    builder.let_worker_go(stack)


class _Builder:
    """Starts the parts."""

    def __init__(self, home: Path, *, seed: int, progress: Progress) -> None:
        self._home = home
        self._seed = seed
        self._progress = progress
        self._go = home / "worker.json"
        book = PortBook(home / "crew-ports.json")
        self._exchange_port = book.choose("exchange", 0)
        self._health_port = book.choose("health", 0)
        run = home / "crew"
        run.mkdir(mode=0o700)
        self.crew = Supervisor(run)

    @property
    def exchange_url(self) -> str:
        """Where the simulated exchange is."""
        return f"http://{HOST}:{self._exchange_port}"

    @property
    def health_url(self) -> str:
        """Where the worker tells how it is."""
        return f"http://{HOST}:{self._health_port}/health"

    def stack(self) -> EmbeddedStack:
        """Return the servers, not started yet."""
        self._progress.begin(_DATABASE, _TEMPORAL)
        return EmbeddedStack(
            self._home,
            durable=False,
            ports=Ports(postgres=0, temporal=0, ui=0, health=0),
            prepare=self._prepare,
            on_event=self._on_event,
        )

    async def start_exchange(self) -> None:
        """Start the simulator; it serves the same market from the same moment on for the same seed."""
        with self._progress.step("a simulated exchange"):
            options = {
                "--port": self._exchange_port,
                "--seed": self._seed,
                "--symbols": symbols(),
                "--volatility": VOLATILITY,
                "--start": MARKET_START.isoformat(),
            }
            arguments = [str(part) for option in options.items() for part in option]
            await self._start("exchange", ["-m", "simulator", *arguments], f"{self.exchange_url}/sim/health")

    async def start_worker(self) -> None:
        """Start the worker; it waits by itself for what it needs."""
        with self._progress.step("a worker"):
            await self._start(WORKER, ["-m", "cli.demo.worker", str(self._go)], self.health_url)

    def let_worker_go(self, stack: EmbeddedStack) -> None:
        """Give the worker its environment, for which it has been waiting."""
        mine = {"STEADYHAND_HEALTH_PORT": str(self._health_port), **_WORKER_SETTINGS}
        env = {name: value for name, value in stack.child_env.items() if os.environ.get(name) != value} | mine
        unfinished = self._go.with_suffix(".new")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(env, file)
        unfinished.replace(self._go)

    async def _prepare(self, stack: EmbeddedStack) -> None:
        with self._progress.step("tables"):
            await migrate(stack.database_url)
        with self._progress.step(f"{len(CAST)} bots, a row each"):
            engine = make_engine(stack.database_url, pooled=False)
            try:
                for part in CAST:
                    await BotRepository(engine).create(part.bot_id, config_of(part, self.exchange_url), author="demo")
            finally:
                await engine.dispose()

    def _on_event(self, child: str, event: ChildEvent, _detail: str) -> None:
        if event is ChildEvent.READY:
            self._progress.done(_STEPS.get(child, child))

    async def _start(self, name: str, arguments: list[str], health: str) -> None:
        await self.crew.start(
            Child(
                name=name,
                argv=[sys.executable, *arguments],
                log_path=self._home / "logs" / f"{name}.log",
                env=without_temporal(os.environ) | {"PYTHONUNBUFFERED": "1"},
                cwd=REPOSITORY,
                ready=http_ready(health),
                ready_timeout=_READY_SECONDS,
                stop_timeout=15.0,
            )
        )
