"""An exchange in memory that takes live orders, and can lose, delay and forget as real ones do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from domain.accounts import AccountView, Balance, VenueOrder
from domain.errors import InsufficientBalance, OrderMismatch, OrderUncertain
from domain.instruments import AccountRef, Instrument
from domain.orders import Fill, OrderReport, OrderRequest, OrderStatus
from domain.ports import Broker, OrderHabits, SendWindow

FEE = Decimal("0.001")


def held(amount: int | str) -> Balance:
    """Return a balance of which nothing is locked."""
    return Balance(free=Decimal(amount), locked=Decimal(0))


@dataclass
class FakeExchange:
    """Implements `Brokers` and `Broker`. Fills market orders at their reference price, fees in quote; others rest.

    Attributes:
        accepted: client order ids in the order of their acceptance: what an exchange's own ledger would show.
        lose: how many of the next orders are accepted although their sender hears nothing.
        swallow: how many of the next orders never arrive, although their sender cannot know.
        fill: how much of a market order is filled at once; the rest stays open until `complete`.
        blind: what every look-up raises.
        refused: what every submission raises.
        there: base that the account has, if a sale of more is to be refused.
        balances: what the account holds, whatever is traded.
        hold: submissions wait for it.
    """

    orders: dict[str, VenueOrder] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    looked_up: int = 0
    windows: list[SendWindow] = field(default_factory=list)
    lose: int = 0
    swallow: int = 0
    fill: Decimal = Decimal(1)
    blind: Exception | None = None
    refused: Exception | None = None
    there: Decimal | None = None
    habit: OrderHabits = field(default_factory=lambda: OrderHabits(finds=True, late_after=0.3))
    may_trade: bool | None = True
    takes_stops: bool = True
    balances: dict[str, Balance] = field(default_factory=lambda: {"BTC": held(9), "USDT": held(100_000)})
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    def broker_for(self, request: OrderRequest) -> Broker:
        return self

    async def habits(self, request: OrderRequest) -> OrderHabits:
        return self.habit

    async def find(self, request: OrderRequest) -> OrderReport | None:
        self.looked_up += 1
        if self.blind is not None:
            raise self.blind
        order = self.orders.get(request.intent.client_order_id)
        wanted = request.intent.side, request.intent.quantity
        if order is not None and (order.side, order.quantity) != wanted:
            raise OrderMismatch(f"{order.side} of {order.quantity} stands under this id")
        return order.report if order else None

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        self.windows.append(window)
        await self.hold.wait()
        if self.refused is not None:
            raise self.refused
        if self.there is not None and request.intent.side == "sell":
            if request.intent.quantity > self.there:
                raise InsufficientBalance("insufficient balance", free=self.there)
            self.there -= request.intent.quantity
        if self.swallow:
            self.swallow -= 1
            raise OrderUncertain("the connection was reset")
        order = self._accept(request)
        if self.lose:
            self.lose -= 1
            raise OrderUncertain("the answer was lost")
        return order.report

    async def cancel(self, request: OrderRequest) -> OrderReport:
        name = request.intent.client_order_id
        if await self.find(request) is None:
            raise OrderUncertain("there is no such order")
        order = self.orders[name]
        if not order.report.final:
            self.orders[name] = _with(order, "cancelled", order.report.fills)
        return self.orders[name].report

    # what a test does

    @property
    def resting(self) -> list[VenueOrder]:
        """The orders that have not ended, oldest first."""
        return [order for order in self.orders.values() if not order.report.final]

    def complete(self) -> None:
        """Fill what is still open of every order."""
        for order in self.resting:
            self.fill_part(order.report.client_order_id, order.quantity - order.report.filled_quantity)

    def fill_part(self, name: str, quantity: Decimal) -> None:
        """Fill so much of an order that rests."""
        order = self.orders[name]
        fills = (*order.report.fills, _fill(name, len(order.report.fills) + 1, order, quantity))
        whole = sum(fill.quantity for fill in fills) == order.quantity
        self.orders[name] = _with(order, "filled" if whole else "partially_filled", fills)

    def _accept(self, request: OrderRequest) -> VenueOrder:
        intent = request.intent
        name = intent.client_order_id
        assert name not in self.orders, f"{name} was sent twice"
        self.accepted.append(name)
        order = VenueOrder(
            report=OrderReport(client_order_id=name, status="open", venue_order_id=f"v{len(self.accepted)}"),
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            quantity=intent.quantity,
            price=intent.reference_price if intent.price is None else intent.price,
            created_at=intent.decided_at,
        )
        share = self.fill if intent.type == "market" else Decimal(0)
        quantity = request.instrument.floor_quantity(intent.quantity * share)
        fills = (_fill(name, 1, order, quantity),) if quantity else ()
        whole = quantity == intent.quantity
        status: OrderStatus = "filled" if whole else "partially_filled" if fills else "open"
        self.orders[name] = _with(order, status, fills)
        return self.orders[name]


class ExchangeAccounts:
    """Reads the accounts of a `FakeExchange`, of which there is but one.

    Attributes:
        asked, since: how often orders were asked for, and from when on the last time.
    """

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange = exchange
        self.asked = 0
        self.since = 0

    async def orders(
        self, account: AccountRef, instrument: Instrument, *, prefix: str, since: int
    ) -> Sequence[VenueOrder]:
        self.asked += 1
        self.since = since
        if self._exchange.blind is not None:
            raise self._exchange.blind
        return [order for name, order in self._exchange.orders.items() if name.startswith(prefix)]

    async def open_orders(self, account: AccountRef, instrument: Instrument) -> Sequence[VenueOrder]:
        if self._exchange.blind is not None:
            raise self._exchange.blind
        return self._exchange.resting

    async def view(self, account: AccountRef) -> AccountView:
        exchange = self._exchange
        return AccountView(
            may_trade=exchange.may_trade,
            may_withdraw=False,
            takes_stops=exchange.takes_stops,
            balances=exchange.balances,
        )


def _fill(name: str, number: int, order: VenueOrder, quantity: Decimal) -> Fill:
    price = order.price or Decimal(0)
    return Fill(
        trade_id=f"{name}-t{number}",
        price=price,
        quantity=quantity,
        fee=price * quantity * FEE,
        fee_currency="USDT",
        at=order.created_at,
    )


def _with(order: VenueOrder, status: OrderStatus, fills: tuple[Fill, ...]) -> VenueOrder:
    return order.model_copy(update={"report": order.report.model_copy(update={"status": status, "fills": fills})})
