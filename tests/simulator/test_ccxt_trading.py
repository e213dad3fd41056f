"""The unmodified ccxt client trades here as it does on the real venue."""

from decimal import Decimal
from typing import Any

import ccxt.async_support
import pytest

from simulator.clock import ManualClock, SimulatedClock
from simulator.exchange import Exchange, generated_market
from simulator.server import ccxt_config, start_simulator
from tests.simulator.conftest import KEY, MAIN

SYMBOL = "BTC/USDT"


async def last_price(client: Any) -> float:
    return float((await client.fetch_ticker(SYMBOL))["last"])


async def test_a_market_buy_is_filled_at_the_best_offers_and_found_by_its_client_id(
    trader: Any, clock: ManualClock
) -> None:
    book = await trader.fetch_order_book(SYMBOL, 5)
    params = {"newClientOrderId": "mine-1", "recvWindow": 5_000, "timestamp": clock.now_ms()}
    order = await trader.create_order(SYMBOL, "market", "buy", 0.00123, None, params)
    assert (order["status"], order["filled"], order["remaining"]) == ("closed", 0.00123, 0)
    assert order["average"] == book["asks"][0][0]
    assert order["fee"] == {"currency": "BTC", "cost": 0.00000123}
    assert order["timestamp"] == clock.now_ms()
    found = await trader.fetch_order(None, SYMBOL, {"origClientOrderId": "mine-1"})
    assert (found["id"], found["clientOrderId"], found["filled"]) == (order["id"], "mine-1", 0.00123)


async def test_a_market_sell_pays_its_fee_in_quote_currency(trader: Any) -> None:
    book = await trader.fetch_order_book(SYMBOL, 5)
    order = await trader.create_order(SYMBOL, "market", "sell", 0.001)
    assert order["average"] == book["bids"][0][0]
    fee = Decimal(str(book["bids"][0][0])) * Decimal("0.001") * Decimal("0.001")
    assert order["fee"]["currency"] == "USDT"
    assert Decimal(str(order["fee"]["cost"])) == pytest.approx(fee, abs=Decimal("0.00000001"))


async def test_a_market_buy_by_cost_spends_no_more_than_that(trader: Any) -> None:
    order = await trader.create_market_buy_order_with_cost(SYMBOL, 100)
    step_worth = order["average"] * 0.00001
    assert 100 - step_worth < order["cost"] <= 100
    assert order["status"] == "closed"


async def test_a_limit_order_rests_shows_as_open_and_is_cancelled_by_either_id(trader: Any) -> None:
    price = await last_price(trader) * 0.9
    first = await trader.create_order(SYMBOL, "limit", "buy", 0.01, price, {"timeInForce": "GTC"})
    second = await trader.create_order(SYMBOL, "limit", "buy", 0.01, price, {"newClientOrderId": "second"})
    assert first["status"] == "open"
    assert {order["id"] for order in await trader.fetch_open_orders(SYMBOL)} == {first["id"], second["id"]}
    assert (await trader.cancel_order(first["id"], SYMBOL))["status"] == "canceled"
    cancelled = await trader.cancel_order(None, SYMBOL, {"origClientOrderId": "second"})
    assert cancelled["id"] == second["id"]
    assert await trader.fetch_open_orders(SYMBOL) == []
    with pytest.raises(ccxt.OrderNotFound):
        await trader.cancel_order(first["id"], SYMBOL)


@pytest.mark.parametrize(
    ("order_type", "price_share", "params", "kind"),
    [
        ("STOP_LOSS_LIMIT", 0.89, {"stopPrice": 0.9}, "STOP_LOSS_LIMIT"),
        ("STOP_LOSS", None, {"triggerPrice": 0.9}, "STOP_LOSS"),
        ("market", None, {"stopLossPrice": 0.9}, "STOP_LOSS"),
        ("limit", 0.89, {"stopLossPrice": 0.9}, "STOP_LOSS_LIMIT"),
        ("market", None, {"takeProfitPrice": 1.1}, "TAKE_PROFIT"),
        ("limit", 1.1, {"takeProfitPrice": 1.1}, "TAKE_PROFIT_LIMIT"),
    ],
)
async def test_stop_orders_wait_however_the_client_words_them(
    order_type: str, price_share: float | None, params: dict[str, float], kind: str, trader: Any
) -> None:
    last = await last_price(trader)
    price = None if price_share is None else last * price_share
    levels = {name: last * share for name, share in params.items()}
    order = await trader.create_order(SYMBOL, order_type, "sell", 0.01, price, levels)
    assert order["status"] == "open"
    assert order["info"]["type"] == kind
    balance = await trader.fetch_balance()
    assert (balance["BTC"]["free"], balance["BTC"]["used"]) == (1.99, 0.01)


async def test_post_only_becomes_a_limit_maker(trader: Any) -> None:
    last = await last_price(trader)
    order = await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.9, {"postOnly": True})
    assert order["info"]["type"] == "LIMIT_MAKER"
    with pytest.raises(ccxt.InvalidOrder, match="immediately match"):
        await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 1.1, {"postOnly": True})


async def test_orders_and_trades_are_listed_by_symbol_time_and_order(trader: Any, clock: ManualClock) -> None:
    first = await trader.create_order(SYMBOL, "market", "buy", 0.001)
    clock.advance_to(clock.now_ms() + 1_000)
    second = await trader.create_order(SYMBOL, "market", "sell", 0.001)
    assert [order["id"] for order in await trader.fetch_orders(SYMBOL)] == [first["id"], second["id"]]
    assert [order["id"] for order in await trader.fetch_orders(SYMBOL, clock.now_ms())] == [second["id"]]
    assert [order["id"] for order in await trader.fetch_orders(SYMBOL, None, 1)] == [second["id"]]
    assert [order["id"] for order in await trader.fetch_orders(SYMBOL, clock.now_ms() - 1_000, 1)] == [first["id"]]
    assert [trade["order"] for trade in await trader.fetch_my_trades(SYMBOL)] == [first["id"], second["id"]]
    assert [trade["side"] for trade in await trader.fetch_my_trades(SYMBOL, clock.now_ms())] == ["sell"]
    assert [trade["side"] for trade in await trader.fetch_my_trades(SYMBOL, None, 1)] == ["sell"]
    only = await trader.fetch_my_trades(SYMBOL, None, None, {"orderId": first["id"]})
    assert [(trade["order"], trade["takerOrMaker"]) for trade in only] == [(first["id"], "taker")]
    assert await trader.fetch_my_trades("ETH/USDT") == []


async def test_balances_and_fees_are_readable(trader: Any) -> None:
    balance = await trader.fetch_balance()
    assert balance["USDT"] == {"free": 100_000, "used": 0, "total": 100_000}
    assert (await trader.fetch_trading_fee(SYMBOL))["taker"] == 0.001
    assert set(await trader.fetch_trading_fees()) == {SYMBOL, "ETH/USDT", "DOGE/USDT"}


async def test_a_client_that_wants_currencies_gets_them(trader: Any) -> None:
    trader.options["fetchCurrencies"] = True
    await trader.load_markets()
    assert {"BTC", "USDT", "ETH", "DOGE"} <= set(trader.currencies)


async def test_what_the_account_cannot_pay_is_refused(trader: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await trader.create_order(SYMBOL, "market", "buy", 50)
    with pytest.raises(ccxt.InsufficientFunds):
        await trader.create_order(SYMBOL, "market", "sell", 2.00001)
    with pytest.raises(ccxt.InsufficientFunds):
        await trader.create_order("ETH/USDT", "market", "sell", 1)


async def test_an_order_sent_too_late_is_refused_by_the_exchange(trader: Any, clock: ManualClock) -> None:
    signed_at = clock.now_ms()
    await trader.load_markets()
    clock.advance_to(signed_at + 5_001)
    with pytest.raises(ccxt.InvalidNonce):
        await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"timestamp": signed_at, "recvWindow": 5_000})
    assert await trader.fetch_orders(SYMBOL) == []


async def test_a_wrong_key_or_secret_is_an_authentication_error(trader: Any) -> None:
    secret = trader.secret
    trader.secret = "another"
    with pytest.raises(ccxt.AuthenticationError):
        await trader.fetch_balance()
    trader.apiKey, trader.secret = "unknown", secret
    with pytest.raises(ccxt.AuthenticationError):
        await trader.fetch_balance()


async def test_the_status_and_the_permissions_of_the_key_are_readable(trader: Any) -> None:
    assert (await trader.fetch_status())["status"] == "ok"
    restrictions = await trader.sapi_get_account_apirestrictions()
    assert (restrictions["enableReading"], restrictions["enableSpotAndMarginTrading"]) == (True, True)
    assert (restrictions["enableWithdrawals"], restrictions["ipRestrict"]) == (False, False)


async def test_a_client_on_another_clock_measures_the_difference_and_trades() -> None:
    exchange = Exchange(SimulatedClock(start_ms=1_600_000_000_000), [generated_market("BTCUSDT")])
    async with await start_simulator(exchange, accounts=[MAIN]) as simulator:
        client = ccxt.async_support.binance(ccxt_config(simulator.url, KEY) | {"enableRateLimit": False})
        client.options["adjustForTimeDifference"] = True
        try:
            order = await client.create_order(SYMBOL, "market", "buy", 0.001)
        finally:
            await client.close()
        assert order["status"] == "closed"
        assert 1_600_000_000_000 <= order["timestamp"] <= exchange.clock.now_ms()
