"""What has happened to resting orders since somebody last looked, in the order in which it happened.

Prices are a function of time, so nothing needs to run in the background: whoever asks for an account first has its
orders filled up to now, at the moments when the price came to them. The outcome is the same at any speed of the
clock, and however often it is asked for.
"""

import heapq

from simulator.exchange import Exchange
from simulator.trading.accounts import Account
from simulator.trading.crossing import Line, first_crossing
from simulator.trading.execution import Execution
from simulator.trading.money import units
from simulator.trading.orders import Order


class Settlement:
    """Brings accounts up to the present."""

    def __init__(self, exchange: Exchange, execution: Execution) -> None:
        self._markets = exchange.markets
        self._execution = execution

    def settle(self, account: Account, now: int) -> None:
        """Trigger and fill the orders of an account that the price came to until `now`."""
        if now <= account.settled_ms:
            return
        waiting = self._within_reach(account, now)
        account.settled_ms = now
        events = [(moment, order.number, order) for order in waiting if (moment := self._next(order, now)) is not None]
        heapq.heapify(events)
        while events:
            moment, number, order = heapq.heappop(events)
            if order.awaits_stop:
                self._execution.trigger(account, order, moment)
            else:
                self._execution.fill_resting(account, order, moment)
            following = self._next(order, now) if order.is_open else None
            if following is not None:
                heapq.heappush(events, (following, number, order))

    def _within_reach(self, account: Account, now: int) -> list[Order]:
        """Return the open orders that a look at the highest and the lowest price does not rule out."""
        waiting = account.orders.open()
        reach = {
            symbol: self._markets[symbol].history.window(account.settled_ms, now)
            for symbol in {order.request.symbol for order in waiting}
        }
        found: list[Order] = []
        for order in waiting:
            candle, line = reach[order.request.symbol], self._line(order)
            if candle is not None and (line.reached(candle.low) or line.reached(candle.high)):
                found.append(order)
            else:
                order.watched_ms = max(order.watched_ms, now)
        return found

    def _next(self, order: Order, now: int) -> int | None:
        source = self._markets[order.request.symbol].history.source
        moment = first_crossing(source, self._line(order), order.watched_ms, now)
        if moment is None:
            order.watched_ms = max(order.watched_ms, now)
        return moment

    def _line(self, order: Order) -> Line:
        """Return what an order waits for: its stop price, or a price better than its own.

        Who was in the book before is served first, so a price that is only touched fills nobody.
        """
        decimals = self._markets[order.request.symbol].price_decimals
        if order.awaits_stop:
            assert order.request.stop_price is not None
            return Line(units(order.request.stop_price, decimals), falling=order.request.triggers_on_fall)
        assert order.request.price is not None
        beyond = -1 if order.is_buy else 1
        return Line(units(order.request.price, decimals) + beyond, falling=order.is_buy)
