"""Books and venue, held against each other while a bot watches."""

import asyncio
from decimal import Decimal

import pytest

from activities.reconciling import Reconciler
from domain.accounts import Balance
from domain.config import parse_config
from domain.errors import VenueUnavailable
from domain.orders import client_order_id
from domain.positions import Book, Holding
from domain.watch import RestingOrder, WatchRequest
from tests.domain.builders import instrument, intent, order
from tests.support.bots import LIVE, raw_config
from tests.support.exchange import ExchangeAccounts, FakeExchange

UID = "3f1c1f3e-1111-4c59-9d3c-0a63a5a6b111"


def request(holding: str, *, live: bool = True) -> WatchRequest:
    return WatchRequest(
        bot_id="rsi",
        uid=UID,
        config=parse_config(raw_config("rsi", **(LIVE if live else {}))),
        config_version=1,
        instrument=instrument(),
        book=Book(cash=Decimal(100), dust=Holding(quantity=Decimal(holding), cost=Decimal(1))),
        segment_seconds=60,
    )


def reconciler(exchange: FakeExchange) -> Reconciler:
    return Reconciler(ExchangeAccounts(exchange), first_seconds=0.0, every_seconds=0.01)


async def never_differs(reconciler: Reconciler, asked: WatchRequest) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reconciler.difference(asked), timeout=0.1)


async def test_an_account_that_holds_less_than_the_books_differs() -> None:
    exchange = FakeExchange(balances={"BTC": Balance(free=Decimal("0.2"), locked=Decimal("0.1"))})
    found = await reconciler(exchange).difference(request("0.4"))
    assert found == "account main on binance holds 0.3 BTC, the books of this bot alone 0.4"


async def test_an_account_that_holds_as_much_or_more_does_not_differ() -> None:
    """Other bots and people may hold the same coin there."""
    exchange = FakeExchange(balances={"BTC": Balance(free=Decimal("0.3"), locked=Decimal("0.1"))})
    await never_differs(reconciler(exchange), request("0.4"))


async def test_an_account_without_the_coin_holds_none_of_it() -> None:
    found = await reconciler(FakeExchange(balances={})).difference(request("0.4"))
    assert found == "account main on binance holds 0 BTC, the books of this bot alone 0.4"


async def test_an_own_order_that_rests_unknown_differs() -> None:
    exchange, name = FakeExchange(fill=Decimal(0)), client_order_id(UID, 9)
    await exchange.submit(order(intent().model_copy(update={"client_order_id": name})), window=None)  # type: ignore[arg-type]
    found = await reconciler(exchange).difference(request("0"))
    assert found == f"order {name} rests at binance, and the bot knows of none"


async def test_an_own_order_that_is_known_to_rest_does_not_differ() -> None:
    exchange, name = FakeExchange(fill=Decimal(0)), client_order_id(UID, 9)
    await exchange.submit(order(intent().model_copy(update={"client_order_id": name})), window=None)  # type: ignore[arg-type]
    known = RestingOrder(client_order_id=name, side="sell", type="stop", price=Decimal(90), since=1)
    await never_differs(reconciler(exchange), request("0").model_copy(update={"resting": (known,)}))


async def test_orders_of_others_are_none_of_its_business() -> None:
    exchange = FakeExchange(fill=Decimal(0))
    await exchange.submit(order(intent()), window=None)  # type: ignore[arg-type]
    await never_differs(reconciler(exchange), request("0"))


async def test_a_venue_that_is_away_is_asked_again() -> None:
    exchange = FakeExchange(balances={}, blind=VenueUnavailable("maintenance"))
    waiting = asyncio.ensure_future(reconciler(exchange).difference(request("0.4")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    exchange.blind = None
    assert "holds 0 BTC" in await waiting


async def test_paper_has_no_other_side() -> None:
    await never_differs(reconciler(FakeExchange(balances={})), request("0.4", live=False))
