"""What a chaos run runs on: the embedded stack, the simulator, two workers, and the bots with their accounts."""

import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.engine import make_engine
from db.migrate import migrate
from embedded.ports import HOST, Ports
from embedded.probes import http_ready
from embedded.process import Child
from embedded.stack import EmbeddedStack
from security.key_file import load_ring, make_key_file
from tests.chaos.cast import VOLATILITY, Member
from tests.chaos.venue import Venue
from tests.chaos.worker import FOLDER
from tests.support.ports import free_port
from tests.support.vault import credentials

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("worker-1", "worker-2")
# Where one worker dies and another lives on, nothing but silence tells of it: so a watch may be silent for so long.
HEARTBEAT_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Scene:
    """What runs.

    Attributes:
        traps: the folder in which a worker that sends an order looks for a trap, see tests/chaos/worker.py.
    """

    stack: EmbeddedStack
    engine: AsyncEngine
    client: Client
    venue: Venue
    members: Sequence[Member]
    traps: Path

    def life(self, worker: str) -> psutil.Process | None:
        """Return the life of a worker that runs now; None between two lives."""
        pid = self.stack.supervisor.pid(worker)
        try:
            return next(iter(psutil.Process(pid).children()), None) if pid else None
        except psutil.NoSuchProcess:
            return None

    def child(self, name: str) -> Child:
        """Return how a part of the stack is run, so that it can be started again after it was stopped."""
        return self.stack.supervisor._entries[name].child


@asynccontextmanager
async def set_up(members: Sequence[Member], *, seed: int, home: Path | None = None) -> AsyncIterator[Scene]:
    """Start everything, and stop it at the end.

    Args:
        home: where everything is kept; a temporary directory if None. Its folder `stack/logs` has the logs.
    """
    async with AsyncExitStack() as exits:
        folder = home or Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="steadyhand-chaos-")))
        traps = folder / "traps"
        traps.mkdir(parents=True)
        stack = await exits.enter_async_context(
            EmbeddedStack(folder / "stack", durable=False, ports=Ports(postgres=0, temporal=0, ui=0))
        )
        await migrate(stack.database_url)
        url = await _start_exchange(stack, seed)
        venue = await exits.enter_async_context(Venue(url))
        engine = make_engine(stack.database_url)
        exits.push_async_callback(engine.dispose)
        await _enrol(stack, engine, venue, members, url)
        for worker in WORKERS:
            await _start_worker(stack, worker, traps)
        client = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        yield Scene(stack, engine, client, venue, members, traps)


async def _start_exchange(stack: EmbeddedStack, seed: int) -> str:
    url = f"http://{HOST}:{(port := free_port())}"
    options = ["--port", str(port), "--seed", str(seed), "--volatility", str(VOLATILITY)]
    argv = [sys.executable, "-m", "simulator", *options]
    await stack.start_child("exchange", argv, cwd=ROOT, ready=http_ready(f"{url}/sim/health"))
    return url


async def _enrol(stack: EmbeddedStack, engine: AsyncEngine, venue: Venue, members: Sequence[Member], url: str) -> None:
    """Open the accounts, and store their keys and the bots."""
    make_key_file(stack.data_dir)
    ring = load_ring(None, stack.data_dir)
    for member in members:
        await venue.open_account(member.account())
        keys = credentials("binance", member.bot_id, member.secret)
        await CredentialsRepository(engine).add(ring.seal(member.bot_id, keys))
        await BotRepository(engine).create(member.bot_id, member.config(url), author="chaos")


async def _start_worker(stack: EmbeddedStack, name: str, traps: Path) -> None:
    port = free_port()
    env = {
        "STEADYHAND_HEALTH_PORT": str(port),
        "STEADYHAND_HEARTBEAT_TIMEOUT_SECONDS": str(HEARTBEAT_TIMEOUT_SECONDS),
        "STEADYHAND_FLUSH_SECONDS": "2",
        # There is no fleet that notices a restored server, so the worker that starts first has all bots look anew.
        "STEADYHAND_SOLE_WORKER": str(int(name == WORKERS[0])),
        FOLDER: str(traps),
    }
    argv = [sys.executable, "-m", "tests.chaos.worker"]
    health = http_ready(f"http://{HOST}:{port}/health")
    await stack.start_child(name, argv, env=env, cwd=ROOT, ready=health, stop_timeout=5.0)
