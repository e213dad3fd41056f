"""A configuration that is in force is given once more: the row, whose triggers see no change, keeps its version."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from db.engine import transaction
from db.tables import TradingBot
from domain.state import Reconfigure
from tests.support.live import EAGER, LiveBot, live_stage

PARAMS = "strategy__parameters__entry_logic__params"
NEVER_BUYS = {PARAMS: EAGER[PARAMS] | {"e_min_volume_ratio": 100}}


@pytest.fixture
async def bot(temporal: Client, engine: AsyncEngine, database_url: str, tmp_path: Path) -> AsyncIterator[LiveBot]:
    """A bot that never buys, with 1,000 USDT; its row shows the first version."""
    async with live_stage(temporal, engine, database_url, tmp_path) as stage:
        bot = await stage.add_bot("repeated", live=False, broker__cash=1000.0, **NEVER_BUYS)
        await bot.comes(lambda status: status.observed_version == 1 and status.journal_waiting == 0)
        yield bot


async def journaled(bot: LiveBot) -> int:
    """Return the number of the last entry that the bot's row has seen."""
    async with transaction(bot.stage.engine) as connection:
        return int((await connection.execute(select(TradingBot.journal_n))).scalar_one())


@pytest.mark.parametrize("by", ["signal", "update"])
@pytest.mark.parametrize("cash", [pytest.param(1000.0, id="to-the-letter"), pytest.param(1000, id="1000-for-1000.0")])
async def test_an_edit_after_a_repeated_configuration_is_in_force(bot: LiveBot, by: str, cash: float) -> None:
    raw = (await bot.row()).config
    again = raw | {"broker": raw["broker"] | {"cash": cash}}
    before = await journaled(bot)
    if by == "signal":
        await bot.handle.signal("reconfigure", Reconfigure(config=again))
    else:
        await bot.handle.execute_update("set_config", again)
    await bot.comes(lambda status: status.journal_waiting == 0)
    while await journaled(bot) == before:
        await bot.status()
    assert (await bot.row()).version == 1

    await bot.edit(broker={"cash": 1200})
    assert (await bot.row()).version == 2
    status = await bot.comes(lambda status: status.position.cash == 1200, seconds=15)
    assert (status.version, status.observed_version) == (2, 2)
