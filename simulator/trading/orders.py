"""Orders and trades, and all those of one account."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from simulator.conditions import Slicing
from simulator.trading.money import ZERO


class Side(StrEnum):
    """Of an order."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """What an order waits for, and at which price it trades."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


class TimeInForce(StrEnum):
    """Until when an order may stay."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Status(StrEnum):
    """Of an order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


_OPEN = (Status.NEW, Status.PARTIALLY_FILLED)
_TAKE_PROFIT = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


@dataclass(frozen=True, kw_only=True)
class OrderRequest:
    """What somebody wants; well-formed, but not yet checked against the rules of the market."""

    symbol: str
    side: Side
    type: OrderType
    client_order_id: str
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def triggers_on_fall(self) -> bool:
        """Whether the price comes down to `stop_price`; else it comes up to it."""
        return (self.side is Side.SELL) is not (self.type in _TAKE_PROFIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One fill."""

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    moment: int
    is_maker: bool

    @property
    def quote_quantity(self) -> Decimal:
        """Price times quantity."""
        return self.price * self.quantity


@dataclass(kw_only=True)
class Order:
    """An accepted order.

    Args:
        number: its place in the order of acceptance, over all symbols.
        quantity: in base currency; of a market order by quote quantity, what that bought or sold.
        working_ms: since when it is in the book; None while it waits for its stop price.
        watched_ms: until when the prices were searched for what it waits for.
        visible_ms: from when on queries show it.
        locked: held for it, in quote currency of a buyer, in base currency of a seller.
    """

    order_id: int
    number: int
    request: OrderRequest
    quantity: Decimal
    created_ms: int
    updated_ms: int
    watched_ms: int
    working_ms: int | None
    visible_ms: int
    slicing: Slicing | None = None
    status: Status = Status.NEW
    executed: Decimal = ZERO
    quote_executed: Decimal = ZERO
    locked: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in _OPEN

    @property
    def awaits_stop(self) -> bool:
        """Whether its stop price was not reached yet."""
        return self.working_ms is None

    @property
    def is_buy(self) -> bool:
        """Whether it buys base currency."""
        return self.request.side is Side.BUY

    @property
    def remaining(self) -> Decimal:
        """What is not filled, in base currency."""
        return self.quantity - self.executed

    def needs(self) -> Decimal:
        """Return what must be locked for what remains: quote currency of a buyer, base currency of a seller."""
        if not self.is_open:
            return ZERO
        if not self.is_buy:
            return self.remaining
        price = self.request.price or self.request.stop_price
        return self.locked if price is None else self.remaining * price

    def add(self, trade: Trade) -> None:
        """Book a fill."""
        self.trades.append(trade)
        self.executed += trade.quantity
        self.quote_executed += trade.quote_quantity
        self.status = Status.FILLED if self.executed == self.quantity else Status.PARTIALLY_FILLED
        self.updated_ms = trade.moment

    def end(self, status: Status, moment: int) -> None:
        """Leave the book without a fill of what remains."""
        self.status = status
        self.updated_ms = moment


class Orders:
    """The orders of one account, by what they can be asked for."""

    def __init__(self) -> None:
        self._all: list[Order] = []
        self._of: dict[str, list[Order]] = {}
        self._by_id: dict[tuple[str, int], Order] = {}
        self._newest: dict[tuple[str, str], Order] = {}
        self._open: dict[int, Order] = {}

    def __iter__(self) -> Iterator[Order]:
        """Yield all orders in the order of their acceptance."""
        return iter(self._all)

    def add(self, order: Order) -> None:
        """Take in an order that was accepted."""
        symbol = order.request.symbol
        self._all.append(order)
        self._of.setdefault(symbol, []).append(order)
        self._by_id[symbol, order.order_id] = order
        self._newest[symbol, order.request.client_order_id] = order
        self._open[order.number] = order

    def open(self, symbol: str | None = None) -> list[Order]:
        """Return the open orders, oldest first, of one symbol or of all."""
        self._open = {number: order for number, order in self._open.items() if order.is_open}
        return [order for order in self._open.values() if symbol in (None, order.request.symbol)]

    def of(self, symbol: str) -> list[Order]:
        """Return the orders of a symbol, oldest first."""
        return list(self._of.get(symbol, ()))

    def find(self, symbol: str, *, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Return the order with this id; by a client id, which may repeat, the newest. `order_id` wins."""
        if order_id is not None:
            return self._by_id.get((symbol, order_id))
        return None if client_order_id is None else self._newest.get((symbol, client_order_id))
