"""Bots for tests: configurations, rows, and a bench on which workflows run with fakes around them."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from activities.adoption import AdoptionActivities
from activities.config import ConfigActivities
from activities.fleet import Fleet
from activities.journal import JournalActivities, NotifyActivities
from activities.liveness import LivenessBoard
from activities.orders import OrderActivities
from activities.reconciling import Reconciler
from activities.watch import WatchActivities
from brokers.registry import BrokerRegistry
from domain.queues import Role, workflow_id
from domain.state import BotRow, WatchOptions
from embedded.temporal import find_temporal, without_temporal
from strategies.plugs import NO_PLUGINS, Plugs
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeBots, FakeBroker, FakeGate, FakeJournal, FakeMarket, FakeNotifier
from workflows.bot import BotWorkflow
from workflows.command import PositionAnswer, StatusAnswer

T = TypeVar("T")


LIVE: dict[str, Any] = {
    "broker__trading_mode": "live",
    "broker__credentials": "main",
    "broker__live_trading_confirmed": True,
    "risk_management__max_position_size": 1000,
    "risk_management__max_daily_loss": 500,
}


def raw_config(bot_id: str = "rsi", **changes: Any) -> dict[str, Any]:
    """Return a configuration; `changes` are dotted paths with `__` for the dot."""
    raw: dict[str, Any] = {
        "id": bot_id,
        "name": f"Bot {bot_id}",
        "enabled": True,
        "symbol": "BTCUSDT",
        "broker": {"type": "binance", "trading_mode": "paper", "name": "paper", "cash": 1000.0},
        "strategy": {
            "type": "CustomStrategy",
            "parameters": {
                "entry_logic": {
                    "name": "RSIBBVolumeEntryMixin",
                    "params": {"e_rsi_period": 5, "e_bb_period": 5, "e_bb_dev": 1.5, "e_vol_ma_period": 5},
                },
                "exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 5, "x_sl_multiplier": 1.5}},
            },
        },
        "data": {"data_source": "binance", "interval": "1m", "lookback_bars": 100},
        "trading": {"position_size": 0.5},
        "risk_management": {},
    }
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = raw
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return raw


def bot_row(bot_id: str = "rsi", **changes: Any) -> BotRow:
    """Return a new row with a configuration."""
    raw = raw_config(bot_id, **changes)
    return BotRow(
        bot_id=bot_id,
        uid=str(uuid.uuid4()),
        owner_id="local",
        version=1,
        enabled=bool(raw["enabled"]),
        desired_paused=False,
        config=raw,
    )


@dataclass
class Bench:
    """A fleet on fakes: a market, a broker, a journal with the rows, a notifier.

    Attributes:
        watch: an activity that takes the place of the watch, for tests that say themselves what a watch returns.
        cached: how many workflows a worker keeps in memory.
    """

    client: Client
    market: FakeMarket = field(default_factory=FakeMarket)
    broker: FakeBroker = field(default_factory=FakeBroker)
    exchange: FakeExchange = field(default_factory=FakeExchange)
    journal: FakeJournal = field(default_factory=FakeJournal)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    gate: FakeGate = field(default_factory=FakeGate)
    plugs: Plugs = NO_PLUGINS
    options: WatchOptions = field(default_factory=lambda: WatchOptions(heartbeat_timeout_seconds=5))
    watch: Callable[..., Any] | None = None
    cached: int = 100
    watches: WatchActivities | None = None
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bots = FakeBots(self.journal)
        self.accounts = ExchangeAccounts(self.exchange)
        self.reconciler = Reconciler(self.accounts)

    @property
    def fleet(self) -> Fleet:
        return Fleet(self.client, self.bots, self.options, self.plugs)

    async def start(self, bot_id: str | None = None, **changes: Any) -> "BotUnderTest":
        """Make a row and start its bot."""
        bot = self.add(bot_id, **changes)
        await self.fleet.sync(bot.row)
        return bot

    def add(self, bot_id: str | None = None, **changes: Any) -> "BotUnderTest":
        """Make a row."""
        row = bot_row(bot_id or f"b{uuid.uuid4().hex[:10]}", **changes)
        self.journal.rows[row.bot_id] = row
        self.started.append(row.bot_id)
        return BotUnderTest(self, row.bot_id)

    @asynccontextmanager
    async def worker(self, *, drain: bool = True) -> AsyncIterator[None]:
        """Run a worker; without a drain its watches are lost with it, as when its process dies."""
        with ThreadPoolExecutor(2) as threads:
            watches = WatchActivities(
                self.market, LivenessBoard("test"), threads, self.reconciler, self.gate, plugs=self.plugs
            )
            self.watches = watches
            config = ConfigActivities(self.bots, self.market, self.accounts, self.plugs)
            orders = OrderActivities(BrokerRegistry(paper=self.broker, live=self.exchange), self.gate)
            adoption = AdoptionActivities(self.accounts)
            journal, notify = JournalActivities(self.journal), NotifyActivities(self.notifier)
            # A build id of our own: the SDK would make one from the bytecode of all modules, which takes seconds.
            common: dict[str, Any] = {"build_id": "test"}
            bots: dict[str, Any] = {"max_cached_workflows": self.cached}
            if self.cached:
                bots["sticky_queue_schedule_to_start_timeout"] = timedelta(seconds=1)
            async with (
                Worker(
                    self.client,
                    task_queue=Role.TRADING,
                    workflows=[BotWorkflow],
                    activities=[orders.submit_order, orders.resolve_order, orders.cancel_order, adoption.find_orders],
                    **common,
                    **bots,
                ),
                Worker(
                    self.client,
                    task_queue=Role.MARKET,
                    activities=[self.watch or watches.watch_market, config.prepare],
                    **common,
                ),
                Worker(
                    self.client,
                    task_queue=Role.JOURNAL,
                    activities=[journal.write_journal, config.load_row],
                    **common,
                ),
                Worker(self.client, task_queue=Role.NOTIFY, activities=[notify.notify], **common),
            ):
                yield
                if drain:
                    watches.drain()

    async def cli(self, *arguments: str) -> str:
        """Run the `temporal` program, as a person would, and return what it says."""
        address = self.client.service_client.config.target_host
        process = await asyncio.create_subprocess_exec(
            str(find_temporal()),
            *arguments,
            *("--address", address),
            env=without_temporal(os.environ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(30):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, output.decode()
        return output.decode()

    async def histories(self) -> list[WorkflowHistory]:
        """Return the histories of all runs of all bots of this bench.

        A run that no worker has taken up yet is left out: there is nothing to replay in it, and the replayer waits.
        """
        found = []
        for bot_id in dict.fromkeys(self.started):
            async for run in self.client.list_workflows(f'WorkflowId = "{workflow_id(bot_id)}"'):
                handle = self.client.get_workflow_handle(run.id, run_id=run.run_id)
                history = await handle.fetch_history()
                if any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events):
                    found.append(history)
        return found


@dataclass
class BotUnderTest:
    """One bot on the bench."""

    bench: Bench
    bot_id: str

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.bench.client.get_workflow_handle(workflow_id(self.bot_id))

    @property
    def row(self) -> BotRow:
        return self.bench.journal.rows[self.bot_id]

    async def status(self) -> StatusAnswer:
        answer: StatusAnswer = await self.handle.query(BotWorkflow.status)
        return answer

    async def position(self) -> PositionAnswer:
        answer: PositionAnswer = await self.handle.query(BotWorkflow.position)
        return answer

    async def reaches(self, status: str) -> StatusAnswer:
        """Wait until the bot has a status."""
        return await self.comes(lambda answer: answer.status == status)

    async def comes(self, condition: Callable[[StatusAnswer], bool], seconds: float = 15.0) -> StatusAnswer:
        """Wait until the bot's answer to `status` satisfies something, and return it."""
        answer = await self.status()
        try:
            async with asyncio.timeout(seconds):
                while not condition(answer):
                    await asyncio.sleep(0.03)
                    answer = await self.status()
        except TimeoutError:
            raise AssertionError(f"the bot came no further than {answer}") from None
        return answer

    async def holds(self) -> PositionAnswer:
        """Wait until the bot has a position."""
        return (await self.comes(lambda answer: answer.position.quantity is not None)).position

    async def closed(self, trades: int = 1) -> StatusAnswer:
        """Wait until the bot is flat after so many trades."""
        return await self.comes(lambda answer: answer.trades == trades and answer.position.quantity is None)

    async def begins_after(self, run_id: str | None) -> None:
        """Wait until another run has taken the place of one."""
        async with asyncio.timeout(15):
            while (await self.handle.describe()).run_id == run_id:
                await asyncio.sleep(0.03)

    async def ends(self) -> str:
        """Wait until the workflow has ended, and return what it says."""
        async with asyncio.timeout(15):
            result: str = await self.handle.result()
            return result

    async def edit(self, **changes: Any) -> BotRow:
        """Change columns of the row as a person does, and have the fleet tell the bot."""
        row = self.bench.journal.edit(self.bot_id, **changes)
        await self.bench.fleet.sync(row)
        return row

    async def signal(self, name: str, payload: str | None = None) -> None:
        """Signal the bot with the `temporal` program."""
        given = ("--input", payload) if payload is not None else ()
        await self.bench.cli("workflow", "signal", "--workflow-id", workflow_id(self.bot_id), "--name", name, *given)

    def events(self) -> list[str]:
        return self.bench.journal.events(self.bot_id)

    def journaled(self, kind: type[T]) -> Sequence[T]:
        return self.bench.journal.payloads(self.bot_id, kind)

    async def accepted_updates(self) -> int:
        """Return how many updates the history of the present run has let in."""
        history = await self.handle.fetch_history()
        return sum(event.HasField("workflow_execution_update_accepted_event_attributes") for event in history.events)

    async def events_in_history(self) -> int:
        """Return how many events the history of the present run has."""
        return (await self.handle.describe()).history_length


async def live_bot(bench: Bench, **changes: Any) -> BotUnderTest:
    """Start a bot that trades at the bench's exchange."""
    bot = await bench.start(**LIVE, **changes)
    await bot.reaches("running")
    return bot


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def dec(text: str) -> Decimal:
    return Decimal(text)
