"""A worker of all its real parts and an exchange with an account, in the process of a test: what live trading needs."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.fleet import Fleet
from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.reads import Reads
from domain.queues import Role, workflow_id
from domain.state import BotRow
from security.key_file import load_ring
from security.keyring import new_key
from settings import Settings
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, replayed_market
from simulator.faults.fault import Fault
from simulator.server import RunningSimulator, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey, Permission
from tests.support.bots import raw_config
from tests.support.vault import credentials
from worker import make_workers, services
from workflows.command import StatusAnswer

KEY, SECRET = "key-of-the-live-bots", "secret-of-the-live-bots"

EAGER: dict[str, Any] = {
    "data__interval": "1s",
    "data__price_interval_seconds": 0.5,
    "risk_management__stop_loss_pct": 0.2,
    "risk_management__take_profit_pct": 0.3,
    "risk_management__max_position_size": 1000,
    "risk_management__max_daily_loss": 500,
    "strategy__parameters__entry_logic__params": {
        "e_rsi_period": 3,
        "e_rsi_oversold": 50,
        "e_bb_period": 5,
        "e_bb_dev": 0.1,
        "e_vol_ma_period": 3,
        "e_min_volume_ratio": 0.1,
    },
    "strategy__parameters__exit_logic__params": {"x_atr_period": 3, "x_sl_multiplier": 1.0},
}
"""Buys and sells every few seconds, within the limits that live trading asks for."""

GO_LIVE: dict[str, Any] = {"trading_mode": "live", "credentials": "main", "live_trading_confirmed": True}
"""What differs in `broker` between paper and live."""


@dataclass
class LiveStage:
    """An exchange, a database and a worker, and the means to change what is there."""

    client: Client
    engine: AsyncEngine
    simulator: RunningSimulator
    settings: Settings
    fleet: Fleet

    @property
    def rows(self) -> BotRepository:
        return BotRepository(self.engine)

    @property
    def reads(self) -> Reads:
        return Reads(self.engine)

    async def add_bot(self, bot_id: str, *, live: bool = True, **changes: Any) -> "LiveBot":
        """Make the row of an eager bot, and start it."""
        raw = raw_config(bot_id, **{**EAGER, "broker__base_url": self.simulator.url, **changes})
        raw["broker"] |= GO_LIVE if live else {}
        await self.fleet.sync(await self.rows.create(bot_id, raw))
        return LiveBot(self, bot_id)

    async def open_account(self, *permissions: Permission, secret: str = SECRET, **balances: str) -> None:
        """Open the account `main` at the exchange, and store its keys, with another secret perhaps."""
        key = ApiKey(key=KEY, secret=SECRET, permissions=frozenset(permissions or ("read", "trade")))
        spec = AccountSpec(name="main", keys=(key,), balances={name: Decimal(each) for name, each in balances.items()})
        self.simulator.desk.accounts.open(spec, self.simulator.exchange.clock.now_ms())
        sealed = load_ring(self.settings.secret_keys, None).seal("main", credentials("binance", KEY, secret))
        await CredentialsRepository(self.engine).add(sealed)

    def goes_wrong(self, *faults: Fault) -> None:
        """Have the exchange fail like this from now on, instead of as before; without faults it is well again."""
        self.simulator.faults.arm(faults)

    async def ledger(self) -> dict[str, Any]:
        """What the account `main` has really ordered, and holds."""
        async with aiohttp.ClientSession(self.simulator.url) as session, session.get("/ledger?account=main") as answer:
            (account,) = (await answer.json())["accounts"]
            return dict(account)


@dataclass
class LiveBot:
    """One bot on the stage."""

    stage: LiveStage
    bot_id: str

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.stage.client.get_workflow_handle(workflow_id(self.bot_id))

    async def row(self) -> BotRow:
        return await self.stage.rows.get(self.bot_id)

    async def status(self) -> StatusAnswer:
        answer: StatusAnswer = await self.handle.query("status", result_type=StatusAnswer)
        return answer

    async def comes(self, condition: Callable[[StatusAnswer], bool], seconds: float = 60.0) -> StatusAnswer:
        """Wait until the bot's answer to `status` satisfies something, and return it."""
        answer: StatusAnswer | None = None
        try:
            async with asyncio.timeout(seconds):
                while answer is None or not condition(answer):
                    await asyncio.sleep(0.1)
                    answer = await self.status()
        except (TimeoutError, RPCError) as error:
            raise AssertionError(f"{error!r}: the bot came no further than {answer}") from error
        return answer

    async def edit(self, **sections: dict[str, Any]) -> None:
        """Change keys of some sections of the configuration, and tell the bot."""
        raw = (await self.row()).config
        changed = raw | {name: raw[name] | keys for name, keys in sections.items()}
        await self.stage.rows.update_config(self.bot_id, changed)
        await self.stage.fleet.sync(await self.row())

    async def enable(self, *, enabled: bool) -> None:
        """Switch the row on or off, and wait for the end of the workflow if it is off."""
        await self.stage.rows.set_enabled(self.bot_id, enabled)
        await self.stage.fleet.sync(await self.row())
        if not enabled:
            async with asyncio.timeout(45):
                await self.handle.result()


def waves(file: Path) -> Path:
    """Write half an hour of candles of a second, ten minutes of it past: waves of 12 s, half a percent to each side."""
    first = int(time.time()) - 600
    prices = [50_000 * (1 + math.sin(math.tau * n / 12) / 200) for n in range(1_801)]
    rows = [
        f"{(first + n) * 1000},{a:.2f},{max(a, b):.2f},{min(a, b):.2f},{b:.2f},10"
        for n, (a, b) in enumerate(pairwise(prices))
    ]
    file.write_text("\n".join(("timestamp,open,high,low,close,volume", *rows)) + "\n")
    return file


@asynccontextmanager
async def live_stage(client: Client, engine: AsyncEngine, database_url: str, folder: Path) -> AsyncIterator[LiveStage]:
    """Run an exchange whose one market goes up and down, and a worker built as worker.py builds it."""
    settings = Settings(
        database_url=SecretStr(database_url), data_dir=folder, secret_keys=SecretStr(new_key()), flush_seconds=0.5
    )
    exchange = Exchange(SimulatedClock(), [replayed_market("BTCUSDT", waves(folder / "waves.csv"))])
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(await start_simulator(exchange))
        built = await stack.enter_async_context(services(settings, client))
        for worker in make_workers(client, built, list(Role), max_watches=20):
            await stack.enter_async_context(worker)
        stack.callback(built.watches.drain)
        yield LiveStage(client, engine, simulator, settings, built.fleet)
