"""Canary: a live bot under `up` meets every error whose text could hold a secret; afterwards nothing that is left does.

The exchange even repeats keys and secrets in its answers, as a careless proxy might.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from cli.endpoints import read_endpoints
from embedded.cluster import find_binaries
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, replayed_market
from simulator.faults.fault import Fault
from simulator.faults.late_or_lost import Accept504, DropAnswer, Garbage
from simulator.faults.outages import Hang, HttpError, Reset
from simulator.server import RunningSimulator, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.cli.programs import ANY_PORTS, REPOSITORY, STARTER, Running, program
from tests.support.canary import files_holding, holds
from tests.support.live import waves

API_KEY, SECRET, WRONG_SECRET = "canaryKey4711canaryKey4711", "canarySecret4711canary", "canaryWrong4711canary"
ECHO = f"X-MBX-APIKEY {API_KEY}, signed with {SECRET}"
PLANTED = (API_KEY, SECRET, WRONG_SECRET, "signature=")
"""What must be found nowhere; a signature comes with the address that it signs."""

SENDING, ASKING = "POST /api/v3/order", "GET /api/v3/order"
LIVE = {
    "broker.trading_mode": "live",
    "broker.live_trading_confirmed": "true",
    "risk_management.max_position_size": "1000",
    "risk_management.max_daily_loss": "500",
    # It acts when it is told to.
    "strategy.parameters.entry_logic.params.e_min_volume_ratio": "100",
    "risk_management.stop_loss_pct": "50",
    "risk_management.take_profit_pct": "50",
    "strategy.parameters.exit_logic.params.x_sl_multiplier": "100",
}

TROUBLES: tuple[tuple[str, Fault], ...] = (
    ("open", HttpError(endpoint=SENDING, status=500, count=1)),
    ("close", Reset(endpoint=SENDING, count=1)),
    ("open", DropAnswer(count=1)),
    ("close", Accept504(count=1, html=True)),
    ("open", Hang(endpoint=SENDING, seconds=60, count=1)),
    ("close", Garbage(endpoint=SENDING, body=ECHO, count=1)),
    ("open", Reset(endpoint=ASKING, count=3)),
    ("open", HttpError(endpoint=SENDING, status=400, code=-1100, msg=ECHO, count=1)),
    ("open", HttpError(endpoint=SENDING, status=401, code=-2015, msg=ECHO, count=1)),
)
"""What a person orders, and what happens to it: all but the last three are carried out in the end."""


@dataclass
class Terminal:
    """Commands of ours, each a process of its own, and all that they have printed."""

    data_dir: Path
    printed: str = field(default="")

    async def __call__(self, *arguments: str, answer: str = "") -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(STARTER),
            *arguments,
            env=self.env,
            cwd=REPOSITORY,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        output, errors = await process.communicate(answer.encode())
        self.printed += f"$ {' '.join(arguments[:3])}\n{output.decode()}{errors.decode()}"
        assert process.returncode is not None
        return process.returncode

    @property
    def env(self) -> dict[str, str]:
        ours = {"STEADYHAND_DATA_DIR": str(self.data_dir), "COLUMNS": "200"}
        return {name: value for name, value in os.environ.items() if name != "STEADYHAND_SECRET_KEYS"} | ours

    async def make_bot(self, prefix: str, credentials: str, url: str) -> int:
        settings = {**LIVE, "broker.credentials": credentials}
        changes = [part for path, value in settings.items() for part in ("--set", f"{path}={value}")]
        options = ("--symbols", "BTC/USDT", "--interval", "1m", "--base-url", url, "--id-prefix", prefix)
        return await self("bots", "create", *options, *changes, "--wait", "30")


@asynccontextmanager
async def exchange(folder: Path) -> AsyncIterator[RunningSimulator]:
    key = ApiKey(key=API_KEY, secret=SECRET)
    account = AccountSpec(name="main", keys=(key,), balances={"USDT": Decimal(5000)})
    market = replayed_market("BTCUSDT", waves(folder / "waves.csv"))
    async with await start_simulator(Exchange(SimulatedClock(), [market]), accounts=[account]) as running:
        yield running


async def test_nothing_that_live_trading_leaves_behind_holds_a_key_or_a_secret(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        terminal = Terminal(Path(folder) / "data")
        async with exchange(tmp_path) as simulator:
            async with program(str(STARTER), "up", "--log-level", "DEBUG", *ANY_PORTS, env=terminal.env) as up:
                await up.says("^ready$")
                await trade_in_trouble(terminal, simulator)
                await ask_everything(terminal)
                dump = await dumped(terminal.data_dir)
            orders = simulator.desk.accounts.named("main")
        assert orders is not None
        assert len(list(orders.orders)) == 6
        examine(terminal, up, dump)


async def trade_in_trouble(terminal: Terminal, simulator: RunningSimulator) -> None:
    """Have one bot buy and sell through all troubles, and another refused for its wrong secret."""
    for name, secret in (("canary-holder", SECRET), ("canary-wrong", WRONG_SECRET)):
        options = ("--venue", "binance", "--key", API_KEY)
        assert await terminal("credentials", "add", name, *options, answer=f"{secret}\n") == 0, terminal.printed
    assert await terminal.make_bot("wrong", "canary-wrong", simulator.url) == 1
    assert await terminal.make_bot("right", "canary-holder", simulator.url) == 0, terminal.printed
    assert "made right_btcusdt: BTC/USDT 1m, live" in terminal.printed
    codes = []
    for command, fault in TROUBLES:
        simulator.faults.arm([fault])
        codes.append(await terminal("bots", command, "right_btcusdt", "--timeout", "60"))
        assert simulator.faults.armed[0].fired, f"{fault} has hit nobody:\n{terminal.printed}"
    simulator.faults.arm([])
    assert codes == [0, 0, 0, 0, 0, 0, 1, 1, 1], terminal.printed


async def ask_everything(terminal: Terminal) -> None:
    """Have every view of the bots printed, and the metrics."""
    for bot in ("right_btcusdt", "wrong_btcusdt"):
        views = ("show", "why", "events", "orders", "trades")
        codes = await asyncio.gather(*(terminal("bots", view, bot, "--json") for view in views))
        assert not any(codes), terminal.printed
        await terminal("doctor", "--live", bot)
    await asyncio.gather(terminal("bots", "list"), terminal("credentials", "list", "--json"))
    endpoints = read_endpoints(terminal.data_dir)
    assert endpoints is not None
    metrics = str(endpoints.health_url).replace("/health", "/metrics")
    async with aiohttp.ClientSession() as session, session.get(metrics) as answer:
        assert answer.status == 200
        terminal.printed += await answer.text()


async def dumped(data_dir: Path) -> bytes:
    """Return the whole database as pg_dump writes it."""
    endpoints = read_endpoints(data_dir)
    assert endpoints is not None
    process = await asyncio.create_subprocess_exec(
        str(find_binaries() / "pg_dump"), endpoints.database_url, stdout=PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


def examine(terminal: Terminal, up: Running, dump: bytes) -> None:
    home = terminal.data_dir
    told = (terminal.printed + up.text).encode()
    # What is looked into is what was written: the name is everywhere, and so are the troubles.
    for content in (told, dump):
        assert b"canary-holder" in content
        assert b"RequestTimeout" in content or b"not filled" in content
    holding = {Path(file).relative_to(home).parts[0] for file in files_holding(home, "canary-holder")}
    assert {"postgres", "temporal.db", "logs"} <= holding

    assert not holds(told, *PLANTED)
    assert not holds(dump, *PLANTED)
    assert files_holding(home, *PLANTED) == []
