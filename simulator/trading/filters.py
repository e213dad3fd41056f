"""The rules of a market that every new order must pass, refused by the name of the filter as on the real venue."""

from collections.abc import Collection
from decimal import Decimal

from domain.intervals import MINUTE_MS
from simulator import errors
from simulator.exchange import Market
from simulator.rules import (
    AVERAGE_PRICE_MINUTES,
    MAX_ALGO_ORDERS,
    MAX_NOTIONAL,
    MAX_ORDERS,
    PERCENT_DOWN,
    PERCENT_UP,
    SymbolRules,
)
from simulator.trading.money import amount
from simulator.trading.orders import Order, OrderRequest, OrderType


def check(request: OrderRequest, market: Market, open_orders: Collection[Order], now: int) -> None:
    """Refuse a request that the market's filters do not let pass.

    Args:
        open_orders: those that the account has on the symbol.

    Raises:
        VenueError: -1013, naming the filter.
    """
    _check_prices(request, market.rules)
    _check_quantity(request, market.rules)
    average = average_price(market, now)
    _check_percent_price(request, average)
    _check_notional(request, market.rules, average)
    _check_counts(request, open_orders)


def average_price(market: Market, now: int) -> Decimal:
    """Return the mean price of the last minutes, weighted by volume; the last price when nothing was traded."""
    candle = market.history.window(now - AVERAGE_PRICE_MINUTES * MINUTE_MS, now)
    if candle is None or not candle.volume:
        return amount(market.history.price(now), market.price_decimals)
    return amount(round(candle.quote / candle.volume), market.price_decimals)


def _check_prices(request: OrderRequest, rules: SymbolRules) -> None:
    for price in (request.price, request.stop_price):
        if price is not None and not (rules.tick <= price <= rules.highest_price and price % rules.tick == 0):
            raise errors.filter_failure("PRICE_FILTER")


def _check_quantity(request: OrderRequest, rules: SymbolRules) -> None:
    quantity = request.quantity
    if quantity is None:
        return
    if not (rules.step <= quantity <= rules.max_quantity and quantity % rules.step == 0):
        raise errors.filter_failure("LOT_SIZE")
    takes_at_market = request.type in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
    if takes_at_market and quantity > rules.max_market_quantity:
        raise errors.filter_failure("MARKET_LOT_SIZE")


def _check_percent_price(request: OrderRequest, average: Decimal) -> None:
    price = request.price
    if price is not None and not average * PERCENT_DOWN <= price <= average * PERCENT_UP:
        raise errors.filter_failure("PERCENT_PRICE_BY_SIDE")


def _check_notional(request: OrderRequest, rules: SymbolRules, average: Decimal) -> None:
    price = request.price or request.stop_price
    notional = request.quote_quantity or (request.quantity or 0) * (price or average)
    if notional < rules.min_notional or (price is not None and notional > MAX_NOTIONAL):
        raise errors.filter_failure("NOTIONAL")


def _check_counts(request: OrderRequest, open_orders: Collection[Order]) -> None:
    if len(open_orders) >= MAX_ORDERS:
        raise errors.filter_failure("MAX_NUM_ORDERS")
    algorithmic = sum(order.request.stop_price is not None for order in open_orders)
    if request.stop_price is not None and algorithmic >= MAX_ALGO_ORDERS:
        raise errors.filter_failure("MAX_NUM_ALGO_ORDERS")
