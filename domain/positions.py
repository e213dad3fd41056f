"""Positions and the books of a bot: quantities and costs, exact to the last digit. Pure.

A position keeps its quantity and its *cost* (what was paid for what it holds); the average price is derived.
Adding grows the cost by price × quantity; reducing releases cost in proportion, and the last reduction releases
all that remains, so that nothing is lost to rounding.

A fee in base leaves the quantity at the fill's price and is booked as commission, once: buying 1 @ 100 with a fee
of 0.001 base holds 0.999 at a cost of 99.9, with a commission of 0.1. Cash paid 100 = cost + commission. A fee in a
third coin is commission too, at its value when it was paid, but leaves cash and quantity alone: others keep that coin.

What is left of a position below the venue's minimum is dust: it stays in the books with its cost and is the first
part of the next position, so the books always equal what the account holds.
"""

from decimal import Decimal
from typing import Protocol

from domain.errors import SteadyhandError
from domain.instruments import Instrument
from domain.model import ZERO, Milliseconds, Model, Money, Price, Quantity, as_money, exact
from domain.orders import Fill, OrderIntent


class BookError(SteadyhandError):
    """A fill that the books cannot hold, such as selling more than is open. A bug, or a foreign trade."""


class OpenPosition(Protocol):
    """What levels and limits read of a position, whoever keeps the books."""

    @property
    def entries(self) -> int:
        """How many entry orders it was made from."""

    @property
    def cost(self) -> Money:
        """What was paid for what it holds."""

    @property
    def avg_price(self) -> Price:
        """Average price paid for what is held."""

    @property
    def bought(self) -> Quantity:
        """Units of base that it has had, those included that were sold since."""

    @property
    def takes(self) -> int:
        """How many parts have been sold at a profit."""

    def unrealized_pnl(self, price: Price) -> Money:
        """Return what selling all at `price` would earn, fees aside."""


class OpenBook(Protocol):
    """What sizing and limits read of the books, whoever keeps them."""

    @property
    def cash(self) -> Money:
        """Quote that may be spent."""

    @property
    def position(self) -> OpenPosition | None:
        """What is open."""

    @property
    def holding(self) -> Quantity:
        """Units of base, dust included."""

    @property
    def held_cost(self) -> Money:
        """What was paid for them."""


class Holding(Model):
    """Base held and what was paid for it."""

    quantity: Quantity = ZERO
    cost: Money = ZERO


class Position(Model):
    """An open long position.

    Attributes:
        id: the client order id of its first entry; unique for ever.
        qty_open, cost: what is held now (carried dust included) and what was paid for it.
        entries: how many entry orders it was made from.
        realized_pnl: gross profit of what was sold so far; commission not deducted.
        commission: all fees so far, valued in quote at the fills' prices.
        opened_at, entered_at: times of the first and of the newest entry fill.
        exit_quantity, exit_value, released_cost: sums over the exit fills.
        takes: how many parts have been sold at a profit, as the exit logic asks for.
        signal_time, signal_close: candle of the first entry's signal, from which the exit logic starts.
    """

    id: str
    symbol: str
    qty_open: Quantity
    cost: Money
    entries: int
    opened_at: Milliseconds
    entered_at: Milliseconds = 0
    signal_time: Milliseconds
    signal_close: Price
    config_version: int
    realized_pnl: Money = ZERO
    commission: Money = ZERO
    exit_quantity: Quantity = ZERO
    exit_value: Money = ZERO
    released_cost: Money = ZERO
    takes: int = 0
    orders: tuple[str, ...] = ()

    @property
    def avg_price(self) -> Price:
        """Average price paid for what is held; zero when nothing is."""
        return self.cost / self.qty_open if self.qty_open else ZERO

    @property
    def bought(self) -> Quantity:
        """Units of base that it has had: what is held and what was sold."""
        return self.qty_open + self.exit_quantity

    @exact()
    def unrealized_pnl(self, price: Price) -> Money:
        """Return what selling all at `price` would earn, fees aside, in quote."""
        return self.qty_open * price - self.cost


class Book(Model):
    """What a bot owns: cash in quote, at most one position, and dust of earlier ones."""

    cash: Money
    position: Position | None = None
    dust: Holding = Holding()

    @property
    def holding(self) -> Quantity:
        """Units of base, dust included (an open position has taken the dust in)."""
        return self.position.qty_open if self.position else self.dust.quantity

    @property
    def held_cost(self) -> Money:
        """What was paid for them."""
        return self.position.cost if self.position else self.dust.cost

    @exact()
    def equity(self, price: Price | None) -> Money:
        """Return cash plus holdings at `price`; at cost when no price is known."""
        return self.cash + (self.held_cost if price is None else self.holding * price)


class Trade(Model):
    """A round trip: `gross_pnl − commission = net_pnl`, exactly; it counts what was really filled.

    `size` is the base that was sold; `entry_price` and `exit_price` are averages over it.
    """

    position_id: str
    symbol: str
    entry_time: Milliseconds
    exit_time: Milliseconds
    entry_price: Price
    entry_value: Money
    exit_price: Price
    exit_value: Money
    size: Quantity
    commission: Money
    gross_pnl: Money
    net_pnl: Money
    exit_reason: str
    orders: tuple[str, ...]

    @property
    def pnl_percentage(self) -> Decimal:
        """Net profit in percent of the entry value."""
        return self.net_pnl / self.entry_value * 100 if self.entry_value else ZERO


@exact()
def book_entry(book: Book, intent: OrderIntent, fill: Fill, instrument: Instrument, *, signal_close: Price) -> Book:
    """Return the book after a buy: cash paid, quantity and cost grown, the fee booked once."""
    paid = as_money(fill.price * fill.quantity)
    fee_base, fee_quote, fee_third = _fees(fill, instrument)
    fee_value = as_money(fee_base * fill.price)
    position = book.position or Position(
        id=intent.client_order_id,
        symbol=intent.symbol,
        qty_open=book.dust.quantity,
        cost=book.dust.cost,
        entries=0,
        opened_at=fill.at,
        signal_time=intent.candle_time,
        signal_close=signal_close,
        config_version=intent.config_version,
    )
    first_fill = intent.client_order_id not in position.orders
    position = position.model_copy(
        update={
            "qty_open": position.qty_open + fill.quantity - fee_base,
            "cost": position.cost + paid - fee_value,
            "commission": position.commission + fee_value + fee_quote + fee_third,
            "entered_at": fill.at,
            "entries": position.entries + first_fill,
            "orders": (*position.orders, intent.client_order_id) if first_fill else position.orders,
        }
    )
    return Book(cash=book.cash - paid - fee_quote, position=position, dust=Holding())


@exact()
def book_exit(book: Book, intent: OrderIntent, fill: Fill, instrument: Instrument) -> Book:
    """Return the book after a sale: cost released in proportion, what remains with the last unit.

    Raises:
        BookError: more was sold than is open.
    """
    position = book.position
    if position is None or fill.quantity > position.qty_open:
        held = position.qty_open if position else ZERO
        raise BookError(f"sold {fill.quantity:f} {instrument.base} of {intent.symbol}, but {held:f} is open")
    released = released_cost(position.cost, position.qty_open, fill.quantity)
    value = as_money(fill.price * fill.quantity)
    _, fee_quote, fee_third = _fees(fill, instrument)
    known = intent.client_order_id in position.orders
    position = position.model_copy(
        update={
            "qty_open": position.qty_open - fill.quantity,
            "cost": position.cost - released,
            "commission": position.commission + fee_quote + fee_third,
            "realized_pnl": position.realized_pnl + value - released,
            "exit_quantity": position.exit_quantity + fill.quantity,
            "exit_value": position.exit_value + value,
            "released_cost": position.released_cost + released,
            "orders": position.orders if known else (*position.orders, intent.client_order_id),
        }
    )
    return Book(cash=book.cash + value - fee_quote, position=position, dust=book.dust)


@exact()
def close_position(book: Book, *, exit_time: int, exit_reason: str) -> tuple[Book, Trade]:
    """Close the position: what is left becomes dust, what was traded becomes a `Trade`.

    Raises:
        BookError: there is no position.
    """
    position = book.position
    if position is None:
        raise BookError("there is no position to close")
    size = position.exit_quantity
    trade = Trade(
        position_id=position.id,
        symbol=position.symbol,
        entry_time=position.opened_at,
        exit_time=exit_time,
        entry_price=as_money(position.released_cost / size) if size else ZERO,
        entry_value=position.released_cost,
        exit_price=as_money(position.exit_value / size) if size else ZERO,
        exit_value=position.exit_value,
        size=size,
        commission=position.commission,
        gross_pnl=position.realized_pnl,
        net_pnl=position.realized_pnl - position.commission,
        exit_reason=exit_reason,
        orders=position.orders,
    )
    dust = Holding(quantity=position.qty_open, cost=position.cost)
    return Book(cash=book.cash, position=None, dust=dust), trade


def sellable_quantity(book: OpenBook, instrument: Instrument, price: Price) -> Quantity:
    """Return what of the position the venue would buy at `price`: whole lots, zero when only dust is left."""
    quantity = instrument.floor_quantity(book.holding if book.position else ZERO)
    return ZERO if instrument.refusal(quantity, price) else quantity


def released_cost(cost: Money, held: Quantity, quantity: Quantity) -> Money:
    """Return what of a cost a sale releases: its share, and with the last unit all that remains.

    For callers that compute exactly.
    """
    return cost if quantity == held else as_money(cost * quantity / held)


def _fees(fill: Fill, instrument: Instrument) -> tuple[Quantity, Money, Money]:
    """Return what the fee took of base and of quote, and what it was worth in quote where it took a third coin."""
    if fill.fee_currency == instrument.base:
        return fill.fee, ZERO, ZERO
    if fill.fee_currency == instrument.quote:
        return ZERO, fill.fee, ZERO
    return ZERO, ZERO, fill.fee_value or ZERO
