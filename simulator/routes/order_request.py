"""The parameters of a new order, read and refused as the venue does before it looks at the market's rules."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from simulator import errors
from simulator.errors import VenueError
from simulator.exchange import Exchange
from simulator.routes.params import Params
from simulator.trading.desk import new_client_order_id
from simulator.trading.orders import OrderRequest, OrderType, Side, TimeInForce

E = TypeVar("E", bound=StrEnum)

CLIENT_ORDER_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
RESPONSE_TYPES = ("ACK", "RESULT", "FULL")

_LIMIT = ("timeInForce", "quantity", "price")
_REQUIRED: Mapping[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: _LIMIT,
    OrderType.LIMIT_MAKER: ("quantity", "price"),
    OrderType.MARKET: (),
    OrderType.STOP_LOSS: ("quantity", "stopPrice"),
    OrderType.STOP_LOSS_LIMIT: (*_LIMIT, "stopPrice"),
    OrderType.TAKE_PROFIT: ("quantity", "stopPrice"),
    OrderType.TAKE_PROFIT_LIMIT: (*_LIMIT, "stopPrice"),
}
_NEVER_NEEDED = ("timeInForce", "quantity", "price", "stopPrice", "quoteOrderQty")
# Recorded by the venue and of no consequence here: nobody trades with himself on a book that is made up.
_WITHOUT_EFFECT = ("selfTradePreventionMode", "strategyId", "strategyType")


def read_order(params: Params, exchange: Exchange) -> OrderRequest:
    """Return the order that was asked for.

    Raises:
        VenueError: a parameter is missing, is not needed, or is not of its form.
    """
    symbol = params.market(exchange).symbol
    side = _member(Side, params.required("side"), errors.invalid_side())
    kind = _member(OrderType, params.required("type"), errors.invalid_order_type())
    _refuse_unsupported(params)
    _check_presence(params, kind)
    in_force = params.text("timeInForce")
    quantity, quote_quantity = (
        params.decimal("quantity", "quantity"),
        params.decimal("quoteOrderQty", "quote order qty"),
    )
    client_order_id = params.matching("newClientOrderId", CLIENT_ORDER_ID)
    for name in _WITHOUT_EFFECT:
        params.text(name)
    return OrderRequest(
        symbol=symbol,
        side=side,
        type=kind,
        client_order_id=client_order_id or new_client_order_id(),
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=params.decimal("price", "price"),
        stop_price=params.decimal("stopPrice", "stop price"),
        time_in_force=_member(TimeInForce, in_force or TimeInForce.GTC, errors.invalid_time_in_force()),
    )


def response_type(params: Params, kind: OrderType) -> str:
    """Return how much of an accepted order the answer tells."""
    asked = params.text("newOrderRespType")
    if asked is not None and asked not in RESPONSE_TYPES:
        raise errors.invalid_response_type()
    return asked or ("FULL" if kind in (OrderType.MARKET, OrderType.LIMIT) else "ACK")


def _check_presence(params: Params, kind: OrderType) -> None:
    required = _REQUIRED[kind]
    if kind is OrderType.MARKET:
        if params.text("quantity") is None and params.text("quoteOrderQty") is None:
            raise errors.both_empty("quantity", "quoteOrderQty")
        required = ("quantity",) if params.text("quantity") is not None else ("quoteOrderQty",)
    for name in required:
        params.required(name)
    for name in _NEVER_NEEDED:
        if name not in required and params.text(name) is not None:
            raise errors.not_required(name)


def _refuse_unsupported(params: Params) -> None:
    if params.text("icebergQty") is not None:
        raise errors.not_supported("Iceberg")
    if params.text("trailingDelta") is not None:
        raise errors.not_supported("Trailing stop")


def _member(kind: type[E], value: str, refusal: VenueError) -> E:
    try:
        return kind(value)
    except ValueError:
        raise refusal from None
