"""From a decision to its paper fill, beside the floor: an activity that ends, followed by an empty activity.

    python -m benchmarks.latency [--round-trips 60] [--live]

With `--live` the order goes to the simulated exchange, through look-up, send protocol and adapter. Both run in turns on
the same worker process and server. The time counts from the return of the watch to the return of `submit_order`, in
the worker.
"""

import argparse
import asyncio
import statistics
import time
import uuid
from typing import Any

from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from activities.orders import SubmitOrder
from benchmarks.floor import Floor, empty, first
from benchmarks.harness import client, emit, live, make_bots, median, raw_bot, servers, store_keys
from domain.queues import Role, workflow_id
from domain.watch import WatchRequest
from settings import Settings
from worker import BUILD_ID, make_workers, services

FLOOR_QUEUE = "floor"
# A live bot that has just begun looks twice at its first orders: a life that was forgotten may have sent them.
_SETTLED = 16.0
WATCHED: dict[str, float] = {}
FILLED: list[float] = []


class Timestamps(Interceptor):
    """Notes when watches return and orders are answered."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put the clock around an activity."""
        return _Timed(next)


class _Timed(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        result = await super().execute_activity(input)
        argument = input.args[0] if input.args else None
        if isinstance(argument, WatchRequest):
            WATCHED[argument.bot_id] = time.perf_counter()
        elif isinstance(argument, SubmitOrder):
            FILLED.append(time.perf_counter() - WATCHED[argument.order.bot_id])
        return result


async def main(round_trips: int, *, on_exchange: bool) -> None:
    """Trade one bot to and fro, with a floor run before each order."""
    name, limit = ("latency-live", 2.0) if on_exchange else ("latency", 1.5)
    async with servers(worker=False) as stack:
        temporal = await client()
        raw = raw_bot("bench")
        if on_exchange:
            await store_keys(stack.database_url)
            raw = live(raw)
        rows = await make_bots(stack.database_url, [raw])
        async with services(Settings(), temporal) as built:
            workers = make_workers(temporal, built, list(Role), max_watches=100, interceptors=[Timestamps()])
            floor = Worker(
                temporal, task_queue=FLOOR_QUEUE, workflows=[Floor], activities=[first, empty], build_id=BUILD_ID
            )
            async with floor, workers[0], workers[1], workers[2], workers[3]:
                await built.fleet.sync(rows[0])
                floors = await _measure(temporal, round_trips)
                built.watches.drain()
    figure, reference = median(FILLED) * 1000, median(floors) * 1000
    for title, values in (("decision to fill", FILLED), ("floor", floors)):
        spread = statistics.quantiles(values, n=20)
        print(f"{title:17} p50 {median(values) * 1000:6.1f} ms   p95 {spread[18] * 1000:6.1f} ms   n {len(values)}")
    emit(name, figure, reference, "ms", limit_ratio=limit, samples=len(FILLED))


async def _measure(temporal: Client, round_trips: int) -> list[float]:
    handle = temporal.get_workflow_handle(workflow_id("bench"))
    while (await handle.query("status"))["status"] != "running":
        await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLED)
    FILLED.clear()
    floors = []
    for _ in range(round_trips):
        for command in ("open_position", "close_position"):
            floors.append(await temporal.execute_workflow(Floor.run, id=uuid.uuid4().hex, task_queue=FLOOR_QUEUE))
            await handle.execute_update(command)
            await asyncio.sleep(0.1)  # let the journal pass, as it would between candles
    return floors


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--round-trips", type=int, default=60)
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    asyncio.run(main(options.round_trips, on_exchange=options.live))
