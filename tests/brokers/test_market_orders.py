"""All orders of an account in a market: those of bots in full, those of others as they are listed."""

import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from brokers.ccxt_accounts import CcxtAccounts
from domain.account_sides import MarketOrders, Standing
from tests.contract.benches import CcxtBench, ccxt_bench, open_window


@pytest.fixture
async def bench() -> AsyncIterator[CcxtBench]:
    async with ccxt_bench() as opened:
        yield opened


async def by_hand(bench: CcxtBench, name: str, side: str, quantity: float, price: float | None = None) -> None:
    """Trade as a person does: at the market, or at a limit."""
    client, kind = await bench.gateway.account_client(bench.account), "limit" if price else "market"
    await client.exchange.create_order("BTC/USDT", kind, side, quantity, price, {"newClientOrderId": name})


async def listed(bench: CcxtBench, *prefixes: str, since: int) -> MarketOrders:
    found = CcxtAccounts(bench.gateway)
    return await found.market_orders(bench.account, bench.instrument, prefixes=prefixes, since=since)


async def test_orders_of_bots_come_with_their_fills_and_those_of_others_without(bench: CcxtBench) -> None:
    began = int(time.time() * 1000)
    report = await bench.broker.submit(bench.request(), open_window())
    price = float(bench.price)
    await by_hand(bench, "sold", "sell", 0.002)
    await by_hand(bench, "rests", "buy", 0.001, price / 2)
    found = await listed(bench, "s00000", "another", since=began)
    (own,) = found.own
    assert own.report == report
    assert len(own.report.fills) > 0
    assert {(o.client_order_id, o.side, o.type, o.quantity, o.standing) for o in found.others} == {
        ("sold", "sell", "market", Decimal("0.002"), Standing(status="filled", filled=Decimal("0.002"))),
        ("rests", "buy", "limit", Decimal("0.001"), Standing(status="open", filled=Decimal(0))),
    }
    assert {o.price for o in found.others} == {None, (bench.price / 2).quantize(Decimal("0.01"))}
    assert all(began <= o.created_at <= time.time() * 1000 for o in found.others)


async def test_what_rests_is_found_however_old_and_once(bench: CcxtBench) -> None:
    await by_hand(bench, "rests", "buy", 0.001, float(bench.price) / 2)
    await by_hand(bench, "sold", "sell", 0.001)
    later = int(time.time() * 1000) + 10
    for since in (0, later):
        names = [order.client_order_id for order in (await listed(bench, since=since)).others]
        assert names.count("rests") == 1
        assert ("sold" in names) is (since == 0)


async def test_the_fills_of_others_are_not_asked_for(bench: CcxtBench, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        await by_hand(bench, f"sold-{number}", "sell", 0.001)
    client = await bench.gateway.account_client(bench.account)
    monkeypatch.delattr(type(client.exchange), "fetch_my_trades")
    assert len((await listed(bench, "s00000", since=0)).others) == 3
