"""How soon the orders of bots that share a signal are at the exchange.

    python -m benchmarks.burst [--bots 10] [--seconds 60]

Live bots with equal settings trade one account on candles of one second. For every candle on which several of them buy,
the time counts from its close to the acceptance of the last of their orders, both on the exchange's clock. The figure
is the median over the candles on which all of them buy.
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from benchmarks.harness import SIMULATOR_URL, client, eager_bot, emit, live, make_bots, median, servers, store_keys
from db.reads import Reads
from domain.queues import Role
from settings import Settings
from worker import make_workers, services

LIMIT_MS = 1_000.0
# A live bot that has just begun looks twice at its first orders: a life that was forgotten may have sent them.
_SETTLED = 20.0


async def main(bots: int, seconds: float) -> None:
    """Let the bots trade for a while, and read the exchange's ledger."""
    async with servers(worker=False) as stack:
        await store_keys(stack.database_url)
        temporal = await client()
        rows = await make_bots(stack.database_url, [live(eager_bot(f"burst{n:02}")) for n in range(bots)])
        async with services(Settings(), temporal) as built:
            workers = make_workers(temporal, built, list(Role), max_watches=100)
            async with workers[0], workers[1], workers[2], workers[3]:
                await asyncio.gather(*(built.fleet.sync(row) for row in rows))
                await asyncio.sleep(_SETTLED)
                since = (await _ledger())["time"]
                await asyncio.sleep(seconds)
                accepted = {
                    order["clientOrderId"]: order["time"] for order in (await _ledger())["accounts"][0]["orders"]
                }
                built.watches.drain()
            candles = await _candles(Reads(built.engine), [row.bot_id for row in rows])
    delays = _delays(candles, accepted, since, bots)
    if not delays:
        raise SystemExit(f"no candle on which all {bots} bots bought within {seconds:g} s; try more seconds")
    print(f"last of {bots} orders: p50 {median(delays):.0f} ms, most {max(delays):.0f} ms, over {len(delays)} candles")
    emit("burst", median(delays), LIMIT_MS, "ms", most=max(delays), candles=len(delays), bots=bots)


async def _candles(reads: Reads, bot_ids: Sequence[str]) -> dict[str, int]:
    """Return for each purchase when the candle closed whose signal it follows, in milliseconds UTC."""
    records = [record for bot_id in bot_ids for record in await reads.orders(bot_id, limit=10_000)]
    return {
        record.client_order_id: int(record.candle_time.timestamp() * 1_000) + 1_000
        for record in records
        if record.side == "buy"
    }


def _delays(closes: Mapping[str, int], accepted: Mapping[str, int], since: int, bots: int) -> list[float]:
    """Return for each candle on which all bots bought how long the last of their orders took, in milliseconds."""
    by_candle: defaultdict[int, list[int]] = defaultdict(list)
    for name, close in closes.items():
        if close >= since and name in accepted:
            by_candle[close].append(accepted[name] - close)
    return [float(max(delays)) for delays in by_candle.values() if len(delays) == bots]


async def _ledger() -> dict[str, Any]:
    async with aiohttp.ClientSession(SIMULATOR_URL) as session, session.get("/ledger") as response:
        found: dict[str, Any] = await response.json()
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bots", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    asyncio.run(main(options.bots, options.seconds))
