"""ccxt's description of a market, read as the rules of an instrument."""

from decimal import Decimal

from brokers.ccxt_types import Market
from domain.errors import VenueMisfit
from domain.instruments import Instrument, VenueRef
from domain.model import ZERO

# ccxt's precision modes.
DECIMAL_PLACES = 2
SIGNIFICANT_DIGITS = 3
TICK_SIZE = 4

# A venue that prices by significant digits states no step. Eight decimals are the finest that spot venues take;
# the digits are checked when an order is made, where the price is known.
_FINEST = Decimal("1e-8")


def instrument_of(market: Market, venue: VenueRef, precision_mode: int) -> Instrument:
    """Return the rules that market orders at this market must satisfy.

    Raises:
        VenueMisfit: the venue states no step for quantities or prices.
    """
    amount, cost = _bounds(market, "amount"), _bounds(market, "cost")
    for_market_orders = _bounds(market, "market")
    symbol = str(market["symbol"])
    lot_step = step_of(market["precision"].get("amount"), precision_mode)
    tick_size = step_of(market["precision"].get("price"), precision_mode)
    if lot_step is None or tick_size is None:
        raise VenueMisfit("symbol", f"{venue.name} does not say in which steps {symbol} is traded")
    return Instrument(
        venue=venue,
        symbol=symbol,
        base=str(market["base"]),
        quote=str(market["quote"]),
        lot_step=max(lot_step, _market_step(market)),
        tick_size=tick_size,
        min_quantity=max(amount[0] or ZERO, for_market_orders[0] or ZERO),
        max_quantity=_least(amount[1], for_market_orders[1]),
        min_notional=cost[0] or ZERO,
    )


def step_of(precision: str | int | None, precision_mode: int) -> Decimal | None:
    """Return the step that a precision of ccxt means; None when there is none.

    Args:
        precision: the step itself (TICK_SIZE), a number of decimals (DECIMAL_PLACES, negative for tens), or of
            significant digits, which mean no fixed step.
    """
    if precision is None:
        return None
    value = Decimal(precision)
    if precision_mode == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(value))
    if precision_mode == SIGNIFICANT_DIGITS:
        return _FINEST
    return value.normalize() if value > ZERO else None


def _bounds(market: Market, rule: str) -> tuple[Decimal | None, Decimal | None]:
    limits = (market.get("limits") or {}).get(rule) or {}
    return _positive(limits.get("min")), _positive(limits.get("max"))


def _market_step(market: Market) -> Decimal:
    """Return Binance's step for market orders, which ccxt does not unify. Zero: the lot step alone counts."""
    info = market.get("info")
    filters = info.get("filters") if isinstance(info, dict) else None
    for rule in filters if isinstance(filters, list) else ():
        if rule.get("filterType") == "MARKET_LOT_SIZE":
            return Decimal(str(rule.get("stepSize") or 0)).normalize()
    return ZERO


def _positive(bound: str | None) -> Decimal | None:
    """Return a bound, or None: venues write 0 for "no such rule"."""
    value = ZERO if bound is None else Decimal(bound)
    return value if value > ZERO else None


def _least(*bounds: Decimal | None) -> Decimal | None:
    return min((bound for bound in bounds if bound is not None), default=None)
