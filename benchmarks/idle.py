"""What a thousand idle paper bots cost one worker process: CPU and memory, 100 of them in a position, prices at 1 Hz.

    python -m benchmarks.idle [--bots 1000] [--held 100] [--seconds 60]

The reference is the limit; the same worker process without bots is measured beside it. CPU is user and system time of
the worker alone, divided by the time that has passed; memory is its resident set at the end.
"""

import argparse
import asyncio
import time

import psutil
from temporalio.client import Client, WorkflowUpdateFailedError

from benchmarks.harness import client, emit, make_bots, raw_bot, servers
from db.bots import BotRepository
from db.engine import make_engine
from domain.queues import workflow_id

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT", "ADA/USDT", "DOGE/USDT", "LTC/USDT")
CPU_LIMIT, RSS_LIMIT_MB = 0.15, 500.0


async def main(bots: int, held: int, seconds: float) -> None:
    """Start the bots, let a part of them buy, and watch the process."""
    async with servers(worker=True) as stack:
        process = psutil.Process(stack.supervisor.pid("worker"))
        empty_cpu, empty_rss = await _measure(process, min(seconds, 20))
        raws = [raw_bot(f"bot{n:05}", symbol=SYMBOLS[n % len(SYMBOLS)]) for n in range(bots)]
        await make_bots(stack.database_url, raws)
        began = time.monotonic()
        stack.supervisor.kill("worker")  # it starts all rows when it comes back
        await _all_watching(stack.database_url, bots)
        print(f"all {bots} bots watch {time.monotonic() - began:.0f} s after the start of the worker")
        await _buy(await client(), held)
        process = psutil.Process(stack.supervisor.pid("worker"))
        await asyncio.sleep(10)
        cpu, rss = await _measure(process, seconds)
    print(f"without bots: {empty_cpu:.3f} of a core, {empty_rss:.0f} MB")
    print(f"with {bots}:  {cpu:.3f} of a core (at most {CPU_LIMIT}), {rss:.0f} MB (at most {RSS_LIMIT_MB:.0f})")
    emit("idle", cpu, CPU_LIMIT, "cores", rss_mb=rss, rss_limit_mb=RSS_LIMIT_MB, empty_cpu=empty_cpu, bots=bots)


async def _measure(process: psutil.Process, seconds: float) -> tuple[float, float]:
    began, used = time.monotonic(), process.cpu_times()
    await asyncio.sleep(seconds)
    spent = process.cpu_times()
    cpu = (spent.user + spent.system - used.user - used.system) / (time.monotonic() - began)
    return cpu, process.memory_info().rss / 1e6


async def _all_watching(database_url: str, bots: int) -> None:
    engine = make_engine(database_url)
    try:
        while True:
            overview = await BotRepository(engine).list_overview()
            watching = sum(bot.last_candle_at is not None for bot in overview)
            if watching == bots:
                return
            await asyncio.sleep(1)
    finally:
        await engine.dispose()


async def _buy(temporal: Client, held: int) -> None:
    for n in range(held):
        try:
            await temporal.get_workflow_handle(workflow_id(f"bot{n:05}")).execute_update("open_position")
        except WorkflowUpdateFailedError as refusal:
            print(f"bot{n:05}: {refusal.cause}")  # its strategy has bought by itself


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bots", type=int, default=1000)
    parser.add_argument("--held", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    asyncio.run(main(options.bots, options.held, options.seconds))
