"""The trading desk of an exchange: accounts, and all that may be done with their orders."""

import secrets
from itertools import count

from simulator import errors
from simulator.conditions import NORMAL, Conditions
from simulator.exchange import Exchange
from simulator.trading import filters
from simulator.trading.accounts import Account, Accounts
from simulator.trading.execution import Execution
from simulator.trading.money import ZERO, amount
from simulator.trading.orders import Order, OrderRequest
from simulator.trading.settlement import Settlement


class Desk:
    """Takes orders. Every method first brings the account up to the present."""

    def __init__(self, exchange: Exchange, *, limits_enforced: bool = False) -> None:
        self.exchange = exchange
        self.limits_enforced = limits_enforced
        self.accounts = Accounts()
        self._execution = Execution(exchange)
        self._settlement = Settlement(exchange, self._execution)
        self._numbers = count(1)
        self._order_ids = {symbol: count(1) for symbol in exchange.markets}

    def settle(self, account: Account) -> int:
        """Fill what has come to fill, and return the time of the exchange."""
        now = self.exchange.clock.now_ms()
        self._settlement.settle(account, now)
        return now

    def check(self, account: Account, request: OrderRequest, conditions: Conditions = NORMAL) -> None:
        """Refuse a request that breaks a rule, whatever the account has.

        Raises:
            VenueError: which rule.
        """
        now = self.settle(account)
        market = self.exchange.markets[request.symbol]
        if request.symbol in conditions.closed_symbols:
            raise errors.market_closed()
        open_orders = account.orders.open(request.symbol)
        filters.check(request, market, open_orders, now)
        if any(order.request.client_order_id == request.client_order_id for order in open_orders):
            raise errors.duplicate_order()
        if request.stop_price is not None:
            last = amount(market.history.price(now), market.price_decimals)
            falls = request.triggers_on_fall
            if last <= request.stop_price if falls else last >= request.stop_price:
                raise errors.rejected("Order would trigger immediately.")

    def place(self, account: Account, request: OrderRequest, conditions: Conditions = NORMAL) -> Order:
        """Accept an order and execute what can be executed at once.

        Raises:
            VenueError: it is refused, and nothing has happened.
        """
        self.check(account, request, conditions)
        now = account.settled_ms
        order = Order(
            order_id=next(self._order_ids[request.symbol]),
            number=next(self._numbers),
            request=request,
            quantity=request.quantity or ZERO,
            created_ms=now,
            updated_ms=now,
            watched_ms=now,
            working_ms=now if request.stop_price is None else None,
            visible_ms=now + conditions.hidden_ms,
            slicing=conditions.slicing,
        )
        self._execution.start(account, order, now)
        account.orders.add(order)
        return order

    def query(self, account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
        """Return an order.

        Raises:
            VenueError: there is none, or it does not show yet.
        """
        now = self.settle(account)
        order = account.orders.find(symbol, order_id=order_id, client_order_id=client_order_id)
        if order is None or order.visible_ms > now:
            raise errors.no_such_order()
        return order

    def cancel(self, account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
        """Cancel an open order, whether queries show it or not.

        Raises:
            VenueError: no such order is open.
        """
        now = self.settle(account)
        order = account.orders.find(symbol, order_id=order_id, client_order_id=client_order_id)
        if order is None or not order.is_open:
            raise errors.nothing_to_cancel()
        self._execution.cancel(account, order, now)
        return order

    def cancel_all(self, account: Account, symbol: str) -> list[Order]:
        """Cancel all open orders of a symbol.

        Raises:
            VenueError: none is open.
        """
        now = self.settle(account)
        orders = account.orders.open(symbol)
        if not orders:
            raise errors.nothing_to_cancel()
        for order in orders:
            self._execution.cancel(account, order, now)
        return orders


def new_client_order_id() -> str:
    """Return an id for an order whose sender gave it none."""
    return secrets.token_hex(11)
