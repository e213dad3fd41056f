"""What is refused, with which of Binance's codes and in which words."""

from typing import Any

import pytest

from simulator.clock import ManualClock

ORDER = "/api/v3/order"
LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "47000"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "0.001"}
STOP = {"side": "SELL", "type": "STOP_LOSS", "quantity": "0.001", "stopPrice": "40000"}
_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"


def without(params: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in params.items() if key != name}


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (without(LIMIT, "side"), -1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed."),
        (without(LIMIT, "type"), -1102, "Mandatory parameter 'type' was not sent, was empty/null, or malformed."),
        (
            without(LIMIT, "timeInForce"),
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        (without(LIMIT, "price"), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        (
            without(MARKET, "quantity"),
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        (
            without(STOP, "stopPrice"),
            -1102,
            "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed.",
        ),
        (LIMIT | {"quantity": ""}, -1105, "Parameter 'quantity' was empty."),
        (
            LIMIT | {"quantity": "-1"},
            -1100,
            f"Illegal characters found in parameter 'quantity'; legal range is '{_DECIMAL}'.",
        ),
        (
            LIMIT | {"newClientOrderId": "with space"},
            -1100,
            r"Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\.A-Z\:/a-z0-9_-]{1,36}$'.",
        ),
        (LIMIT | {"side": "HOLD"}, -1117, "Invalid side."),
        (LIMIT | {"type": "ICEBERG"}, -1116, "Invalid orderType."),
        (LIMIT | {"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (MARKET | {"newOrderRespType": "MOST"}, -1136, "Invalid newOrderRespType."),
        (MARKET | {"price": "47000"}, -1106, "Parameter 'price' sent when not required."),
        (MARKET | {"timeInForce": "GTC"}, -1106, "Parameter 'timeInForce' sent when not required."),
        (MARKET | {"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        (LIMIT | {"stopPrice": "46000"}, -1106, "Parameter 'stopPrice' sent when not required."),
        (LIMIT | {"quantity": "0.001000001"}, -1111, "Parameter 'quantity' has too much precision."),
        (
            MARKET | {"color": "red"},
            -1104,
            "Not all sent parameters were read; read '6' parameter(s) but was sent '7'.",
        ),
        (LIMIT | {"quantity": "0"}, -1013, "Invalid quantity."),
        (LIMIT | {"price": "0.00"}, -1013, "Invalid price."),
        (LIMIT | {"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        (LIMIT | {"quantity": "0.001001"}, -1013, "Filter failure: LOT_SIZE"),
        (LIMIT | {"quantity": "9000.00001"}, -1013, "Filter failure: LOT_SIZE"),
        (MARKET | {"quantity": "120.00001"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
        (LIMIT | {"price": "47000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        (LIMIT | {"price": "1000000.01"}, -1013, "Filter failure: PRICE_FILTER"),
        (LIMIT | {"price": "300000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (LIMIT | {"price": "9000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (LIMIT | {"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
        # At its own price, not at the market's.
        (LIMIT | {"quantity": "0.0002", "price": "10000"}, -1013, "Filter failure: NOTIONAL"),
        (MARKET | {"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
        (without(MARKET, "quantity") | {"quoteOrderQty": "4.99"}, -1013, "Filter failure: NOTIONAL"),
        (LIMIT | {"quantity": "200"}, -1013, "Filter failure: NOTIONAL"),
        (LIMIT | {"icebergQty": "0.0001"}, -1013, "Iceberg orders are not supported for this symbol."),
        (STOP | {"trailingDelta": "10"}, -1013, "Trailing stop orders are not supported for this symbol."),
        (STOP | {"stopPrice": "60000"}, -2010, "Order would trigger immediately."),
        (STOP | {"type": "TAKE_PROFIT"}, -2010, "Order would trigger immediately."),
        (STOP | {"side": "BUY"}, -2010, "Order would trigger immediately."),
        (MARKET | {"quantity": "3"}, -2010, "Account has insufficient balance for requested action."),
        (LIMIT | {"quantity": "3"}, -2010, "Account has insufficient balance for requested action."),
    ],
)
async def test_an_order_against_the_rules(params: dict[str, str], code: int, message: str, private: Any) -> None:
    assert await private.refused("POST", ORDER, symbol="BTCUSDT", **params) == (code, message)
    assert (await private("GET", "/api/v3/allOrders", symbol="BTCUSDT"))[1] == []


async def test_an_unknown_symbol(private: Any) -> None:
    assert await private.refused("POST", ORDER, symbol="NOPE", **MARKET) == (-1121, "Invalid symbol.")


@pytest.mark.parametrize("name", ["origClientOrderId", "orderId"])
async def test_an_unknown_order(name: str, private: Any) -> None:
    asked = {"symbol": "BTCUSDT", name: "77"}
    assert await private.refused("GET", ORDER, **asked) == (-2013, "Order does not exist.")
    assert await private.refused("DELETE", ORDER, **asked) == (-2011, "Unknown order sent.")


async def test_an_order_must_be_named(private: Any) -> None:
    expected = (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    assert await private.refused("GET", ORDER, symbol="BTCUSDT") == expected
    assert await private.refused("DELETE", ORDER, symbol="BTCUSDT") == expected


async def test_ids_belong_to_their_symbol(private: Any) -> None:
    order = await private.accepted(**MARKET, newClientOrderId="here")
    await private.accepted("DOGEUSDT", side="BUY", type="MARKET", quantity="100")
    assert order["orderId"] == 1
    found = await private("GET", ORDER, symbol="DOGEUSDT", orderId=1)
    assert found[1]["origQty"] == "100.00000000"
    assert (await private.refused("GET", ORDER, symbol="DOGEUSDT", origClientOrderId="here"))[0] == -2013


async def test_a_client_id_is_refused_while_open_and_accepted_again_after_that(
    private: Any, clock: ManualClock
) -> None:
    first = await private.accepted(**LIMIT | {"price": "30000"}, newClientOrderId="again")
    assert await private.refused("POST", ORDER, symbol="BTCUSDT", **MARKET, newClientOrderId="again") == (
        -2010,
        "Duplicate order sent.",
    )
    await private("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="again")
    second = await private.accepted(**MARKET, newClientOrderId="again")
    third = await private.accepted(**MARKET, newClientOrderId="again")
    assert first["orderId"] < second["orderId"] < third["orderId"]
    _, found = await private("GET", ORDER, symbol="BTCUSDT", origClientOrderId="again")
    assert found["orderId"] == third["orderId"]
    _, cancelled = await private("GET", ORDER, symbol="BTCUSDT", orderId=first["orderId"])
    assert cancelled["status"] == "CANCELED"


async def test_a_test_order_is_checked_and_not_accepted(private: Any) -> None:
    assert await private("POST", f"{ORDER}/test", symbol="BTCUSDT", **MARKET) == (200, {})
    assert (await private.refused("POST", f"{ORDER}/test", symbol="BTCUSDT", **MARKET | {"quantity": "0.0001"}))[0] == (
        -1013
    )
    assert (await private("GET", "/api/v3/allOrders", symbol="BTCUSDT"))[1] == []


@pytest.mark.parametrize("where", ["query", "body"])
async def test_parameters_may_stand_in_the_query_or_in_the_body(where: str, private: Any) -> None:
    signed = private.sign(symbol="BTCUSDT", **MARKET)
    query, body = (signed, "") if where == "query" else ("", signed)
    status, answer = await private.send("POST", ORDER, query, body)
    assert (status, answer["status"]) == (200, "FILLED")


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        (MARKET | {"newOrderRespType": "ACK"}, 5),
        (MARKET | {"newOrderRespType": "RESULT"}, 16),
        (MARKET, 17),
        (LIMIT | {"price": "30000"}, 17),
        (STOP, 5),
    ],
)
async def test_the_answer_is_as_long_as_was_asked_for(params: dict[str, str], fields: int, private: Any) -> None:
    assert len(await private.accepted(**params)) == fields


async def test_open_orders_are_limited_and_stops_more_so(private: Any) -> None:
    for _ in range(5):
        await private.accepted(**STOP)
    assert await private.refused("POST", ORDER, symbol="BTCUSDT", **STOP) == (
        -1013,
        "Filter failure: MAX_NUM_ALGO_ORDERS",
    )
    for _ in range(195):
        await private.accepted(**LIMIT | {"price": "30000"})
    assert await private.refused("POST", ORDER, symbol="BTCUSDT", **MARKET) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    status, cancelled = await private("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, len(cancelled)) == (200, 200)
    assert {order["status"] for order in cancelled} == {"CANCELED"}
    assert await private.refused("DELETE", "/api/v3/openOrders", symbol="BTCUSDT") == (-2011, "Unknown order sent.")


async def test_lookups_over_more_than_a_day_are_refused(private: Any) -> None:
    span = {"symbol": "BTCUSDT", "startTime": 1, "endTime": 86_400_002}
    expected = (-1127, "More than 24 hours between startTime and endTime.")
    assert await private.refused("GET", "/api/v3/allOrders", **span) == expected
    assert await private.refused("GET", "/api/v3/myTrades", **span) == expected
    mixed = {"symbol": "BTCUSDT", "startTime": 1, "fromId": 1}
    assert (await private.refused("GET", "/api/v3/myTrades", **mixed))[0] == -1128
