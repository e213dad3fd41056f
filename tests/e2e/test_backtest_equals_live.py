"""A backtest of a candle file makes the trades that the service has made on a venue that replays the same file.

Real parts throughout, as in test_month_of_candles.py: bots are Temporal workflows, and their trades are read from
PostgreSQL. The venue's clock is stepped.
"""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from backtest.books import ClosedTrade
from backtest.engine import backtest
from backtest.history import history_of
from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from db.bots import BotRepository
from db.reads import Reads, TradeRecord
from domain.config import parse_config
from domain.queues import workflow_id
from market.data import MarketData
from market.settings import MarketSettings
from simulator.clock import ManualClock
from simulator.exchange import Exchange, replayed_market
from simulator.server import start_simulator
from strategies.registry import build_strategy
from tests.domain.builders import instrument
from tests.e2e.test_month_of_candles import running
from tests.strategies.reference import real_candles
from tests.support.bots import until
from tests.support.market_data import BTC_MONTH
from tests.support.stepped import Changes, CountedMarket, CountedVenue, SteppedClock, Stepper

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "example.json").read_text())
FIRST, CANDLES = 7_500, 300
MINUTE_MS = 60_000

PARTS = {"k_init": 1.5, "pt_levels_R": [0.3, 0.6, 1.2], "pt_sizes": [0.3, 0.04, 0.66]}
OFTEN = {"left": "rsi(7)", "op": "crosses_above", "right": 40}
RISING = {"all": [OFTEN, {"left": "close", "op": ">", "right": "sma(10)@5m"}]}
LEAVE = {"any": [{"left": "minutes_held", "op": ">=", "right": 20}, {"left": "profit_pct", "op": ">=", "right": 0.3}]}

BOTS: dict[str, dict[str, Any]] = {
    "parts": {
        "entry_logic": {"name": "RSIOrBBEntryMixin", "params": {"e_rsi_cross": True, "e_bb_reentry": True}},
        "exit_logic": {"name": "AdvancedATRExitMixin", "params": PARTS | {"use_htf_atr": False}},
    },
    "parts-and-limits": {
        "entry_logic": {"name": "RuleEntryMixin", "params": {"rule": OFTEN}},
        "exit_logic": {"name": "AdvancedATRExitMixin", "params": PARTS | {"htf": "5m", "alpha_htf": 0.5}},
        "risk_management": {"stop_loss_pct": 0.3, "take_profit_pct": 0.25, "cooldown_minutes": 3},
        "max_positions": 2,
    },
    "rules": {
        "entry_logic": {"name": "RuleEntryMixin", "params": {"rule": RISING}},
        "exit_logic": {"name": "RuleExitMixin", "params": {"rule": LEAVE, "stop": "peak - 3 * atr(14)"}},
    },
    "minutes": {
        "entry_logic": {
            "name": "BBVolumeSuperTrendEntryMixin",
            "params": {"e_st_multiplier": 5.0, "e_bb_dev": 1.0, "e_use_bb_touch": False},
        },
        "exit_logic": {"name": "TimeBasedExitMixin", "params": {"x_use_time": True, "x_max_minutes": 15.0}},
    },
    "table": {
        "entry_logic": {"name": "RSIBBEntryMixin", "params": {"e_rsi_oversold": 40, "e_cooldown_bars": 3}},
        "exit_logic": {"name": "RoiTableExitMixin", "params": {"x_roi": {"0": 0.004, "10": 0.001, "25": -1}}},
        "risk_management": {"stop_loss_pct": 0.4},
        "max_positions": 2,
    },
}


def written(name: str, base_url: str) -> dict[str, Any]:
    """Return a configuration of 1000 quote, of which each entry spends a tenth."""
    raw, wanted = copy.deepcopy(EXAMPLE), BOTS[name]
    raw["id"] = name
    raw["broker"] |= {"base_url": base_url, "cash": 1000}
    raw["strategy"]["parameters"] |= {key: wanted[key] for key in ("entry_logic", "exit_logic")}
    raw["data"] |= {"interval": "1m", "price_interval_seconds": 20}
    raw["trading"]["max_positions"] = wanted.get("max_positions", 1)
    raw["risk_management"] = wanted.get("risk_management", {})
    return raw


async def test_a_backtest_makes_the_trades_of_the_service(temporal: Client, engine: AsyncEngine) -> None:
    times = real_candles().open_time
    url = await live_through(temporal, engine, begin=times.item(FIRST), end=times.item(FIRST + CANDLES))
    reasons: set[str | None] = set()
    for name in BOTS:
        live = [told_live(trade) for trade in await Reads(engine).trades(name, limit=10_000)]
        ours = [told(trade) for trade in trades_of_backtest(name, url)]
        assert_same(name, sorted(live), ours, end=times.item(FIRST + CANDLES))
        reasons |= {reason for *_, reason in ours}
    assert {"AdvancedATRExitMixin", "partial_take", "stop_loss", "take_profit", "TimeBasedExitMixin"} <= reasons


async def live_through(temporal: Client, engine: AsyncEngine, *, begin: int, end: int) -> str:
    """Have all bots trade from one moment to another; return the venue's address."""
    clock = ManualClock(begin)
    exchange = Exchange(clock, [replayed_market("BTCUSDT", BTC_MONTH)])
    async with await start_simulator(exchange) as simulator:
        gateway, changes = Gateway(), Changes()
        stepped = SteppedClock(clock, changes)
        venues: list[CountedVenue] = []

        def venue(ref: Any) -> CountedVenue:
            venues.append(CountedVenue(CcxtData(gateway, ref), changes))
            return venues[-1]

        data = MarketData(venue, MarketSettings(settle_ms=0, idle_price_factor=None), clock_factory=lambda *_: stepped)
        market = CountedMarket(data, changes)
        try:
            async with running(temporal, engine, market) as fleet:
                for name in BOTS:
                    await fleet.sync(await BotRepository(engine).create(name, written(name, simulator.url)))
                await until(lambda: market.waiting == len(BOTS), seconds=30)
                await Stepper(stepped, venues[0], market, changes, bots=len(BOTS)).run_until(end)
                for name in BOTS:
                    handle = temporal.get_workflow_handle(workflow_id(name))
                    await handle.signal("stop")
                    await handle.result()
        finally:
            await data.close()
            await gateway.close()
        return simulator.url


def trades_of_backtest(name: str, url: str) -> tuple[ClosedTrade, ...]:
    config, candles = parse_config(written(name, url)), real_candles()[: FIRST + CANDLES + 1]
    strategy = build_strategy(config.strategy)
    warmup, start = strategy.warmup_at(config.data.interval), candles.open_time.item(FIRST)
    history = history_of(candles, config.data.interval, warmup=warmup, start=start)
    return backtest(config, instrument(), strategy, history).trades


Told = tuple[int, int, Decimal, Decimal, Decimal, Decimal, Decimal, str | None]
"""The open times of the candles of entry and exit, size, prices, commission, net profit, and the reason."""


def told(trade: ClosedTrade) -> Told:
    figures = (trade.size, trade.entry_price, trade.exit_price, trade.commission, trade.net_pnl)
    return (trade.entry_time, trade.exit_time, *figures, trade.exit_reason)


def told_live(trade: TradeRecord) -> Told:
    assert trade.exit_time is not None
    assert trade.exit_price is not None
    entered, left = (
        round(moment.timestamp() * 1000) // MINUTE_MS * MINUTE_MS for moment in (trade.entry_time, trade.exit_time)
    )
    figures = (trade.size, trade.entry_price, trade.exit_price, trade.commission, trade.net_pnl)
    return (entered, left, *figures, trade.exit_reason)


def assert_same(name: str, live: list[Told], ours: list[Told], *, end: int) -> None:
    """Compare trades that were closed before the last candle, which live bots have seen the open of only."""
    expected, found = ([each for each in trades if each[1] < end] for trades in (live, ours))
    print(f"{name}: {len(expected)} trades")
    assert len(expected) >= 4
    assert [(each[:2], each[-1]) for each in found] == [(each[:2], each[-1]) for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert all(abs(a - b) <= Decimal("1e-8") for a, b in zip(one[2:7], other[2:7], strict=True)), (one, other)
