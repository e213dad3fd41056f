"""Bots of plugins that misbehave, as workflows: their error state, their guarded stop, and their recovery."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client

from activities.fleet import Fleet
from domain.journal import TradeEntry
from plugins.lane import Lane
from plugins.plugins import Plugins
from tests.plugins.conftest import Zoo
from tests.support.bots import Bench, BotUnderTest, until

# What each plugin does, and what its bot then says of it.
MODES = {
    "raises": "ZeroDivisionError: a bad mood (unruly_logics.py:",
    "loops": "no answer within 3 s; its process was killed",
    "allocates": "its process was killed",
    "exits": "its process broke off: it exited with code 3",
    "quits": "SystemExit: 4",
    "nan": "'trend' is not a number on candle",
    "nonsense": "checks must give a tuple of Check; gave 'sell!'",
}


@pytest.fixture
async def bench(temporal: Client, zoo: Zoo) -> AsyncIterator[Bench]:
    """A bench whose worker may load a plugin for each mode."""
    plugins = zoo.open(*(zoo.module(f"unruly_{mode}") for mode in (*MODES, "prints")))
    bench = Bench(temporal, plugs=plugins)
    bench.market.flat(200, 100.0)
    async with bench.worker():
        yield bench


async def holding(bench: Bench, zoo: Zoo, *modes: str) -> dict[str, BotUnderTest]:
    """Return bots with positions, one for each mode; and `well`, one of the catalogue."""
    bots = {mode: await bench.start(**unruly(zoo, mode)) for mode in modes}
    bots["well"] = await bench.start()
    for bot in bots.values():
        await bot.comes(lambda answer: answer.status == "running", seconds=40)
    await settled(bench, len(bots))
    bench.market.dip()
    for bot in bots.values():
        await bot.comes(lambda answer: answer.position.quantity is not None, seconds=40)
    return bots


async def settled(bench: Bench, count: int) -> None:
    """Wait until all watch: their plugins are there."""
    async with asyncio.timeout(40):
        while bench.market.subscribed < count:
            await asyncio.sleep(0.05)


async def reasons(bot: BotUnderTest) -> list[str]:
    """Wait until a trade is in the journal, and return why each was closed."""
    await until(lambda: bool(bot.journaled(TradeEntry)))
    return [entry.trade.exit_reason for entry in bot.journaled(TradeEntry)]


def unruly(zoo: Zoo, mode: str) -> dict[str, Any]:
    return {f"strategy__parameters__{key}": logic for key, logic in zoo.logics(f"unruly_{mode}", mode).items()}


async def test_each_reaches_the_error_state_and_keeps_its_stop_while_the_others_trade(bench: Bench, zoo: Zoo) -> None:
    """The dip bought at 90.05 puts the stop of the exit rule at 87: watched by price, once the rule has failed."""
    bots = await holding(bench, zoo, *MODES)
    well = bots.pop("well")
    zoo.turn_on()
    bench.market.add(open_=90.0, high=90.0, low=90.0, close=90.0)
    for mode, bot in bots.items():
        status = await bot.comes(lambda answer: answer.status == "error", seconds=40)
        assert MODES[mode] in (status.last_error or ""), mode
        assert status.position.quantity is not None
    assert (await well.status()).status == "running"
    bench.market.tick("86.5")
    for bot in bots.values():
        await bot.comes(lambda answer: answer.trades == 1, seconds=40)
        assert await reasons(bot) == ["last_stop"]
    assert (await well.status()).trades == 0
    bench.market.crash()
    assert (await well.closed()).status == "running"


async def test_one_works_again_when_its_plugin_does(bench: Bench, zoo: Zoo) -> None:
    bot = (await holding(bench, zoo, "exits"))["exits"]
    zoo.turn_on()
    bench.market.add(open_=90.0, high=90.0, low=90.0, close=90.0)
    await bot.comes(lambda answer: answer.status == "error", seconds=40)
    zoo.turn_off()
    await bot.comes(lambda answer: answer.status == "running", seconds=40)
    await until(lambda: "recovered" in bot.events())
    bench.market.crash()
    await bot.comes(lambda answer: answer.trades == 1, seconds=40)
    assert await reasons(bot) == ["unruly_exits:UnrulyExit"]


async def test_one_that_prints_megabytes_trades_all_the_same(bench: Bench, zoo: Zoo) -> None:
    bot = (await holding(bench, zoo, "prints"))["prints"]
    zoo.turn_on()
    bench.market.crash()
    answer = await bot.comes(lambda answer: answer.trades == 1, seconds=40)
    assert answer.status == "running"


async def test_a_plugin_that_cannot_be_loaded_is_refused_with_the_configuration(temporal: Client, zoo: Zoo) -> None:
    zoo.module("unruly_raises", "raise RuntimeError('no such model file')\n")
    bench = Bench(temporal, plugs=zoo.open("unruly_raises"))
    async with bench.worker():
        bot = bench.add(**unruly(zoo, "raises"))
        refusal = await bench.fleet.sync(bot.row)
    assert refusal is not None
    assert "strategy.parameters.entry_logic.name: unruly_raises:UnrulyEntry of unruly_raises: RuntimeError" in refusal
    assert (bot.row.status, bot.row.last_error) == ("error", refusal)


class Busy(Plugins):
    """Plugins that are waited for in a lane of the test's."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(modules=["unruly_raises"])
        self.lane = lane

    def executor(self, strategy: Any) -> Lane:
        return self.lane


async def test_a_plugin_that_has_no_time_keeps_no_bot_from_being_started(bench: Bench, zoo: Zoo) -> None:
    """The fleet cannot have the configuration checked in time, so the bot is started, and has it checked itself."""
    bot = bench.add(**unruly(zoo, "raises"))
    with Lane("unruly_raises", patience_seconds=-1) as lane:
        fleet = Fleet(bench.client, bench.bots, bench.options, Busy(lane))
        assert await fleet.sync(bot.row) is None
    await bot.comes(lambda answer: answer.status == "running", seconds=40)
