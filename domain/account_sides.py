"""The two sides of an account that bots trade: what their books say, and what the venue says."""

from collections.abc import Mapping

from domain.accounts import Balance, VenueOrder
from domain.instruments import AccountRef, Instrument
from domain.model import ZERO, Milliseconds, Model, Money, Price, Quantity
from domain.orders import OrderStatus, OrderType, Side
from domain.state import BotRow

RESTING: tuple[OrderStatus, ...] = ("open", "partially_filled")
"""How an order stands of which more may come at the venue."""


class BotBooks(Model):
    """What the books of one bot say.

    Attributes:
        cash: quote that it may spend; zero for one that has stopped, whose capital others may be given.
        holding: base, dust included.
        ordered_at: the venue's time of the last order; zero before the first.
        unknown: the order of which only a person can tell whether the venue has it.
        difference: what the bot itself has found to differ, and no person has explained yet.
    """

    bot_id: str
    uid: str
    instrument: Instrument
    cash: Money
    holding: Quantity
    ordered_at: Milliseconds = 0
    unknown: str | None = None
    difference: str | None = None


class Standing(Model):
    """How an order stands, in base. `fills` are the venue's trade ids, where they are known."""

    status: OrderStatus
    filled: Quantity
    fills: tuple[str, ...] = ()

    @property
    def rests(self) -> bool:
        """Whether more may come of it at the venue."""
        return self.status in RESTING


class JournaledOrder(Model):
    """An order as the journal has it."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Quantity
    standing: Standing


class ListedOrder(Model):
    """An order as the venue lists it, without its fills.

    Attributes:
        client_order_id: empty where the venue tells none.
        price: limit or trigger; None for a market order.
        created_at: the venue's time of acceptance.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Quantity
    price: Price | None
    standing: Standing
    created_at: Milliseconds


class MarketOrders(Model):
    """The orders of an account in one market that rest or are recent: those of bots with all fills, and all others."""

    own: tuple[VenueOrder, ...] = ()
    others: tuple[ListedOrder, ...] = ()


class VenueSide(Model):
    """What the venue says of an account.

    Attributes:
        now: the venue's clock.
        balances: of currencies of which there is anything.
    """

    now: Milliseconds
    balances: Mapping[str, Balance]
    orders: MarketOrders


def live_books(row: BotRow) -> tuple[AccountRef, BotBooks] | None:
    """Return the account that a bot trades and its books; None for one whose books are of paper, or that has none."""
    carried = row.carried
    if carried is None or carried.config is None or carried.instrument is None or carried.config.account is None:
        return None
    spends = row.enabled or row.status != "stopped"
    return carried.config.account, BotBooks(
        bot_id=row.bot_id,
        uid=row.uid,
        instrument=carried.instrument,
        cash=carried.book.cash if spends else ZERO,
        holding=carried.book.holding,
        ordered_at=carried.ordered_at,
        unknown=carried.unknown.intent.client_order_id if carried.unknown else None,
        difference=carried.difference,
    )
