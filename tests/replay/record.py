"""Record the lives that the tests replay: `python -m tests.replay.record [LIFE…]`, from the root of the repository.

Run it when a change of the workflow is meant, guarded by `workflow.patched` or not yet released. Each life is played on
a server of its own, with fakes around the workflow; its runs are written to `histories/` as Temporal exports them,
without what would tell of the machine that they were recorded on.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.errors import VenueUnavailable
from domain.state import Reconfigure
from tests.support.bots import LIVE, Bench, BotUnderTest, raw_config
from tests.support.temporal import temporal_server

HISTORIES = Path(__file__).parent / "histories"


async def round_trip(bench: Bench) -> BotUnderTest:
    """Buy a dip, sell at the exit rule's stop, be paused and resumed, be stopped."""
    bot = await bench.start("round-trip")
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    await bot.handle.signal("pause")
    await bot.reaches("paused")
    bench.market.crash()
    await bot.closed()
    await bot.handle.signal("resume")
    await bot.reaches("running")
    await bot.handle.signal("stop")
    await bot.ends()
    return bot


async def new_versions(bench: Bench) -> BotUnderTest:
    """Be reconfigured by row, update and signal with a position, be given nonsense, end with the row's deletion."""
    bot = await bench.start("new-versions")
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    await bot.edit(config=raw_config(bot.bot_id, risk_management__stop_loss_pct=2))
    await bot.comes(lambda status: status.version == 2)
    await bot.edit(config=raw_config(bot.bot_id, symbol="NOPE/USDT"))
    await bot.comes(lambda status: status.rejected_version == 3)
    await bot.handle.execute_update(
        "set_config", raw_config(bot.bot_id, broker__cash=1500, risk_management__stop_loss_pct=2)
    )
    await bot.comes(lambda status: status.version == 4)
    bench.market.tick("97")
    await bot.closed()
    del bench.journal.rows[bot.bot_id]
    await bot.handle.signal("reconfigure", Reconfigure())
    await bot.ends()
    return bot


async def troubles(bench: Bench) -> BotUnderTest:
    """Wait for the venue, lose the database and two workers, have a sale refused, be cancelled."""
    bench.market.unavailable = VenueUnavailable("the venue is away", retry_after=0.2)
    async with bench.worker():
        bot = await bench.start("troubles", trading__on_stop="close_position")
        await bot.reaches("starting")
        bench.market.unavailable = None
        await bot.reaches("running")
        bench.journal.away = True
        bench.market.dip()
        await bot.holds()
    async with bench.worker(drain=False):
        await bench.fleet.sync(bot.row, rewatch=True)
        bench.broker.refusal = "not now"
        bench.market.crash()
        await bot.reaches("error")
    async with bench.worker():
        bench.broker.refusal = None
        bench.journal.away = False
        await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
        await bot.closed()
        await bot.handle.cancel()
        await bot.ends()
    return bot


async def resting(bench: Bench) -> BotUnderTest:
    """Buy live at a limit, in two parts, be protected at the exchange, sell before that stop is reached."""
    changes = {"trading__entry_order": "limit", "risk_management__exchange_stop": True}
    bot = await bench.start("resting", **LIVE, **changes, risk_management__stop_loss_pct=5)
    await bot.reaches("running")
    bench.market.dip()
    await bot.comes(lambda status: bool(status.resting))
    (offer,) = bench.exchange.resting
    bench.exchange.fill_part(offer.report.client_order_id, Decimal(1))
    await bot.comes(lambda status: status.position.quantity == 1)
    bench.exchange.complete()
    await bot.comes(lambda status: [order.type for order in status.resting] == ["stop"])
    bench.market.crash()
    await bot.closed()
    await bot.handle.signal("stop")
    await bot.ends()
    return bot


LIVES: tuple[tuple[Callable[[Bench], Awaitable[BotUnderTest]], bool], ...] = (
    (round_trip, True),
    (new_versions, True),
    (troubles, False),
    (resting, True),
)


async def play(client: Client, life: Callable[[Bench], Awaitable[BotUnderTest]], *, worker: bool) -> Bench:
    """Play one life and return its bench; `worker` says whether it is to have one all the time."""
    bench = Bench(client)
    bench.market.flat(30, 100.0)
    if not worker:
        await life(bench)
        return bench
    async with bench.worker():
        await life(bench)
    return bench


def anonymous(value: Any) -> Any:
    """Return a history without traces of the machine: who took a task, and where code lay that raised."""
    if isinstance(value, dict):
        return {name: anonymous(item) for name, item in value.items() if name not in {"stackTrace", "identity"}}
    return [anonymous(item) for item in value] if isinstance(value, list) else value


def write(name: str, histories: list[WorkflowHistory]) -> None:
    """Write the runs of a life, oldest first."""
    histories.sort(key=lambda history: history.events[0].event_time.ToNanoseconds())
    for number, history in enumerate(histories, start=1):
        text = json.dumps(anonymous(json.loads(history.to_json())), separators=(",", ":"))
        (HISTORIES / f"{name}.{number}.json").write_text(text.replace('{"eventId"', '\n{"eventId"') + "\n")


async def main(wanted: Collection[str]) -> None:
    """Record lives anew, all of them unless some are named."""
    HISTORIES.mkdir(exist_ok=True)
    async with temporal_server() as environment:
        address = environment.client.service_client.config.target_host
        client = await Client.connect(address, data_converter=pydantic_data_converter, identity="recorder")
        for life, worker in LIVES:
            name = life.__name__.replace("_", "-")
            if not wanted or name in wanted:
                for old in HISTORIES.glob(f"{name}.*.json"):
                    old.unlink()
                bench = await play(client, life, worker=worker)
                write(name, await bench.histories())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
