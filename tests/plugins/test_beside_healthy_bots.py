"""Plugins that misbehave beside a hundred bots: these decide in time, and the others' positions keep their stops."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.liveness import LivenessBoard
from activities.reconciling import Reconciler
from activities.watch import WatchActivities
from domain.positions import Book
from domain.watch import WatchRequest, WatchResult
from plugins.plugins import Plugins
from tests.activities.stage import held, request
from tests.domain.builders import dec
from tests.plugins.conftest import Zoo
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeGate, FakeMarket

HEALTHY = 100
IN_TIME = 20.0
"""Seconds in which a hundred healthy bots decide. A tenth of one is enough on an idle machine."""

CATALOGUE = {
    "entry_logic": {
        "name": "RSIBBVolumeEntryMixin",
        "params": {"e_rsi_period": 5, "e_bb_period": 5, "e_vol_ma_period": 5},
    },
    "exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 5, "x_sl_multiplier": 1.5}},
}


@dataclass
class Floor:
    """Watches of many bots on one market."""

    market: FakeMarket
    activities: WatchActivities

    def watch(self, logics: dict[str, Any], book: Book | None = None, **fields: Any) -> "asyncio.Future[WatchResult]":
        settings = {"strategy__parameters": logics, **fields.pop("settings", {})}
        return self.run(request(book, settings=settings, **fields))

    def run(self, wanted: WatchRequest) -> "asyncio.Future[WatchResult]":
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, heartbeat_timeout=timedelta(seconds=60), heartbeat_details=[])
        return asyncio.ensure_future(environment.run(self.activities.watch_market, wanted))

    async def settled(self, count: int) -> None:
        """Wait until so many watches have subscribed and looked once."""
        async with asyncio.timeout(30):
            while self.market.subscribed < count:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)


async def floor(plugins: Plugins) -> AsyncIterator[Floor]:
    """Open a floor; its market has more candles than any of the rules needs."""
    market = FakeMarket()
    for _ in range(200):
        market.add(open_=100.0, high=101.0, low=99.0, close=100.0)
    with ThreadPoolExecutor(2) as threads:
        reconciler = Reconciler(ExchangeAccounts(FakeExchange()))
        board = LivenessBoard("test")
        yield Floor(market, WatchActivities(market, board, threads, reconciler, FakeGate(), plugs=plugins))


MODES = ("raises", "loops", "allocates", "exits", "quits", "nan", "nonsense")


@pytest.mark.parametrize("mode", MODES)
async def test_a_hundred_bots_decide_in_time_beside_those_that_misbehave(zoo: Zoo, mode: str) -> None:
    """Two misbehave, as many as the catalogue has threads. Those that loop are waited for when all have decided."""
    plugins = zoo.open(zoo.module("unruly_one"), call_seconds=8.0)
    async for open_floor in floor(plugins):
        unruly = [open_floor.watch(zoo.logics("unruly_one", mode)) for _ in range(2)]
        healthy = [open_floor.watch(CATALOGUE) for _ in range(HEALTHY)]
        await open_floor.settled(HEALTHY + 2)
        zoo.turn_on()
        open_floor.market.dip()
        decided = await asyncio.wait_for(asyncio.gather(*healthy), IN_TIME)
        assert {result.outcome for result in decided} == {"decision"}
        if mode == "loops":
            assert not any(watch.done() for watch in unruly)
        for failed in await asyncio.wait_for(asyncio.gather(*unruly), 60):
            assert failed.outcome == "failed"
            assert "unruly_one:UnrulyEntry of unruly_one: " in (failed.reason or "")


@pytest.mark.parametrize("mode", ["loops", "forks"])
async def test_a_position_is_sold_at_its_stop_while_its_plugin_is_waited_for(zoo: Zoo, mode: str) -> None:
    plugins = zoo.open(zoo.module("unruly_one"), call_seconds=30.0)
    async for open_floor in floor(plugins):
        market = open_floor.market
        book = held(0, signal_time=market.rows[-1][0], entered_at=market.opening_time)
        logics = zoo.logics("unruly_one", mode)
        running = open_floor.watch(logics, book, settings={"risk_management__stop_loss_pct": 3})
        await open_floor.settled(1)
        zoo.turn_on()
        market.add(open_=100.0, high=100.0, low=100.0, close=100.0)
        await asyncio.sleep(0.3)
        assert not running.done()
        market.tick("96.9")
        result = await asyncio.wait_for(running, 10)
        assert result.decision is not None
        assert (result.decision.reason, result.decision.price) == ("stop_loss", dec(97))
        zoo.close()


async def test_a_position_is_sold_at_its_stop_while_its_plugin_is_being_imported(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_stuck", "while True: pass\n"), start_seconds=60.0)
    async for open_floor in floor(plugins):
        market = open_floor.market
        book = held(0, signal_time=market.rows[-1][0], entered_at=market.opening_time)
        settings = {"risk_management__stop_loss_pct": 3}
        running = open_floor.watch(zoo.logics("unruly_stuck", ""), book, settings=settings)
        await open_floor.settled(1)
        market.tick("96.9")
        result = await asyncio.wait_for(running, 10)
        assert result.decision is not None
        assert result.decision.reason == "stop_loss"
        zoo.close()


async def test_one_plugin_does_not_wait_for_another(zoo: Zoo) -> None:
    """One loops; another's bot decides meanwhile, and so does one whose exit alone is of a third."""
    names = [zoo.module(name) for name in ("unruly_one", "unruly_two", "unruly_three")]
    plugins = zoo.open(*names, call_seconds=20.0)
    async for open_floor in floor(plugins):
        stuck = open_floor.watch(zoo.logics("unruly_one", "loops"))
        other = open_floor.watch(zoo.logics("unruly_two", ""))
        mixed = open_floor.watch(CATALOGUE | {"exit_logic": zoo.logics("unruly_three", "")["exit_logic"]})
        await open_floor.settled(3)
        zoo.turn_on()
        open_floor.market.dip()
        for result in await asyncio.wait_for(asyncio.gather(other, mixed), 15):
            assert result.outcome == "decision"
            assert result.decision is not None
            assert result.decision.exit_state is not None
        assert not stuck.done()
        zoo.close()
        assert (await asyncio.wait_for(stuck, 10)).outcome == "failed"


async def test_bots_of_a_stuck_plugin_are_guarded_rather_than_left_in_its_queue(zoo: Zoo) -> None:
    """Twelve bots whose every call takes the whole budget of 0.6 s: who waits longer than ten of them fails at once."""
    plugins = zoo.open(zoo.module("unruly_one"), call_seconds=0.6)
    async for open_floor in floor(plugins):
        watches = [open_floor.watch(zoo.logics("unruly_one", "loops")) for _ in range(12)]
        await open_floor.settled(12)
        zoo.turn_on()
        open_floor.market.dip()
        results = await asyncio.wait_for(asyncio.gather(*watches), 40)
        assert {result.outcome for result in results} == {"failed"}
        assert any("PluginBusy: unruly_one is busy" in (result.reason or "") for result in results)


async def test_a_result_says_which_plugins_were_asked(zoo: Zoo) -> None:
    plugins = zoo.open(zoo.module("unruly_one"))
    async for open_floor in floor(plugins):
        mixed = CATALOGUE | {"exit_logic": zoo.logics("unruly_one", "")["exit_logic"]}
        running, plain = open_floor.watch(mixed), open_floor.watch(CATALOGUE)
        await open_floor.settled(2)
        open_floor.market.dip()
        result = await asyncio.wait_for(running, 10)
        assert result.plugins is not None
        assert list(result.plugins) == ["exit"]
        assert result.plugins["exit"].startswith("unruly_one source ")
        assert "plugins" not in (await plain).model_dump()
