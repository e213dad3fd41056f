"""A plugin that is changed while a position is open: the trade says which version was its entry, and which its exit."""

import asyncio
from hashlib import sha256
from typing import Any

from temporalio.client import Client

from domain.journal import TradeEntry
from tests.plugins.conftest import Zoo
from tests.support.bots import Bench, until

MODULE = """
from unruly_logics import UnrulyEntry as Entry, UnrulyExit as Exit


class UnrulyEntry(Entry):
    pass


class UnrulyExit(Exit):
    pass


VERSION = {version}
"""


async def test_a_trade_says_which_version_was_its_entry_and_which_its_exit(temporal: Client, zoo: Zoo) -> None:
    first, second = (MODULE.format(version=version) for version in (1, 2))
    bench = Bench(temporal, plugs=zoo.open(zoo.module("unruly_new", first)))
    bench.market.flat(200, 100.0)
    logics: dict[str, Any] = {
        f"strategy__parameters__{key}": logic for key, logic in zoo.logics("unruly_new", "exits").items()
    }
    async with bench.worker():
        bot = await bench.start(**logics)
        await bot.comes(lambda answer: answer.status == "running", seconds=40)
        async with asyncio.timeout(40):
            while not bench.market.subscribed:
                await asyncio.sleep(0.05)
        bench.market.dip()
        await bot.comes(lambda answer: answer.position.quantity is not None, seconds=40)
        zoo.module("unruly_new", second)
        zoo.turn_on()  # its process ends, and the next one loads what is there now
        bench.market.add(open_=90.0, high=90.0, low=90.0, close=90.0)
        await bot.comes(lambda answer: answer.status == "error", seconds=40)
        zoo.turn_off()
        await bot.comes(lambda answer: answer.status == "running", seconds=40)
        bench.market.crash()
        await bot.comes(lambda answer: answer.trades == 1, seconds=40)
        await until(lambda: bool(bot.journaled(TradeEntry)))
    [trade] = bot.journaled(TradeEntry)
    assert trade.plugins == {
        "entry": f"unruly_new source {digest(first)}",
        "exit": f"unruly_new source {digest(second)}",
    }


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
