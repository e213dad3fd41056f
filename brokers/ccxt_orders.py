"""From ccxt's orders and trades to our reports. Pure."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from brokers.ccxt_types import Order, Trade
from domain.instruments import Instrument
from domain.model import ZERO, Quantity, exact
from domain.orders import Fill, OrderIntent, OrderReport, OrderStatus, OrderType, Side

log = logging.getLogger(__name__)

# What ccxt calls an order that has ended, and how it ended if it was not filled whole. An order of which the rest was
# cancelled is `closed` at some venues.
_ENDED: Mapping[str, OrderStatus] = {
    "closed": "cancelled",
    "canceled": "cancelled",
    "expired": "expired",
    "rejected": "rejected",
}
# gate wants this in front of client order ids.
_GATE_PREFIX = "t-"


def client_id_of(order: Order) -> str:
    """Return the client order id as we chose it; empty if the venue tells none."""
    return str(order.get("clientOrderId") or "").removeprefix(_GATE_PREFIX)


def side_of(order: Order) -> Side:
    """Return the side of an order."""
    return "sell" if order.get("side") == "sell" else "buy"


def type_of(order: Order) -> OrderType:
    """Return the kind of an order, whoever has placed it."""
    if order.get("triggerPrice") is not None:
        return "stop"
    return "market" if order.get("type") == "market" else "limit"


def mismatch(order: Order, intent: OrderIntent, *, by_cost: bool) -> str | None:
    """Return in what an order differs from the intent that has its id; None if in nothing that the venue tells.

    Args:
        by_cost: it was placed by what it costs, so that its quantity is another.
    """
    expected = {"symbol": intent.symbol, "side": intent.side} | ({} if by_cost else {"amount": intent.quantity})
    differing = [
        f"{name} is {found}, expected {wanted}"
        for name, wanted in expected.items()
        if (found := _exactly(order.get(name), wanted)) is not None and found != wanted
    ]
    return ", ".join(differing) or None


def fills_of(trades: Iterable[Trade], instrument: Instrument, *, at: int) -> tuple[Fill, ...]:
    """Return the fills of trades, each once, oldest first.

    Args:
        at: when they happened, milliseconds UTC, where they do not say so themselves.
    """
    by_id = {str(trade["id"]): _fill(trade, instrument, at) for trade in trades if trade.get("id") is not None}
    return tuple(sorted(by_id.values(), key=lambda fill: fill.at))


def report_of(order: Order, fills: Sequence[Fill], *, client_order_id: str, quantity: Quantity | None) -> OrderReport:
    """Return the report of an order.

    Args:
        quantity: what was ordered, in base; None for an order placed by what it costs.
    """
    return OrderReport(
        client_order_id=client_order_id,
        status=status_of(order, filled_by(fills), quantity),
        venue_order_id=str(order["id"]),
        fills=tuple(fills),
    )


def number_of(told: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a number of an order or a trade; None if the venue tells none."""
    value = told.get(name)
    return None if value is None else Decimal(str(value))


@exact()
def filled_by(fills: Iterable[Fill]) -> Quantity:
    """Return the quantity of some fills, in base."""
    return sum((fill.quantity for fill in fills), ZERO)


def _exactly(told: object, like: object) -> object:
    return Decimal(str(told)) if told is not None and isinstance(like, Decimal) else told


def status_of(order: Order, filled: Quantity, quantity: Quantity | None) -> OrderStatus:
    """Return how an order stands, by what is filled, and only then by what the venue calls it.

    Args:
        filled: by the fills that are known.
        quantity: what was ordered, in base; None for an order placed by what it costs.
    """
    told = number_of(order, "filled")
    all_listed = told is None or told <= filled
    if all_listed and quantity is not None and filled >= quantity:
        return "filled"
    ended = _ENDED.get(order.get("status") or "")
    if ended is None or not all_listed:
        # A venue can take a moment to list all trades of an order that has ended: until then it has not.
        return "partially_filled" if filled else "open"
    return "filled" if quantity is None and filled else ended


def _fill(trade: Trade, instrument: Instrument, at: int) -> Fill:
    fee, currency = _fee(trade, instrument)
    return Fill(
        trade_id=str(trade["id"]),
        price=Decimal(trade["price"]),
        quantity=Decimal(trade["amount"]),
        fee=fee,
        fee_currency=currency,
        at=int(trade.get("timestamp") or at),
    )


def _fee(trade: Trade, instrument: Instrument) -> tuple[Decimal, str]:
    fees = trade.get("fees") or [trade.get("fee") or {}]
    paid = [(cost, str(fee["currency"])) for fee in fees if (cost := number_of(fee, "cost")) and fee.get("currency")]
    if len(paid) > 1:
        log.warning("trade %s has fees in several currencies, of which one is booked: %s", trade["id"], paid)
    return paid[0] if paid else (ZERO, instrument.quote)
