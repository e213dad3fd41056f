"""Reading an account of the simulated exchange: what it holds, what rests there, and what a bot has placed."""

import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from brokers.ccxt_accounts import CcxtAccounts
from domain.accounts import Balance
from domain.errors import AccountRefused
from simulator.faults.outages import HttpError
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.contract.benches import KEY, MAIN, CcxtBench, ccxt_bench, open_window


@pytest.fixture
async def bench() -> AsyncIterator[CcxtBench]:
    async with ccxt_bench() as opened:
        yield opened


@pytest.fixture
def accounts(bench: CcxtBench) -> CcxtAccounts:
    return CcxtAccounts(bench.gateway)


async def test_an_account_shows_what_it_holds_and_what_its_key_may_do(bench: CcxtBench, accounts: CcxtAccounts) -> None:
    """A sell order of 0.5 BTC holds as much back of the 2 BTC."""
    price = bench.price * 2
    await bench.broker.submit(bench.request("sell", "0.5", order_type="limit", price=price), open_window())
    view = await accounts.view(bench.account)
    assert (view.may_trade, view.may_withdraw) == (True, False)
    assert view.balances == {
        "BTC": Balance(free=Decimal("1.5"), locked=Decimal("0.5")),
        "USDT": Balance(free=Decimal(100_000), locked=Decimal(0)),
    }


async def test_a_key_that_may_only_read_says_so() -> None:
    key = ApiKey(key=KEY.key, secret=KEY.secret, permissions=frozenset({"read"}))
    async with ccxt_bench(AccountSpec(name="main", keys=(key,), balances=MAIN.balances)) as bench:
        assert (await CcxtAccounts(bench.gateway).view(bench.account)).may_trade is False
        with pytest.raises(AccountRefused):
            await bench.broker.submit(bench.request(), open_window())


async def test_the_orders_of_a_bot_are_found_by_their_prefix_with_all_fills(
    bench: CcxtBench, accounts: CcxtAccounts
) -> None:
    began = int(time.time() * 1000)
    bought, rests = bench.request(), bench.request("sell", "0.001", order_type="limit", price=bench.price * 2)
    reports = [await bench.broker.submit(each, open_window()) for each in (bought, rests)]
    other = bench.request()
    other = other.model_copy(update={"intent": other.intent.model_copy(update={"client_order_id": "x1"})})
    await bench.broker.submit(other, open_window())
    found = await accounts.orders(bench.account, bench.instrument, prefix="s00000", since=began)
    assert [order.report for order in found] == reports
    assert [(order.side, order.type, order.quantity) for order in found] == [
        ("buy", "market", Decimal("0.00021")),
        ("sell", "limit", Decimal("0.001")),
    ]
    assert [order.price for order in found] == [None, bench.price * 2]
    assert all(began <= order.created_at <= time.time() * 1000 for order in found)


async def test_orders_before_the_moment_are_left_out(bench: CcxtBench, accounts: CcxtAccounts) -> None:
    await bench.broker.submit(bench.request(), open_window())
    later = int(time.time() * 1000) + 10
    assert await accounts.orders(bench.account, bench.instrument, prefix="s", since=later) == []


async def test_more_orders_than_a_page_holds_are_all_found(bench: CcxtBench, accounts: CcxtAccounts) -> None:
    """Binance gives 500 orders at once, from the oldest on; that of the bot comes after 520 of others."""
    client = await bench.gateway.account_client(bench.account)
    for number in range(520):
        side = "buy" if number % 2 else "sell"
        await client.exchange.create_order("BTC/USDT", "market", side, 0.001, None, {"newClientOrderId": f"x{number}"})
    await bench.broker.submit(bench.request(), open_window())
    found = await accounts.orders(bench.account, bench.instrument, prefix="s", since=0)
    assert len(found) == 1


async def test_everything_that_rests_is_shown_whoever_placed_it(bench: CcxtBench, accounts: CcxtAccounts) -> None:
    client = await bench.gateway.account_client(bench.account)
    price = float(bench.price)
    await client.exchange.create_order("BTC/USDT", "limit", "buy", 0.001, price / 2, {"newClientOrderId": "by-hand"})
    stop = {"stopLossPrice": price / 2, "newClientOrderId": "a-stop"}
    await client.exchange.create_order("BTC/USDT", "market", "sell", 0.001, None, stop)
    await bench.broker.submit(bench.request(), open_window())
    found = await accounts.open_orders(bench.account, bench.instrument)
    assert {(o.report.client_order_id, o.side, o.type, o.report.status) for o in found} == {
        ("by-hand", "buy", "limit", "open"),
        ("a-stop", "sell", "stop", "open"),
    }
    assert all(order.price == (bench.price / 2).quantize(Decimal("0.01")) for order in found)


async def test_a_venue_that_does_not_tell_permissions_leaves_them_open(
    bench: CcxtBench, accounts: CcxtAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await bench.gateway.account_client(bench.account)
    # As on Binance's test network, where ccxt knows no address for this.
    monkeypatch.setitem(
        client.exchange.urls, "api", {"public": bench.simulator.url, "private": f"{bench.simulator.url}/api/v3"}
    )
    view = await accounts.view(bench.account)
    assert (view.may_trade, view.may_withdraw) == (None, None)
    assert view.balances["USDT"].free == 100_000


async def test_refused_keys_are_told_as_such(bench: CcxtBench, accounts: CcxtAccounts) -> None:
    bench.simulator.faults.arm([HttpError(endpoint="/api/v3/account", status=401, code=-2015, msg="Invalid API-key")])
    with pytest.raises(AccountRefused):
        await accounts.view(bench.account)
