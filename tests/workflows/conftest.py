import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.support.bots import Bench
from tests.support.fakes import ScriptedWatch
from workflows.bot import BotWorkflow


@pytest.fixture(autouse=True)
async def patience() -> AsyncIterator[None]:
    """End a test that waits for ever, such as for an update that nobody answers."""

    def give_up() -> None:
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__name__", "").startswith("test_"):
                task.cancel("the test took longer than a minute")

    alarm = asyncio.get_running_loop().call_later(60, give_up)
    yield
    alarm.cancel()


@pytest.fixture
async def idle_bench(temporal: Client) -> AsyncIterator[Bench]:
    """A bench without a worker. In the end every history that came about is replayed: the code is deterministic."""
    bench = Bench(temporal)
    yield bench
    replayer = Replayer(workflows=[BotWorkflow], data_converter=pydantic_data_converter)
    for history in await bench.histories():
        await replayer.replay_workflow(history)


@pytest.fixture
async def bench(idle_bench: Bench) -> AsyncIterator[Bench]:
    """A bench with a running worker and 60 candles at 100."""
    idle_bench.market.flat(60, 100.0)
    async with idle_bench.worker():
        yield idle_bench


@pytest.fixture
async def scripted(idle_bench: Bench) -> AsyncIterator[tuple[Bench, ScriptedWatch]]:
    """A bench with a worker whose watch returns what the test says."""
    watch = ScriptedWatch()
    idle_bench.watch = watch.watch_market
    async with idle_bench.worker():
        yield idle_bench, watch
