"""Each row of the table of habits, against what the real class of ccxt would send."""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from brokers.account_client import AccountClient
from brokers.ccxt_history import look_up
from brokers.ccxt_spot import _place
from brokers.habits import HABITS
from domain.errors import NotSent, VenueUnavailable
from domain.orders import OrderRequest
from domain.ports import SendWindow
from tests.brokers.offline import ID, Sent, Wire, close, offline, request_of


class Row(NamedTuple):
    """What an exchange's own documentation calls things.

    Attributes:
        client_id: parameter of the client order id in a new order.
        buy: parameters of a market buy of 0.00021 BTC at 40,000 USDT, which costs 8.4 USDT.
        sell: those of a market sell.
        look_up: paths at which the order is looked up.
        signed_at: header or parameter in which the time of the request stands; None where that sets no deadline.
        deadline: header or parameter that makes it 5 s, and what it says then.
    """

    client_id: str
    buy: Mapping[str, str]
    sell: Mapping[str, str]
    look_up: tuple[str, ...]
    signed_at: str | None = None
    deadline: tuple[str, str] | None = None


QUANTITY, COST = "0.00021", "8.4"

ROWS: Mapping[str, Row] = {
    "binance": Row(
        client_id="newClientOrderId",
        buy={"type": "MARKET", "quantity": QUANTITY},
        sell={"type": "MARKET", "quantity": QUANTITY},
        look_up=("/api/v3/order?origClientOrderId",),
        signed_at="timestamp",
        deadline=("recvWindow", "5000"),
    ),
    "okx": Row(
        client_id="clOrdId",
        buy={"ordType": "market", "sz": QUANTITY, "tgtCcy": "base_ccy"},
        sell={"ordType": "market", "sz": QUANTITY},
        look_up=("/api/v5/trade/order?clOrdId",),
        signed_at="OK-ACCESS-TIMESTAMP",
        deadline=("expTime", "+5000"),
    ),
    "bybit": Row(
        client_id="orderLinkId",
        buy={"orderType": "Market", "qty": COST},
        sell={"orderType": "Market", "qty": QUANTITY, "marketUnit": "baseCoin"},
        look_up=("/v5/order/realtime?orderLinkId", "/v5/order/history?orderLinkId"),
        signed_at="X-BAPI-TIMESTAMP",
        deadline=("X-BAPI-RECV-WINDOW", "5000"),
    ),
    "kucoin": Row(
        client_id="clientOid",
        buy={"type": "market", "size": QUANTITY},
        sell={"type": "market", "size": QUANTITY},
        look_up=(f"/api/v1/order/client-order/{ID}",),
        signed_at="KC-API-TIMESTAMP",
    ),
    "bitget": Row(
        client_id="clientOid",
        buy={"orderType": "market", "size": COST},
        sell={"orderType": "market", "size": QUANTITY},
        look_up=("/api/v2/spot/trade/orderInfo?clientOid",),
    ),
    "gate": Row(
        client_id="text",
        buy={"type": "market", "amount": COST},
        sell={"type": "market", "amount": QUANTITY},
        look_up=(f"/api/v4/spot/orders/t-{ID}",),
        deadline=("x-gate-exptime", "+5000"),
    ),
    "htx": Row(
        client_id="client-order-id",
        buy={"type": "buy-market", "amount": COST},
        sell={"type": "sell-market", "amount": QUANTITY},
        look_up=("/v1/order/orders/getClientOrder?clientOrderId",),
    ),
    "mexc": Row(
        client_id="newClientOrderId",
        buy={"type": "MARKET", "quantity": QUANTITY},
        sell={"type": "MARKET", "quantity": QUANTITY},
        look_up=("/api/v3/order?origClientOrderId",),
        signed_at="timestamp",
        deadline=("recvWindow", "5000"),
    ),
    "kraken": Row(
        client_id="cl_ord_id",
        buy={"ordertype": "market", "volume": QUANTITY},
        sell={"ordertype": "market", "volume": QUANTITY},
        look_up=("/0/private/OpenOrders?cl_ord_id", "/0/private/ClosedOrders?cl_ord_id"),
    ),
    "coinbase": Row(
        client_id="client_order_id",
        buy={"quote_size": COST},
        sell={"base_size": QUANTITY},
        look_up=("/api/v3/brokerage/orders/historical/batch",),
    ),
}


class Opened(NamedTuple):
    """A client, its row and its wire."""

    name: str
    row: Row
    client: AccountClient
    wire: Wire

    async def send(self, request: OrderRequest, *, age: float = 1.5) -> Sent:
        """The one request that an order makes."""
        window = SendWindow(opened=time.time() - age, closes=time.time() + 10)
        await self.client.send(
            lambda exchange: _place(exchange, self.client.habits, request.intent, request.instrument), window
        )
        (sent,) = self.wire.orders
        return sent


@pytest.fixture(params=ROWS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    client, wire = await offline(request.param)
    client.exchange.enableRateLimit = False  # type: ignore[attr-defined]
    yield Opened(request.param, ROWS[request.param], client, wire)
    await close(client)


def test_every_row_is_tested() -> None:
    assert set(HABITS) == set(ROWS)


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_market_order_names_its_id_and_its_quantity_or_cost_exactly(opened: Opened, side: Any) -> None:
    sent = await opened.send(request_of(opened.client, side))
    expected_id = f"t-{ID}" if opened.name == "gate" else ID
    assert sent.values[opened.row.client_id] == expected_id
    expected = opened.row.buy if side == "buy" else opened.row.sell
    assert {name: sent.values[name] for name in expected} == expected


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_market_order_carries_no_price(opened: Opened, side: Any) -> None:
    sent = await opened.send(request_of(opened.client, side))
    assert not {"price", "px", "quoteOrderQty", "limit_price"} & set(sent.values)


async def test_a_limit_buy_never_exceeds_its_limit(opened: Opened) -> None:
    """39000.559 lies between two ticks of 0.01; ccxt would round it up to 39000.56."""
    sent = await opened.send(request_of(opened.client, "buy", "limit", price="39000.559"))
    prices = {"price", "px", "limit_price"} & set(sent.values)
    assert [sent.values[name] for name in prices] == ["39000.55"]
    assert QUANTITY in sent.values.values()


async def test_the_smallest_quantity_is_not_written_in_powers_of_ten(opened: Opened) -> None:
    """0.00001 as a float is 1e-05, which exchanges cannot read."""
    sent = await opened.send(request_of(opened.client, "sell", quantity="0.00001"))
    assert "0.00001" in sent.values.values()


@pytest.mark.parametrize("opened", [name for name, row in ROWS.items() if row.signed_at], indirect=True)
async def test_a_request_is_as_old_as_its_window(opened: Opened) -> None:
    before = time.time()
    sent = await opened.send(request_of(opened.client, "buy"), age=1.5)
    assert opened.row.signed_at is not None
    assert _milliseconds(_told(sent, opened.row.signed_at)) == pytest.approx((before - 1.5) * 1000, abs=400)


@pytest.mark.parametrize("opened", [name for name, row in ROWS.items() if row.deadline], indirect=True)
async def test_a_request_says_until_when_it_is_valid(opened: Opened) -> None:
    before = time.time()
    sent = await opened.send(request_of(opened.client, "buy"), age=1.5)
    assert opened.row.deadline is not None
    name, expected = opened.row.deadline
    told = _told(sent, name)
    if expected.startswith("+"):
        assert int(told) == pytest.approx((before - 1.5) * 1000 + int(expected), abs=400)
    else:
        assert told == expected


def test_a_row_promises_a_deadline_only_where_the_request_sets_one() -> None:
    for name, row in ROWS.items():
        set_by_request = row.deadline is not None or name == "kucoin"  # which always counts 5 s
        assert (HABITS[name].deadline == 5.0) is set_by_request, name
        assert HABITS[name].deadline in (5.0, None)


async def test_nothing_is_signed_once_the_window_has_closed(opened: Opened) -> None:
    request = request_of(opened.client, "buy")
    window = SendWindow(opened=time.time() - 20, closes=time.time() - 0.01)
    with pytest.raises(NotSent, match="window"):
        await opened.client.send(
            lambda exchange: _place(exchange, opened.client.habits, request.intent, request.instrument), window
        )
    assert opened.wire.orders == []


async def test_an_order_is_looked_up_by_its_id(opened: Opened) -> None:
    opened.wire.answer = {"result": {"open": {}, "closed": {}}}
    # An answer of nothing is no answer for those that look one order up.
    with contextlib.suppress(VenueUnavailable):
        assert await look_up(opened.client, "BTC/USDT", ID, since=1_700_000_000_000) is None
    asked = {urlsplit(sent.url).path: sent for sent in opened.wire.sent}
    for expected in opened.row.look_up:
        path, _, name = expected.partition("?")
        assert path in asked
        assert not name or asked[path].values[name] == ID


def _told(sent: Sent, name: str) -> str:
    return sent.headers[name] if name in sent.headers else sent.values[name]


def _milliseconds(told: str) -> float:
    if told.isdigit():
        return float(told)
    return datetime.fromisoformat(told).timestamp() * 1000
