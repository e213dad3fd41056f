"""What the adapter adds to an order: sent by it, beside the same order by bare ccxt, against the simulated exchange.

    python -m benchmarks.adapter [--orders 200]

Both send in turns to the same exchange, in a process of its own. The time counts from the request to the report with
all its fills.
"""

import argparse
import asyncio
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.harness import ROOT, emit, median
from brokers.ccxt_data import CcxtData
from brokers.ccxt_spot import CcxtBroker
from brokers.gateway import Gateway
from brokers.opening import new_exchange, new_session
from domain.credentials import Credentials
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.orders import OrderIntent, OrderRequest, Side
from domain.ports import SendWindow

KEY, SECRET = "key-of-main", "secret-of-main"
QUANTITY = Decimal("0.001")
LIMIT_MS = 3.0


class OneKey:
    """A vault with the key of the simulated account."""

    async def get(self, name: str) -> Credentials:
        """Return it, whatever it is called."""
        del name
        return Credentials(venue="binance", api_key=SecretStr(KEY), secret=SecretStr(SECRET))


@asynccontextmanager
async def simulator() -> AsyncIterator[str]:
    """Run the exchange as a process, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    account = f"{KEY}:{SECRET}:USDT=100000000,BTC=1000"
    argv = ["-m", "simulator", "--port", str(port), "--seed", "7", "--account", account]
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        await process.stdout.readline()  # it says where it is once it serves
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def request(account: AccountRef, instrument: Instrument, side: Side) -> OrderRequest:
    """Return a market order under a new id."""
    intent = OrderIntent(
        client_order_id="s" + uuid.uuid4().hex[:17],
        sequence=1,
        symbol=instrument.symbol,
        side=side,
        quantity=QUANTITY,
        reference_price=Decimal(1),
        reason="benchmark",
        decision_key="",
        decided_at=0,
        candle_time=0,
        config_version=1,
    )
    cash, holding = Decimal(1), Decimal(1)
    return OrderRequest(
        bot_id="bench", intent=intent, instrument=instrument, account=account, cash=cash, holding=holding
    )


async def measure(url: str, orders: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each order, by the adapter and by bare ccxt."""
    venue = VenueRef(name="binance", base_url=url)
    account = AccountRef(venue=venue, credentials="main")
    gateway, session = Gateway(vault=OneKey()), await new_session()
    bare: Any = await new_exchange(venue, session, timeout_seconds=10, keys={"apiKey": KEY, "secret": SECRET})
    broker = CcxtBroker(gateway)
    by_adapter, by_ccxt = [], []
    try:
        instrument = await CcxtData(gateway, venue).instrument("BTC/USDT", "1m")
        await bare.load_markets()
        await broker.find(request(account, instrument, "buy"))
        for number in range(orders + 5):
            side: Side = "buy" if number % 2 else "sell"
            order = request(account, instrument, side)
            began = time.perf_counter()
            report = await broker.submit(order, SendWindow(opened=time.time(), closes=time.time() + 15))
            between = time.perf_counter()
            params = {"newClientOrderId": "x" + uuid.uuid4().hex[:17]}
            await bare.create_order(instrument.symbol, "market", side, float(QUANTITY), None, params)
            ended = time.perf_counter()
            assert report.filled_quantity == QUANTITY
            if number >= 5:  # connections and caches are warm
                by_adapter.append(between - began)
                by_ccxt.append(ended - between)
    finally:
        await gateway.close()
        await bare.close()
        await session.close()
    return by_adapter, by_ccxt


async def accepted(url: str) -> int:
    """Return how many orders the exchange has accepted."""
    async with aiohttp.ClientSession(url) as session, session.get("/ledger") as answer:
        return sum(len(account["orders"]) for account in (await answer.json())["accounts"])


async def main(orders: int) -> None:
    """Send, count and compare."""
    async with simulator() as url:
        by_adapter, by_ccxt = await measure(url, orders)
        assert await accepted(url) == 2 * (orders + 5), "each order once"
    figure, reference = median(by_adapter) * 1000, median(by_ccxt) * 1000
    paired = median([ours - theirs for ours, theirs in zip(by_adapter, by_ccxt, strict=True)]) * 1000
    print(f"adapter {figure:.2f} ms, bare ccxt {reference:.2f} ms, {paired:+.2f} ms for the same order")
    emit("adapter", figure, reference, "ms", added=paired, limit_added=LIMIT_MS, samples=orders)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=200)
    asyncio.run(main(parser.parse_args().orders))
