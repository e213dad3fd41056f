"""The habits of the exchanges, one row each: what ccxt does not unify, and an order must not be guessed about.

Read in the source of ccxt and in the documentation of the exchanges; docs/exchanges.md has the table and its sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import VenueMisfit


@dataclass(frozen=True, slots=True)
class WeightLimit:
    """A budget of requests that the exchange itself counts, per address and minute.

    Attributes:
        header: of its answers: what was used so far, in lower case.
        per_minute: what may be used.
    """

    header: str
    per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueHabits:
    """What an exchange is like to an order.

    Attributes:
        order_lists: methods of ccxt that together list all orders of a symbol.
        looks_up: `fetch_order` takes the client order id. Otherwise the lists are searched.
        list_filter: parameter by which the exchange searches its lists for a client order id.
        finds: an order that is not found does not exist.
        client_id: parameter of `create_order` for the client order id; most are unified by ccxt.
        deadline: seconds after its timestamp from when on the exchange refuses an order; None: it has no such deadline,
            or one longer than an attempt to send.
        deadline_header: header for the deadline, milliseconds UTC, where the timestamp alone does not set it.
        buys_by_cost: a market buy names what it costs, not what it buys.
        stop_price: parameter of a market order that makes it a stop, which rests, is listed and is looked up like any
            other order; None: the exchange has none such, or keeps them apart.
        trades_filter: parameter of `fetch_my_trades` for the exchange's order id.
        weight: the budget of requests that it reports.
        tells_permissions: it says what a key may do, by `sapi_get_account_apirestrictions`.
    """

    order_lists: tuple[str, ...]
    looks_up: bool = True
    list_filter: str | None = None
    finds: bool = True
    client_id: str = "clientOrderId"
    deadline: float | None = None
    deadline_header: str | None = None
    buys_by_cost: bool = False
    stop_price: str | None = None
    trades_filter: str | None = None
    weight: WeightLimit | None = None
    tells_permissions: bool = False


_OPEN_AND_CLOSED = ("fetch_open_orders", "fetch_closed_orders")
_OPEN_AND_ENDED = ("fetch_open_orders", "fetch_canceled_and_closed_orders")
_ALL = ("fetch_orders",)

# Milliseconds for which an order is valid, where the client may choose: see `deadline`.
RECEIVE_WINDOW_MS = 5_000

HABITS: Mapping[str, VenueHabits] = {
    "binance": VenueHabits(
        order_lists=_ALL,
        deadline=5.0,
        stop_price="stopLossPrice",
        trades_filter="orderId",
        weight=WeightLimit("x-mbx-used-weight-1m", 6_000),
        tells_permissions=True,
    ),
    # Of its own it refuses a request after 30 s; the header does so sooner.
    "okx": VenueHabits(
        order_lists=(*_OPEN_AND_CLOSED, "fetch_canceled_orders"),
        deadline=5.0,
        deadline_header="expTime",
        trades_filter="ordId",
    ),
    # By cost, because the quantity of a market buy means base in unified accounts and quote in classic ones.
    "bybit": VenueHabits(
        order_lists=_OPEN_AND_ENDED,
        looks_up=False,
        list_filter="orderLinkId",
        deadline=5.0,
        buys_by_cost=True,
        trades_filter="orderId",
    ),
    "kucoin": VenueHabits(order_lists=_OPEN_AND_CLOSED, deadline=5.0, trades_filter="orderId"),
    # Refuses a request after 30 s, when the attempt to send it has long ended.
    "bitget": VenueHabits(order_lists=_OPEN_AND_ENDED, buys_by_cost=True, trades_filter="orderId"),
    # Of its own it refuses a request after 60 s; the header does so sooner.
    "gate": VenueHabits(
        order_lists=_OPEN_AND_CLOSED,
        deadline=5.0,
        deadline_header="x-gate-exptime",
        buys_by_cost=True,
        trades_filter="order_id",
    ),
    # Refuses a request after 5 minutes.
    "htx": VenueHabits(order_lists=_ALL, buys_by_cost=True),
    "mexc": VenueHabits(order_lists=_ALL, deadline=5.0, trades_filter="orderId"),
    "kraken": VenueHabits(
        order_lists=_OPEN_AND_CLOSED, looks_up=False, list_filter="clientOrderId", finds=False
    ),
    "coinbase": VenueHabits(
        order_lists=_ALL,
        looks_up=False,
        finds=False,
        client_id="client_order_id",
        buys_by_cost=True,
        trades_filter="order_id",
    ),
}  # fmt: skip


def habits_of(venue: str) -> VenueHabits:
    """Return the row of an exchange, by its ccxt id.

    Raises:
        VenueMisfit: it has none, so nobody knows how to send it an order only once.
    """
    if (row := HABITS.get(venue)) is None:
        known = ", ".join(sorted(HABITS))
        raise VenueMisfit("broker.trading_mode", f"{venue} trades on paper only; live orders are known for {known}")
    return row
