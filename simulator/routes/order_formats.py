"""The JSON of orders, trades and balances, field by field as Binance sends it."""

from typing import Any

from simulator.trading.money import ZERO, text
from simulator.trading.orders import Order, Trade
from simulator.trading.wallet import Balance


def placed(order: Order, detail: str) -> dict[str, Any]:
    """Return the answer to a new order; `detail` is ACK, RESULT or FULL."""
    acknowledged = {**_identity(order), "transactTime": order.updated_ms}
    if detail == "ACK":
        return acknowledged
    result = acknowledged | _state(order) | _prices(order) | {"workingTime": _working(order)}
    return result if detail == "RESULT" else result | {"fills": [_fill(trade) for trade in order.trades]}


def queried(order: Order) -> dict[str, Any]:
    """Return an order as queries show it."""
    return {
        **_identity(order),
        **_state(order),
        "stopPrice": text(order.request.stop_price or ZERO),
        "icebergQty": text(ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": not order.awaits_stop,
        "workingTime": _working(order),
    }


def cancelled(order: Order, cancel_id: str) -> dict[str, Any]:
    """Return the answer to a cancellation, which has a client id of its own."""
    return {
        **_identity(order),
        "origClientOrderId": order.request.client_order_id,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_state(order),
        **_prices(order),
    }


def traded(trade: Trade) -> dict[str, Any]:
    """Return a trade of the account."""
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "orderListId": -1,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.quote_quantity),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": trade.moment,
        "isBuyer": trade.side == "BUY",
        "isMaker": trade.is_maker,
        "isBestMatch": True,
    }


def balance(asset: str, held: Balance) -> dict[str, str]:
    """Return what there is of one asset."""
    return {"asset": asset, "free": text(held.free), "locked": text(held.locked)}


def _identity(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.request.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.request.client_order_id,
    }


def _state(order: Order) -> dict[str, Any]:
    return {
        "price": text(order.request.price or ZERO),
        "origQty": text(order.quantity),
        "executedQty": text(order.executed),
        "origQuoteOrderQty": text(order.request.quote_quantity or ZERO),
        "cummulativeQuoteQty": text(order.quote_executed),
        "status": order.status,
        "timeInForce": order.request.time_in_force,
        "type": order.request.type,
        "side": order.request.side,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def _prices(order: Order) -> dict[str, Any]:
    """Return the stop price, which answers show for orders that have one only."""
    return {} if order.request.stop_price is None else {"stopPrice": text(order.request.stop_price)}


def _working(order: Order) -> int:
    return -1 if order.working_ms is None else order.working_ms


def _fill(trade: Trade) -> dict[str, Any]:
    return {
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "tradeId": trade.trade_id,
    }
