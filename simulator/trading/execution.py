"""Fills: what an order takes from the book, what a resting one is given, and how the money moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import count

from simulator import errors
from simulator.exchange import Exchange, Market
from simulator.trading.accounts import Account
from simulator.trading.fees import DISCOUNT_ASSET, Fees
from simulator.trading.matching import Offer, cut, offers, take_quantity, take_value, total, value
from simulator.trading.money import floor_to
from simulator.trading.orders import Order, OrderType, Status, TimeInForce, Trade


@dataclass(frozen=True)
class _Place:
    """An order, whose it is, and where and when something happens to it."""

    account: Account
    order: Order
    market: Market
    moment: int

    @property
    def lock_asset(self) -> str:
        """The currency that the order pays with."""
        return self.market.rules.quote if self.order.is_buy else self.market.rules.base

    @property
    def cause(self) -> str:
        return f"order {self.order.request.symbol} {self.order.order_id}"

    def hold(self, needed: Decimal) -> None:
        """Lock what the order needs, neither more nor less.

        Raises:
            VenueError: the account does not have it.
        """
        self.account.wallet.lock(self.moment, self.cause, self.lock_asset, needed - self.order.locked)
        self.order.locked = needed

    def end(self, status: Status) -> None:
        """Close the order and give back what it held."""
        self.order.end(status, self.moment)
        self.hold(self.order.needs())


class Execution:
    """Executes orders of all accounts on the books of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._markets = exchange.markets
        self._fees = Fees(exchange.markets)
        self._trade_ids = {symbol: count(1) for symbol in exchange.markets}

    def start(self, account: Account, order: Order, moment: int) -> None:
        """Execute a new order, or put it where it waits.

        Raises:
            VenueError: the account cannot pay for it, or it may not take and would; nothing has happened.
        """
        place = self._place(account, order, moment)
        if order.awaits_stop:
            place.hold(order.needs())
        elif order.request.price is None:
            self._execute_at_market(place)
        else:
            if order.request.type is OrderType.LIMIT_MAKER and next(self._within_limit(place), None) is not None:
                raise errors.rejected("Order would immediately match and take.")
            place.hold(order.needs())
            self._execute_within_limit(place)

    def trigger(self, account: Account, order: Order, moment: int) -> None:
        """Execute an order whose stop price was reached; it expires if it has become dearer than the account."""
        place = self._place(account, order, moment)
        order.working_ms = order.updated_ms = order.watched_ms = moment
        if order.request.price is not None:
            self._execute_within_limit(place)
            return
        try:
            self._execute_at_market(place)
        except errors.VenueError:
            place.end(Status.EXPIRED)

    def fill_resting(self, account: Account, order: Order, moment: int) -> None:
        """Give an order in the book what it waited for, or a slice of it, at its own price."""
        place = self._place(account, order, moment)
        price = order.request.price
        assert price is not None
        quantity = order.remaining
        order.watched_ms = moment
        if order.slicing is not None:
            quantity = min(quantity, self._slice(place))
            order.watched_ms = max(moment, moment + order.slicing.every_ms - 1)
        self._fill(place, Offer(price, quantity), maker=True)
        place.hold(order.needs())

    def cancel(self, account: Account, order: Order, moment: int) -> None:
        """Take an order out of the book."""
        self._place(account, order, moment).end(Status.CANCELED)

    def _place(self, account: Account, order: Order, moment: int) -> _Place:
        return _Place(account, order, self._markets[order.request.symbol], moment)

    def _execute_at_market(self, place: _Place) -> None:
        """Take from the book at any price. What the book does not have expires, as on the real venue."""
        order, step = place.order, place.market.rules.step
        levels = offers(place.market, order.request.side, place.moment)
        if order.request.quote_quantity is not None:
            taken = take_value(levels, order.request.quote_quantity, step)
            order.quantity = total(taken)
            if not taken:
                raise errors.filter_failure("LOT_SIZE")
        else:
            taken = take_quantity(levels, order.quantity)
        place.hold(value(taken) if order.is_buy else order.quantity)
        self._fill_all(place, self._sliced(place, taken))
        if order.is_open:
            place.end(Status.EXPIRED)
        place.hold(order.needs())

    def _execute_within_limit(self, place: _Place) -> None:
        """Take what the book has at the limit or better; the rest stays, unless the order says otherwise."""
        order, in_force = place.order, place.order.request.time_in_force
        taken = self._sliced(place, take_quantity(self._within_limit(place), order.quantity))
        if in_force is TimeInForce.FOK and total(taken) < order.quantity:
            taken = []
        self._fill_all(place, taken)
        if order.is_open and in_force is not TimeInForce.GTC:
            place.end(Status.EXPIRED)
        place.hold(order.needs())

    @staticmethod
    def _within_limit(place: _Place) -> Iterator[Offer]:
        request = place.order.request
        return offers(place.market, request.side, place.moment, request.price)

    def _sliced(self, place: _Place, taken: list[Offer]) -> list[Offer]:
        """Return what an order may have of what it could take."""
        slicing = place.order.slicing
        if slicing is None or not taken:
            return taken
        step = place.market.rules.step
        share = max(step, floor_to(total(taken) * slicing.share, step))
        return cut(take_quantity(taken, share), self._slice(place))

    @staticmethod
    def _slice(place: _Place) -> Decimal:
        """Return the most that one trade of a sliced order fills."""
        step, slicing = place.market.rules.step, place.order.slicing
        assert slicing is not None
        return (place.order.quantity / (step * slicing.parts)).to_integral_value(ROUND_CEILING) * step

    def _fill_all(self, place: _Place, taken: list[Offer]) -> None:
        for offer in taken:
            self._fill(place, offer, maker=False)

    def _fill(self, place: _Place, offer: Offer, *, maker: bool) -> None:
        account, order, rules, moment = place.account, place.order, place.market.rules, place.moment
        wallet, cost = account.wallet, offer.price * offer.quantity
        trade_id = next(self._trade_ids[rules.symbol])
        cause = f"trade {rules.symbol} {trade_id}"
        paid, got = (cost, offer.quantity) if order.is_buy else (offer.quantity, cost)
        got_asset = rules.base if order.is_buy else rules.quote
        wallet.post(moment, cause, place.lock_asset, locked=-paid)
        order.locked -= paid
        wallet.post(moment, cause, got_asset, free=got)
        commission = self._fees.commission(
            account.fees,
            place.market,
            order.request.side,
            price=offer.price,
            quantity=offer.quantity,
            maker=maker,
            moment=moment,
            bnb=wallet.free(DISCOUNT_ASSET),
        )
        wallet.post(moment, f"fee of {cause}", commission.asset, free=-commission.quantity)
        order.add(
            Trade(
                trade_id=trade_id,
                order_id=order.order_id,
                symbol=rules.symbol,
                side=order.request.side,
                price=offer.price,
                quantity=offer.quantity,
                commission=commission.quantity,
                commission_asset=commission.asset,
                moment=moment,
                is_maker=maker,
            )
        )
