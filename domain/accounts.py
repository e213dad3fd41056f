"""An account at a venue, and what the venue says of it."""

from collections.abc import Mapping

from domain.model import Milliseconds, Model, Money, Price, Quantity
from domain.orders import OrderReport, OrderType, Side


class VenueOrder(Model):
    """An order as the venue knows it, with all its fills.

    Attributes:
        price: limit or trigger; None for a market order.
        created_at: the venue's time of acceptance.
    """

    report: OrderReport
    symbol: str
    side: Side
    type: OrderType
    quantity: Quantity
    price: Price | None = None
    created_at: Milliseconds


class Balance(Model):
    """One currency of an account: what may be spent, and what open orders hold back."""

    free: Money
    locked: Money


class KeyState(Model):
    """What a venue has last said of the keys of an account.

    Attributes:
        refused: in which words it refuses them; None: it accepts them.
        orders: it has said so to an order, not only to a read.
    """

    refused: str | None
    orders: bool


class AccountView(Model):
    """What a key may do and what its account holds.

    Attributes:
        may_trade, may_withdraw: None where the venue does not say.
        takes_stops: a stop can rest at the venue, as an order of the account like any other.
        balances: currencies of which there is anything.
    """

    may_trade: bool | None
    may_withdraw: bool | None
    takes_stops: bool
    balances: Mapping[str, Balance]
