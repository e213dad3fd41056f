"""Real classes of ccxt with a market and keys, and without a network: what they would send is caught."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ccxt.base.errors import AuthenticationError

from brokers.access import VenueAccess
from brokers.account_client import AccountClient
from brokers.budget import AddressBudget
from brokers.client import VenueClient
from brokers.clock import VenueTime
from brokers.habits import habits_of
from brokers.opening import new_exchange, new_session
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.orders import OrderIntent, OrderRequest, OrderType, Side
from tests.support.vault import credentials

SECRET = "c2VjcmV0LW9mLW1haW4tdGhhdC1pcy1sb25nLWVub3VnaA=="
ID = "s1a2b3c4d5e6f7g8h9"


@dataclass
class Sent:
    """A request as it would have left."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None

    @property
    def values(self) -> dict[str, Any]:
        """Query and body, whatever form they have; of a list its only element, of what is nested what is in it."""
        found: dict[str, Any] = dict(parse_qsl(urlsplit(self.url).query))
        if self.body:
            found |= _flat(json.loads(self.body)) if self.body[0] in "{[" else dict(parse_qsl(self.body))
        return found


def _flat(told: Any) -> dict[str, Any]:
    if isinstance(told, list):
        (told,) = told
    found: dict[str, Any] = {}
    for name, value in told.items():
        found |= _flat(value) if isinstance(value, dict) else {name: value}
    return found


@dataclass
class Wire:
    """What was sent: everything, and orders alone.

    `answers` come back to addresses that hold their text, and `answer` to all others, except questions of the account.
    """

    sent: list[Sent] = field(default_factory=list)
    orders: list[Sent] = field(default_factory=list)
    answers: Sequence[tuple[str, Any]] = ()
    answer: Any = field(default_factory=dict)


# What some ask of the account before the first order. bitget tells its kind by refusing: see `_CLASSIC`.
_CLASSIC = "account/settings"
_ABOUT_ACCOUNTS: Mapping[str, Any] = {
    "query-api": {"retCode": 0, "result": {"unified": 0, "uta": 1}},
    "account/info": {"retCode": 0, "result": {"unifiedMarginStatus": 6}},
    "account/mode": {"code": "200000", "data": {"selfAccountMode": "CLASSIC"}},
    "account/accounts": {"status": "ok", "data": [{"id": 77, "type": "spot", "state": "working"}]},
    "account/detail": {"key": {"mode": 1}},
    "brokerage/accounts": {"accounts": []},
}


async def offline(name: str) -> tuple[AccountClient, Wire]:
    """An account's client of an exchange, and what it sends. Close with `close`."""
    venue = VenueRef(name=name)
    session = await new_session()
    keys = {"apiKey": "key-of-main", "secret": SECRET, "password": "phrase"}
    public = VenueClient(
        venue, await new_exchange(venue, session, timeout_seconds=1), session, VenueAccess(venue, AddressBudget())
    )
    exchange = await new_exchange(venue, session, timeout_seconds=1, keys=keys)
    market = {
        "id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "baseId": "BTC", "quoteId": "USDT",
        "type": "spot", "spot": True, "margin": False, "swap": False, "future": False, "option": False,
        "contract": False, "active": True,
        "precision": {"amount": "0.00001", "price": "0.01"},
        "limits": {}, "info": {"orderTypes": ["MARKET", "LIMIT"], "quoteIncrement": "0.01"},
    }  # fmt: skip
    for each in (public.exchange, exchange):
        each.set_markets([market])  # type: ignore[attr-defined]
    clock = VenueTime(_exact_time)
    account = AccountRef(venue=venue, credentials="main")
    client = AccountClient(
        account,
        exchange,
        public,
        habits=habits_of(name),
        clock=clock,
        credentials=credentials(name, "key-of-main", SECRET, "phrase"),
    )
    await clock.ready()
    wire = Wire()

    async def fetch(url: str, method: str = "GET", headers: Any = None, body: str | None = None) -> Any:
        request = Sent(method, url, headers or {}, body)
        wire.sent.append(request)
        if _CLASSIC in url:
            raise AuthenticationError("not a unified account")
        for path, told in _ABOUT_ACCOUNTS.items():
            if method == "GET" and path in url:
                return told
        if method != "GET":
            wire.orders.append(request)
        return next((told for text, told in wire.answers if text in url), wire.answer)

    exchange.fetch = fetch  # type: ignore[attr-defined]
    return client, wire


async def close(client: AccountClient) -> None:
    """Let go of what `offline` has opened."""
    await client.exchange.close()
    await client._public.close()


async def _exact_time() -> int:
    return time.time_ns() // 1_000_000


def request_of(
    client: AccountClient,
    side: Side,
    order_type: OrderType = "market",
    *,
    quantity: str = "0.00021",
    price: str | None = None,
) -> OrderRequest:
    """An order at 40,000 USDT."""
    instrument = Instrument(
        venue=client.account.venue,
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        lot_step=Decimal("0.00001"),
        tick_size=Decimal("0.01"),
    )
    intent = OrderIntent(
        client_order_id=ID,
        sequence=1,
        symbol="BTC/USDT",
        side=side,
        type=order_type,
        quantity=Decimal(quantity),
        reference_price=Decimal(40_000),
        price=None if price is None else Decimal(price),
        reason="test",
        decision_key="enter:0",
        decided_at=1,
        candle_time=0,
        config_version=1,
    )
    return OrderRequest(
        bot_id="bot",
        intent=intent,
        instrument=instrument,
        account=client.account,
        cash=Decimal(100),
        holding=Decimal(1),
    )
