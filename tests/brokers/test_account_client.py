"""How an account's client orders, at exchanges that answer otherwise than Binance does."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from brokers.account_client import AccountClient
from brokers.ccxt_spot import CcxtBroker
from brokers.gateway import Gateway
from domain.errors import AccountRefused, NotSent, OrderUncertain
from domain.instruments import AccountRef, VenueRef
from domain.ports import SendWindow
from tests.brokers.offline import ID, Wire, close, offline, request_of
from tests.support.vault import FixedVault, credentials

ACCEPTED = {"code": "0", "data": [{"ordId": "77", "clOrdId": ID, "sCode": "0"}]}
FILLED = {
    "code": "0",
    "data": [{
        "instId": "BTCUSDT", "ordId": "77", "clOrdId": ID, "side": "buy", "ordType": "market", "sz": "0.00021",
        "accFillSz": "0.00021", "avgPx": "40001.5", "state": "filled", "cTime": "1700000000000",
    }],
}  # fmt: skip
TRADES = {
    "code": "0",
    "data": [
        {"instId": "BTCUSDT", "ordId": "77", "tradeId": "5", "side": "buy", "fillSz": "0.00011", "fillPx": "40001",
         "fee": "-0.00000011", "feeCcy": "BTC", "ts": "1700000000001"},
        {"instId": "BTCUSDT", "ordId": "77", "tradeId": "6", "side": "buy", "fillSz": "0.0001", "fillPx": "40002.05",
         "fee": "-0.0000001", "feeCcy": "BTC", "ts": "1700000000002"},
        {"instId": "BTCUSDT", "ordId": "99", "tradeId": "7", "side": "buy", "fillSz": "9", "fillPx": "1",
         "fee": "-1", "feeCcy": "BTC", "ts": "1700000000003"},
    ],
}  # fmt: skip


class OneAccount:
    """A gateway with one client."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    async def account_client(self, account: AccountRef) -> AccountClient:
        return self._client


@pytest.fixture
async def okx() -> AsyncIterator[tuple[AccountClient, Wire]]:
    client, wire = await offline("okx")
    yield client, wire
    await close(client)


def window() -> SendWindow:
    return SendWindow(opened=time.time(), closes=time.time() + 10)


async def test_an_answer_of_nothing_but_an_id_is_followed_by_a_look(okx: tuple[AccountClient, Wire]) -> None:
    client, wire = okx
    wire.answers = [("batch-orders", ACCEPTED), ("trade/order", FILLED), ("fills-history", TRADES)]
    broker = CcxtBroker(OneAccount(client))  # type: ignore[arg-type]
    report = await broker.submit(request_of(client, "buy"), window())
    assert (report.status, report.venue_order_id) == ("filled", "77")
    assert [(f.trade_id, str(f.price), str(f.quantity), str(f.fee), f.fee_currency) for f in report.fills] == [
        ("5", "40001", "0.00011", "1.1E-7", "BTC"),
        ("6", "40002.05", "0.0001", "1E-7", "BTC"),
    ]


async def test_an_accepted_order_that_cannot_be_read_yet_is_open(okx: tuple[AccountClient, Wire]) -> None:
    client, wire = okx
    wire.answers = [("batch-orders", ACCEPTED), ("trade/order", {"code": "0", "data": [{}]})]
    broker = CcxtBroker(OneAccount(client))  # type: ignore[arg-type]
    report = await broker.submit(request_of(client, "buy"), window())
    assert (report.status, report.final, report.venue_order_id) == ("open", False, "77")


@pytest.mark.parametrize("answer", [{"code": "0", "data": []}, {"code": "0", "data": [{"ordId": ""}]}, {}])
async def test_an_answer_that_names_no_order_is_uncertain(okx: tuple[AccountClient, Wire], answer: Any) -> None:
    client, wire = okx
    wire.answers = [("batch-orders", answer)]
    broker = CcxtBroker(OneAccount(client))  # type: ignore[arg-type]
    with pytest.raises(OrderUncertain, match="names no order"):
        await broker.submit(request_of(client, "buy"), window())


async def test_an_answer_over_which_ccxt_stumbles_is_uncertain(okx: tuple[AccountClient, Wire]) -> None:
    client, wire = okx
    wire.answers = [("batch-orders", "neither a dictionary nor a list")]
    broker = CcxtBroker(OneAccount(client))  # type: ignore[arg-type]
    with pytest.raises(OrderUncertain):
        await broker.submit(request_of(client, "buy"), window())


async def test_a_venue_without_a_deadline_promises_none() -> None:
    client, _ = await offline("kraken")
    habits = await CcxtBroker(OneAccount(client)).habits(request_of(client, "buy"))  # type: ignore[arg-type]
    await close(client)
    assert (habits.finds, habits.late_after) == (False, None)


async def test_a_venue_that_wants_a_passphrase_says_so() -> None:
    gateway = Gateway(vault=FixedVault(main=credentials("okx", "key", "secret")))
    with pytest.raises(AccountRefused, match="wants a passphrase"):
        await gateway.account_client(AccountRef(venue=VenueRef(name="okx"), credentials="main"))
    await gateway.close()


async def test_a_bug_before_anything_was_signed_is_told_as_such(okx: tuple[AccountClient, Wire]) -> None:
    client, wire = okx

    async def misuse(_exchange: object) -> Any:
        raise RuntimeError("a bug of ours")

    with pytest.raises(RuntimeError):
        await client.send(misuse, window())
    assert wire.sent == []


async def test_a_clock_that_was_not_read_signs_no_order(okx: tuple[AccountClient, Wire]) -> None:
    client, wire = okx
    client.clock._reading = None
    broker = CcxtBroker(OneAccount(client))  # type: ignore[arg-type]
    with pytest.raises(NotSent, match="clock has not been read"):
        await broker.submit(request_of(client, "buy"), window())
    assert wire.orders == []
