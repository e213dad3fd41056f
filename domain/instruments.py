"""What may be traded: one symbol of one venue with the rules an order must satisfy."""

from decimal import Decimal

from domain.model import ZERO, Model, Money, Price, Quantity, exact


class VenueRef(Model):
    """Which exchange, at which address. Equal references share one client and one feed.

    Attributes:
        name: ccxt exchange id, such as `binance`.
        base_url: another host that speaks the same protocol (a proxy, a simulator); None for the exchange's own.
    """

    name: str
    base_url: str | None = None
    sandbox: bool = False

    def __str__(self) -> str:
        return self.name if self.base_url is None else f"{self.name} at {self.base_url}"


class AccountRef(Model):
    """The account that some stored keys open, by the name of the keys. Equal references share one client."""

    venue: VenueRef
    credentials: str

    def __str__(self) -> str:
        return f"account {self.credentials} on {self.venue}"


class Instrument(Model):
    """A spot market and its rules for market orders.

    Attributes:
        symbol: as ccxt unifies it, base/quote, such as `BTC/USDT`.
        lot_step: quantities are multiples of it.
        tick_size: prices are multiples of it.
        min_quantity, max_quantity: bounds of one order's quantity; None: no upper bound.
        min_notional: least price × quantity of one order, in quote; zero when the venue has no such rule.
    """

    venue: VenueRef
    symbol: str
    base: str
    quote: str
    lot_step: Quantity
    tick_size: Price
    min_quantity: Quantity = ZERO
    max_quantity: Quantity | None = None
    min_notional: Money = ZERO

    def floor_quantity(self, quantity: Quantity) -> Quantity:
        """Return the largest multiple of the lot step that is not above `quantity`, at most `max_quantity`."""
        if self.max_quantity is not None:
            quantity = min(quantity, self.max_quantity)
        return floor_to(quantity, self.lot_step)

    def refusal(self, quantity: Quantity, price: Price) -> str | None:
        """Return why the venue would refuse a market order of `quantity` at `price`, or None if it would take it."""
        if quantity < self.min_quantity or quantity <= ZERO:
            least = f"{self.min_quantity.normalize():f} {self.base}"
            return f"quantity {quantity.normalize():f} is below the least of {self.symbol}, {least}"
        if (notional := quantity * price) < self.min_notional:
            least = f"{self.min_notional.normalize():f} {self.quote}"
            return f"notional {notional.normalize():f} is below the least of {self.symbol}, {least}"
        return None


@exact()
def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` not above `value` >= 0; `value` itself when `step` is zero."""
    if step <= ZERO:
        return value
    return value // step * step


@exact()
def against_taker(price: Price, tick: Price, *, buying: bool) -> Price:
    """Return `price` > 0 rounded to the tick to the taker's disadvantage: up when buying, down when selling."""
    if tick <= ZERO:
        return price
    ticks, rest = divmod(price, tick)
    return (ticks + 1 if buying and rest else ticks) * tick
