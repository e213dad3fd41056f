"""Bots that are stuck, because their workflow tasks fail again and again, are begun anew."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.reviving import PROBLEMS, Revival
from domain.errors import StoreUnavailable
from domain.queues import Role
from domain.state import Reconfigure
from tests.support.bots import Bench, BotUnderTest, live_bot, until


@workflow.defn(name="BotWorkflow")
class Broken:
    """What a bot's workflow is like when its code does not fit its history: each of its tasks fails."""

    @workflow.run
    async def run(self, _start: Any) -> str:
        raise RuntimeError("does not fit")


@pytest.fixture
def revival(idle_bench: Bench) -> Revival:
    return Revival(idle_bench.client, idle_bench.fleet, idle_bench.bots, idle_bench.notifier)


async def stuck(bench: Bench, bot: BotUnderTest) -> str:
    """Have every workflow task of a bot fail until Temporal reports it; return the run."""
    worker = Worker(
        bench.client, task_queue=Role.TRADING, workflows=[Broken], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker, asyncio.timeout(60):
        while True:
            # A signal is a new workflow task at once; otherwise the server waits longer after each failure.
            await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
            description = await bot.handle.describe()
            if description.typed_search_attributes.get(PROBLEMS):
                return description.run_id
            await asyncio.sleep(0.1)


async def revived(revival: Revival, bot: BotUnderTest) -> None:
    """Look until the bot is found: Temporal's list lags behind."""
    async with asyncio.timeout(10):
        while bot.bot_id not in await revival.look():
            await asyncio.sleep(0.1)


async def test_a_stuck_bot_goes_on_with_its_position_in_a_new_workflow(idle_bench: Bench, revival: Revival) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench)
        bench.market.dip()
        held = (await bot.holds()).quantity
        await bot.comes(lambda status: status.journal_waiting == 0)
    run = await stuck(bench, bot)
    await revived(revival, bot)
    async with bench.worker():
        assert (await bot.handle.describe()).run_id != run
        assert (await bot.holds()).quantity == held
        bench.market.crash()
        await bot.closed()
    assert len(bench.exchange.accepted) == 2
    assert [notice.kind for notice in bench.notifier.told].count("bot_revived") == 1


async def test_what_it_had_ordered_and_not_journaled_is_adopted(idle_bench: Bench, revival: Revival) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench)
        bench.journal.away = True
        bench.market.dip()
        held = (await bot.holds()).quantity
    await stuck(bench, bot)
    bench.journal.away = False
    await revived(revival, bot)
    async with bench.worker():
        assert (await bot.holds()).quantity == held
        await until(lambda: "order_adopted" in bench.journal.events(bot.bot_id))
    assert len(bench.exchange.accepted) == 1


async def test_one_that_gets_stuck_again_is_given_time(idle_bench: Bench, revival: Revival) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench)
    await stuck(bench, bot)
    await revived(revival, bot)
    run = await stuck(bench, bot)
    assert await revival.look() == []
    assert (await bot.handle.describe()).run_id == run


async def test_bots_that_are_well_are_left_alone(bench: Bench) -> None:
    bot = await live_bot(bench)
    revival = Revival(bench.client, bench.fleet, bench.bots, bench.notifier)
    run = (await bot.handle.describe()).run_id
    assert await revival.look() == []
    assert (await bot.handle.describe()).run_id == run


async def test_one_that_cannot_be_begun_anew_is_not_in_the_way_of_others(
    idle_bench: Bench, revival: Revival, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def revive(bot_id: str) -> bool:
        asked.append(bot_id)
        if bot_id == "first":
            raise StoreUnavailable("the database is away")
        return True

    async def listed(_query: str) -> AsyncIterator[SimpleNamespace]:
        for name in ("bot-first", "bot-second"):
            yield SimpleNamespace(id=name)

    monkeypatch.setattr(revival, "_revive", revive)
    monkeypatch.setattr(revival, "_client", SimpleNamespace(list_workflows=listed))
    assert await revival.look() == ["second"]
    assert asked == ["first", "second"]
