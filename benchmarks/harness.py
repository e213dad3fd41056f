"""What the benchmarks share: real servers in a temporary directory, bots' rows, and the last line that each prints."""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from temporalio.client import Client

from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.engine import make_engine
from db.migrate import migrate
from domain.credentials import Credentials
from domain.state import BotRow
from domain.templates import bot_from_template
from embedded.ports import Ports
from embedded.probes import http_ready
from embedded.stack import EmbeddedStack, WorkerCommand
from security.keyring import KeyRing, new_key, parse_keys
from temporal_client import connect, temporal_options

ROOT = Path(__file__).resolve().parents[1]
SIMULATOR_PORT = 28_990
SIMULATOR_URL = f"http://127.0.0.1:{SIMULATOR_PORT}"
_WORKER = WorkerCommand([sys.executable, str(ROOT / "worker.py")], env={"STEADYHAND_SOLE_WORKER": "1"}, cwd=ROOT)
ACCOUNT, KEY, SECRET = "main", "key-of-main", "secret-of-main"


@asynccontextmanager
async def servers(*, worker: bool) -> AsyncIterator[EmbeddedStack]:
    """Run PostgreSQL, Temporal and the simulator, and a worker process if asked; TEMPORAL_* and settings name them."""

    async def prepare(stack: EmbeddedStack) -> None:
        await migrate(stack.database_url)
        await stack.start_child(
            "simulator",
            [
                *(sys.executable, "-m", "simulator", "--port", str(SIMULATOR_PORT), "--seed", "7"),
                *("--account", f"{KEY}:{SECRET}:USDT=100000000,BTC=1000"),
            ],
            cwd=ROOT,
            ready=http_ready(f"{SIMULATOR_URL}/sim/health"),
        )

    with tempfile.TemporaryDirectory(prefix="steadyhand-bench-") as folder:
        async with EmbeddedStack(
            Path(folder),
            durable=False,
            ports=Ports(postgres=0, temporal=0, ui=0, health=0),
            prepare=prepare,
            worker=_WORKER if worker else None,
        ) as stack:
            os.environ["TEMPORAL_ADDRESS"] = stack.temporal_address
            os.environ["TEMPORAL_NAMESPACE"] = stack.namespace
            os.environ["STEADYHAND_DATABASE_URL"] = stack.database_url
            yield stack


async def client() -> Client:
    """Return a client of the servers' Temporal."""
    return await connect(temporal_options())


def raw_bot(bot_id: str, *, symbol: str = "BTC/USDT", interval: str = "1m") -> dict[str, Any]:
    """Return the user's example as a bot on the simulator, without daily limits, so that it can go on and on."""
    raw = bot_from_template("rsi", id=bot_id, symbol=symbol, interval=interval, cash=10_000, base_url=SIMULATOR_URL)
    raw["risk_management"] = {"stop_loss_pct": 30.0, "take_profit_pct": 60.0}
    return raw


def eager_bot(bot_id: str) -> dict[str, Any]:
    """Return a bot that trades every few candles of one second."""
    raw = raw_bot(bot_id, symbol="SOL/USDT", interval="1s")
    entry, exit_ = (raw["strategy"]["parameters"][key]["params"] for key in ("entry_logic", "exit_logic"))
    entry.update(e_rsi_period=3, e_rsi_oversold=50, e_bb_period=5, e_bb_dev=0.1, e_vol_ma_period=3)
    entry.update(e_min_volume_ratio=0.1)
    exit_.update(x_atr_period=3, x_sl_multiplier=1.0)
    raw["data"]["lookback_bars"] = 100
    return raw


def live(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a bot that trades the simulator's account instead of paper."""
    raw["broker"] |= {"trading_mode": "live", "credentials": ACCOUNT, "live_trading_confirmed": True}
    raw["risk_management"] |= {"max_position_size": 1_000_000, "max_daily_loss": 1_000_000}
    return raw


async def store_keys(database_url: str) -> None:
    """Store the keys of the simulator's account, sealed under a key that the settings name from then on."""
    os.environ["STEADYHAND_SECRET_KEYS"] = new_key()
    ring = KeyRing(parse_keys(os.environ["STEADYHAND_SECRET_KEYS"], source="the benchmark"))
    keys = Credentials(venue="binance", api_key=SecretStr(KEY), secret=SecretStr(SECRET))
    engine = make_engine(database_url)
    try:
        await CredentialsRepository(engine).add(ring.seal(ACCOUNT, keys))
    finally:
        await engine.dispose()


async def make_bots(database_url: str, raws: Sequence[dict[str, Any]]) -> list[BotRow]:
    """Write the rows of bots."""
    engine = make_engine(database_url)
    try:
        bots = BotRepository(engine)
        return [await bots.create(raw["id"], raw) for raw in raws]
    finally:
        await engine.dispose()


def emit(name: str, figure: float, reference: float, unit: str, **more: float | int | str) -> None:
    """Print the last line of a benchmark: its figure, what it is compared with, and the ratio."""
    ratio = figure / reference if reference else None
    line = {"name": name, "figure": figure, "reference": reference, "unit": unit, "ratio": ratio, **more}
    print(json.dumps({key: round(value, 6) if isinstance(value, float) else value for key, value in line.items()}))


def median(values: Sequence[float]) -> float:
    """Return the middle of some values."""
    return statistics.median(values)
