"""The worker is killed with SIGKILL at thirty random moments while six bots trade; the books must not notice."""

import asyncio
import random
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.audit import audit
from db.bots import BotRepository
from db.engine import make_engine
from db.migrate import migrate
from db.reads import Reads
from domain.config import parse_config
from domain.queues import workflow_id
from domain.templates import bot_from_template
from embedded.ports import Ports
from embedded.probes import http_ready
from embedded.stack import EmbeddedStack, WorkerCommand
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
KILLS, ROUND_TRIPS = 30, 20
SEED = 11
BOTS = {base.lower(): f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "LTC")}


def eager(bot_id: str, symbol: str, url: str) -> dict[str, Any]:
    """A bot that buys and sells every few seconds."""
    raw = bot_from_template("rsi", id=bot_id, symbol=symbol, interval="1s", cash=1_000, base_url=url)
    parameters = raw["strategy"]["parameters"]
    parameters["entry_logic"]["params"] = {
        "e_rsi_period": 3,
        "e_rsi_oversold": 50,
        "e_bb_period": 5,
        "e_bb_dev": 0.1,
        "e_vol_ma_period": 3,
        "e_min_volume_ratio": 0.1,
    }
    parameters["exit_logic"]["params"] = {"x_atr_period": 3, "x_sl_multiplier": 1.0}
    raw["risk_management"] = {"stop_loss_pct": 0.2, "take_profit_pct": 0.3}
    raw["data"]["lookback_bars"] = 100
    parse_config(raw)
    return raw


@asynccontextmanager
async def trading() -> AsyncIterator[tuple[EmbeddedStack, AsyncEngine]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    async def prepare(stack: EmbeddedStack) -> None:
        await migrate(stack.database_url)
        argv = [sys.executable, "-m", "simulator", "--port", str(port), "--seed", "5", "--volatility", "8"]
        await stack.start_child("simulator", argv, cwd=ROOT, ready=http_ready(f"{url}/sim/health"))
        engine = make_engine(stack.database_url)
        for bot_id, symbol in BOTS.items():
            await BotRepository(engine).create(bot_id, eager(bot_id, symbol, url))
        await engine.dispose()

    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedStack(
            Path(folder),
            durable=False,
            ports=Ports(postgres=0, temporal=0, ui=0, health=0),
            prepare=prepare,
            worker=WorkerCommand(
                [sys.executable, "-m", "tests.support.forking_worker"],
                env={"STEADYHAND_SOLE_WORKER": "1", "STEADYHAND_FLUSH_SECONDS": "1"},
                cwd=ROOT,
            ),
        ) as stack:
            engine = make_engine(stack.database_url)
            try:
                yield stack, engine
            finally:
                await engine.dispose()


def kill_worker(stack: EmbeddedStack) -> None:
    """Kill the life of the worker that is running now; its parent starts the next one."""
    lives = psutil.Process(stack.supervisor.pid("worker")).children(recursive=True)
    parents = {child.ppid() for child in lives}
    for child in lives:
        if child.pid not in parents:
            child.send_signal(signal.SIGKILL)


async def round_trips(engine: AsyncEngine) -> int:
    return sum([len(await Reads(engine).trades(bot_id)) for bot_id in BOTS])


async def test_thirty_kills_lose_nothing_and_repeat_nothing() -> None:
    chance = random.Random(SEED)
    async with trading() as (stack, engine):
        client = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        kills = 0
        # On a busy machine a worker needs longer to do anything between two kills: then it is killed more often.
        while kills < KILLS or await round_trips(engine) < ROUND_TRIPS:
            await asyncio.sleep(chance.uniform(0.5, 6.0))
            kill_worker(stack)
            kills += 1
        handles = [client.get_workflow_handle(workflow_id(bot_id)) for bot_id in BOTS]
        for handle in handles:
            await handle.signal("stop")
        async with asyncio.timeout(90):
            await asyncio.gather(*(handle.result() for handle in handles))
        found = await audit(client, Reads(engine), BOTS)
    print(f"{found.orders} orders, {found.round_trips} round trips, {kills} kills")
    assert found.findings == ()
    assert found.round_trips >= ROUND_TRIPS
