"""A process that asks an exchange for as much as it can at once, and orders something meanwhile.

python -m tests.support.asker URL BUDGETS READS ORDERS

It says "ready", waits for a line, and then says what came of it in JSON: reads and orders by their outcome.
"""

import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

from brokers.ccxt_data import CcxtData
from brokers.ccxt_spot import CcxtBroker
from brokers.ccxt_types import Exchange
from brokers.gateway import Gateway
from domain.errors import SteadyhandError
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.model import ZERO
from domain.orders import OrderRequest
from domain.ports import SendWindow
from tests.contract.benches import KEY
from tests.domain.builders import dec, intent
from tests.support.vault import FixedVault, credentials


async def main(url: str, budgets: str, reads: int, orders: int) -> None:
    vault = FixedVault(main=credentials("binance", KEY.key, KEY.secret))
    gateway = Gateway(vault=vault, timeout=20, budgets=Path(budgets))
    account = AccountRef(venue=VenueRef(name="binance", base_url=url), credentials="main")
    client, broker = await gateway.client(account.venue), CcxtBroker(gateway)
    instrument = await CcxtData(gateway, account.venue).instrument("BTC/USDT", "1m")
    await gateway.account_client(account)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    # The orders come last: whatever the reads have taken, there is something left.
    read = await asyncio.gather(*(outcome(client.call(markets)) for _ in range(reads)))
    ordered = await asyncio.gather(*(outcome(place(broker, account, instrument)) for _ in range(orders)))
    print(json.dumps({"reads": Counter(read), "orders": Counter(ordered)}), flush=True)
    await gateway.close()


async def markets(exchange: Exchange) -> object:
    """Read the list of all markets, whose weight is 20, and which nobody signs: it may wait its turn for long."""
    return await exchange.fetch_markets()  # type: ignore[attr-defined]


async def place(broker: CcxtBroker, account: AccountRef, instrument: Instrument) -> None:
    wanted = intent(quantity="0.001").model_copy(
        update={"client_order_id": f"s{uuid.uuid4().hex[:17]}", "symbol": "BTC/USDT", "reference_price": dec(40_000)}
    )
    request = OrderRequest(
        bot_id="bot", intent=wanted, instrument=instrument, account=account, cash=dec(1_000), holding=ZERO
    )
    assert await broker.find(request) is None
    now = time.time()
    await broker.submit(request, SendWindow(opened=now, closes=now + 10))


async def outcome(asked: Awaitable[object]) -> str:
    """Return "answered", "held back" by us, or what the exchange said."""
    try:
        await asked
    except SteadyhandError as error:
        return "held back" if "request weight used in this minute" in str(error) else str(error)
    return "answered"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
