"""How many Temporal events an idle watch segment and a round trip cost.

    python -m benchmarks.events

The round trip is one of a strategy's own: bought on a candle, sold on a candle, journaled and notified.
"""

import asyncio
from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus

from activities.fleet import Fleet
from benchmarks.harness import client, eager_bot, emit, make_bots, raw_bot, servers
from db.bots import BotRepository
from domain.queues import Role, workflow_id
from domain.state import WatchOptions
from settings import Settings
from worker import make_workers, services

SEGMENT = 2.0
SEGMENTS = 5
IDLE_LIMIT, ROUND_TRIP_LIMIT = 7, 70


async def main() -> None:
    """Let one bot idle through short segments, and another trade on loose settings; count their events."""
    async with servers(worker=False) as stack:
        temporal = await client()
        rows = await make_bots(stack.database_url, [raw_bot("idle", interval="1d"), eager_bot("eager")])
        settings = Settings(segment_seconds=SEGMENT)
        async with services(settings, temporal) as built:
            workers = make_workers(temporal, built, list(Role), max_watches=100)
            async with workers[0], workers[1], workers[2], workers[3]:
                await built.fleet.sync(rows[0])
                idle = await _idle_events(temporal)
                print(f"an idle segment: {idle:.2f} events (at most {IDLE_LIMIT})")
                # Its segments are of the usual length: how long it holds has no price in events.
                await Fleet(temporal, BotRepository(built.engine), WatchOptions()).sync(rows[1])
                trip = await _round_trip_events(temporal)
                print(f"a round trip: {trip:.1f} events (at most {ROUND_TRIP_LIMIT})")
                built.watches.drain()
    emit("events", trip, ROUND_TRIP_LIMIT, "events", idle_segment=idle, idle_limit=IDLE_LIMIT)


async def _idle_events(temporal: Client) -> float:
    """Return the events that one more segment adds, over several."""
    handle = temporal.get_workflow_handle(workflow_id("idle"))
    while (await handle.query("status"))["status"] != "running":
        await asyncio.sleep(0.1)
    await asyncio.sleep(SEGMENT * 2)  # the journal of the start has been written
    before = await _events(temporal, "idle")
    await asyncio.sleep(SEGMENT * SEGMENTS)
    added = (await _events(temporal, "idle"))[len(before) :]
    segments = sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for event in added)
    return len(added) / segments


async def _round_trip_events(temporal: Client, trips: int = 4) -> float:
    """Return the events between the ends of round trips, segments that ended meanwhile included."""
    handle = temporal.get_workflow_handle(workflow_id("eager"))
    counts: list[int] = []
    seen = -1
    while len(counts) <= trips:
        trades = (await handle.query("status"))["trades"]
        if trades != seen:
            await asyncio.sleep(0.2)
            counts.append(len(await _events(temporal, "eager")))
            seen = trades
        await asyncio.sleep(0.05)
    return (counts[-1] - counts[0]) / (len(counts) - 1)


async def _events(temporal: Client, bot_id: str) -> Sequence[HistoryEvent]:
    handle = temporal.get_workflow_handle(workflow_id(bot_id))
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    return [event async for event in handle.fetch_history_events()]


if __name__ == "__main__":
    asyncio.run(main())
