"""What a market's book offers to somebody who takes, level by level."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from simulator.exchange import Market
from simulator.trading.money import ZERO, amount, floor_to
from simulator.trading.orders import Side

# Levels asked for at first, and when these do not suffice; the book has no more than the last.
_DEPTHS = (20, 500, 5_000)


class Offer(NamedTuple):
    """A quantity of base currency at a price; part of a level of the book, or all of it."""

    price: Decimal
    quantity: Decimal


def offers(market: Market, side: Side, moment: int, worst: Decimal | None = None) -> Iterator[Offer]:
    """Yield the levels that an order of `side` meets in the book of `moment`, best first.

    Args:
        worst: the highest price to buy at or the lowest to sell at; None for any.
    """
    levels = _levels(market, side, moment)
    if worst is None:
        return levels
    buys = side is Side.BUY
    return takewhile(lambda offer: offer.price <= worst if buys else offer.price >= worst, levels)


def take_quantity(levels: Iterable[Offer], quantity: Decimal) -> list[Offer]:
    """Take up to `quantity` of base currency."""
    taken: list[Offer] = []
    for price, offered in levels:
        taken.append(Offer(price, min(offered, quantity)))
        quantity -= taken[-1].quantity
        if not quantity:
            break
    return taken


def take_value(levels: Iterable[Offer], value: Decimal, step: Decimal) -> list[Offer]:
    """Take what is worth up to `value` of quote currency, in whole steps of the lot."""
    taken: list[Offer] = []
    for price, offered in levels:
        quantity = min(offered, floor_to(value / price, step))
        if quantity:
            taken.append(Offer(price, quantity))
        if quantity < offered:
            break
        value -= price * quantity
    return taken


def cut(taken: Iterable[Offer], largest: Decimal) -> list[Offer]:
    """Return the same in pieces of `largest` at most."""
    pieces: list[Offer] = []
    for price, quantity in taken:
        while quantity > largest:
            pieces.append(Offer(price, largest))
            quantity -= largest  # noqa: PLW2901
        pieces.append(Offer(price, quantity))
    return pieces


def total(taken: Iterable[Offer]) -> Decimal:
    """Return the quantity of it all."""
    return sum((offer.quantity for offer in taken), ZERO)


def value(taken: Iterable[Offer]) -> Decimal:
    """Return what it all costs, in quote currency."""
    return sum((offer.price * offer.quantity for offer in taken), ZERO)


def _levels(market: Market, side: Side, moment: int) -> Iterator[Offer]:
    seen = 0
    for depth in _DEPTHS:
        book = market.book(moment, depth)
        buys = side is Side.BUY
        prices = book.ask_prices if buys else book.bid_prices
        quantities = book.ask_quantities if buys else book.bid_quantities
        # A deeper book begins with the same levels.
        for price, quantity in zip(prices[seen:], quantities[seen:], strict=True):
            yield Offer(amount(price, market.price_decimals), amount(quantity, market.rules.volume_decimals))
        seen = len(prices)
