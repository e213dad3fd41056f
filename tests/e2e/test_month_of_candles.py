"""The user's example over a month of real candles: the service gives the trades of an independent calculation.

Real parts throughout: the simulator is read by ccxt's own Binance client, bots are Temporal workflows, trades are read
from PostgreSQL. Only the venue's clock is stepped, so that every candle is judged, as fast as the machine allows.
"""

import copy
import json
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Worker

from activities.config import ConfigActivities
from activities.fleet import Fleet
from activities.journal import JournalActivities, NotifyActivities
from activities.liveness import LivenessBoard
from activities.orders import OrderActivities
from activities.reconciling import Reconciler
from activities.watch import WatchActivities
from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from brokers.paper import PaperBroker
from brokers.registry import BrokerRegistry
from db.bots import BotRepository
from db.journal import JournalRepository
from db.reads import Reads, TradeRecord
from domain.queues import Role, workflow_id
from domain.state import WatchOptions
from market.data import MarketData
from market.settings import MarketSettings
from simulator.clock import ManualClock
from simulator.exchange import Exchange, replayed_market
from simulator.server import start_simulator
from tests.e2e.reference import Expected, Rules, Simulation, read
from tests.support.bots import until
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeGate, FakeNotifier
from tests.support.market_data import BTC_MONTH
from tests.support.stepped import Changes, CountedMarket, CountedVenue, SteppedClock, Stepper
from workflows.bot import BotWorkflow

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "example.json").read_text())
HISTORY = 1_000
# All of the month by default; fewer candles while working on it.
CANDLES = int(os.environ.get("STEADYHAND_TEST_CANDLES", "45031"))


def example(bot_id: str, base_url: str, **risk: float | None) -> dict[str, Any]:
    raw = copy.deepcopy(EXAMPLE)
    raw["id"] = bot_id
    raw["broker"]["base_url"] = base_url
    raw["data"] |= {"interval": "1m", "price_interval_seconds": 20}
    raw["risk_management"] = {key: value for key, value in risk.items() if value is not None}
    return raw


@asynccontextmanager
async def running(client: Client, engine: AsyncEngine, market: CountedMarket) -> AsyncIterator[Fleet]:
    bots, journal = BotRepository(engine), JournalRepository(engine)
    options = WatchOptions(segment_seconds=7_200, heartbeat_timeout_seconds=120)
    async with AsyncExitStack() as stack:
        accounts = ExchangeAccounts(FakeExchange())
        threads = stack.enter_context(ThreadPoolExecutor(2))
        watches = WatchActivities(market, LivenessBoard("test"), threads, Reconciler(accounts), FakeGate())
        config = ConfigActivities(bots, market, accounts)
        activities: dict[Role, Sequence[Any]] = {
            Role.TRADING: [OrderActivities(BrokerRegistry(paper=PaperBroker()), FakeGate()).submit_order],
            Role.MARKET: [watches.watch_market, config.prepare],
            Role.JOURNAL: [JournalActivities(journal).write_journal, config.load_row],
            Role.NOTIFY: [NotifyActivities(FakeNotifier()).notify],
        }
        for role, methods in activities.items():
            flows = [BotWorkflow] if role is Role.TRADING else []
            worker = Worker(client, task_queue=role, activities=methods, workflows=flows, build_id="test")
            await stack.enter_async_context(worker)
        yield Fleet(client, bots, options)
        watches.drain()


async def test_a_month_gives_the_trades_of_an_independent_calculation(temporal: Client, engine: AsyncEngine) -> None:
    data = read(BTC_MONTH)
    clock = ManualClock(int(data.time[HISTORY]))
    exchange = Exchange(clock, [replayed_market("BTCUSDT", BTC_MONTH)])
    async with await start_simulator(exchange) as simulator:
        gateway, changes = Gateway(), Changes()
        stepped = SteppedClock(clock, changes)
        venues: list[CountedVenue] = []

        def venue(ref: Any) -> CountedVenue:
            venues.append(CountedVenue(CcxtData(gateway, ref), changes))
            return venues[-1]

        market_data = MarketData(
            venue, MarketSettings(settle_ms=0, idle_price_factor=None), clock_factory=lambda *_: stepped
        )
        market = CountedMarket(market_data, changes)
        cases = {
            "example": Rules(Decimal("3.0"), Decimal("6.0"), 5),
            "unlimited": Rules(None, None, None),
            "tight": Rules(Decimal("0.3"), Decimal("0.4"), None),
        }
        raws = {
            "example": EXAMPLE["risk_management"],
            "unlimited": {},
            "tight": {"stop_loss_pct": 0.3, "take_profit_pct": 0.4},
        }
        try:
            async with running(temporal, engine, market) as fleet:
                for bot_id, risk in raws.items():
                    await fleet.sync(await BotRepository(engine).create(bot_id, example(bot_id, simulator.url, **risk)))
                await until(lambda: market.waiting == len(raws), seconds=30)
                end = int(data.time[min(CANDLES, len(data.time)) - 1])
                await Stepper(stepped, venues[0], market, changes, bots=len(raws)).run_until(end)
                for bot_id in raws:
                    handle = temporal.get_workflow_handle(workflow_id(bot_id))
                    await handle.signal("stop")
                    await handle.result()
        finally:
            await market_data.close()
            await gateway.close()
    for bot_id, rules in cases.items():
        trades = await Reads(engine).trades(bot_id, limit=100_000)
        simulation = Simulation(data, rules, cash=Decimal("100.0"), fraction=Decimal("0.1"))
        expected = [trade for trade in simulation.run(HISTORY - 1) if data.time[trade.exit_candle] <= end]
        print(f"{bot_id}: {len(expected)} trades, reasons {sorted({trade.reason for trade in expected})}")
        assert_same(sorted(trades, key=lambda trade: trade.entry_time), expected, data.time)


def assert_same(trades: Sequence[TradeRecord], expected: Sequence[Expected], times: Any) -> None:
    assert len(trades) == len(expected)
    for trade, want in zip(trades, expected, strict=True):
        assert trade.exit_time is not None
        entered = int(trade.entry_time.timestamp() * 1000) // 60_000 * 60_000
        left = int(trade.exit_time.timestamp() * 1000) // 60_000 * 60_000
        assert (entered, left) == (times[want.entry_candle], times[want.exit_candle])
        assert (trade.exit_reason, trade.size, trade.exit_price) == (want.reason, want.size, want.exit_fill)
        assert trade.commission == want.commission
        assert abs(trade.net_pnl - want.net_pnl) <= Decimal("1e-8")
