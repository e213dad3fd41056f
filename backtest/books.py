"""The books of a backtest: what `domain.positions` keeps, by its formulas, in whole numbers that change in place.

Equal to the last digit, and a fraction of the time: a live bot books a few fills a day, a backtest thousands a second.
tests/backtest/test_books.py holds them against `domain.positions.Book`.
"""

from backtest.units import MONEY_DIGITS, Purchase, Units, as_decimal, divided
from domain.model import ZERO, Milliseconds, Money, Price, Quantity


class Lot:
    """An open position, in units and money; implements `domain.positions.OpenPosition` for those who ask in decimals.

    Attributes:
        digits: of its units.
        held, paid: what is held now (carried dust included), and what was paid for it.
        fees: all fees so far. sold, got, released: sums over the sales: units, their value, the cost of them.
        takes: how many parts have been sold at a profit.
    """

    __slots__ = (
        "digits",
        "entries",
        "entry_candle",
        "fees",
        "got",
        "held",
        "opened_at",
        "paid",
        "released",
        "sold",
        "takes",
    )

    def __init__(self, held: int, paid: int, *, digits: int, candle: int, opened_at: Milliseconds) -> None:
        self.held = held
        self.paid = paid
        self.entry_candle = candle
        self.opened_at = opened_at
        self.entries = 0
        self.fees = self.sold = self.got = self.released = self.takes = 0
        self.digits = digits

    @property
    def quantity(self) -> Quantity:
        """Units of base that are held."""
        return as_decimal(self.held, self.digits)

    @property
    def bought(self) -> Quantity:
        """Units of base that it has had."""
        return as_decimal(self.held + self.sold, self.digits)

    @property
    def cost(self) -> Money:
        """What was paid for what is held."""
        return _money(self.paid)

    @property
    def commission(self) -> Money:
        """All fees so far, in quote."""
        return _money(self.fees)

    @property
    def net_pnl(self) -> Money:
        """What the sales so far have earned, after all fees."""
        return _money(self.got - self.released - self.fees)

    @property
    def avg_price(self) -> Price:
        """Average price paid for what is held; zero when nothing is."""
        return self.cost / self.quantity if self.held else ZERO

    def average(self, amount: int) -> Price:
        """Return an amount of money per unit of base that was sold, with 18 decimals; zero when nothing was."""
        return _money(divided(amount * 10**self.digits, self.sold)) if self.sold else ZERO

    def unrealized_pnl(self, price: Price) -> Money:
        """Return what selling all at `price` would earn, fees aside, in quote."""
        return self.quantity * price - self.cost


class Ledger:
    """Cash, at most one position, and the dust of earlier ones; implements `domain.positions.OpenBook`."""

    __slots__ = ("_dust", "_dust_cost", "_units", "money", "position")

    def __init__(self, cash: Money, units: Units) -> None:
        self.money = int(cash.scaleb(MONEY_DIGITS))
        self.position: Lot | None = None
        self._dust = self._dust_cost = 0
        self._units = units

    @property
    def cash(self) -> Money:
        """Quote that may be spent."""
        return _money(self.money)

    @property
    def holding(self) -> Quantity:
        """Units of base, dust included."""
        return as_decimal(self.position.held if self.position else self._dust, self._units.digits)

    @property
    def held_cost(self) -> Money:
        """What was paid for them."""
        return _money(self.position.paid if self.position else self._dust_cost)

    def affordable(self, reference: int) -> Purchase | None:
        """Return what an entry buys at a reference price; None where there is a reason against it."""
        lot = self.position
        paid, held = (self._dust_cost, self._dust) if lot is None else (lot.paid, lot.held)
        return self._units.purchase(cash=self.money, held_cost=paid, holding=held, reference=reference)

    def buy(self, purchase: Purchase, *, candle: int, at: Milliseconds) -> Lot:
        """Book a purchase; the first of a position takes in the dust of the one before. Returns the position.

        Args:
            candle: the place of the candle at whose open it was filled.
        """
        units, ticks, fee = purchase
        lot = self.position
        if lot is None:
            digits = self._units.digits
            lot = self.position = Lot(self._dust, self._dust_cost, digits=digits, candle=candle, opened_at=at)
            self._dust = self._dust_cost = 0
        paid = self._units.value(ticks, units)
        lot.entries += 1
        if self._units.fee_in_base:
            # The fee leaves the quantity at the fill's price, and is commission once.
            fee_value = self._units.value(ticks, fee)
            lot.held += units - fee
            lot.paid += paid - fee_value
            lot.fees += fee_value
            self.money -= paid
        else:
            lot.held += units
            lot.paid += paid
            lot.fees += fee
            self.money -= paid + fee
        return lot

    def sell(self, lot: Lot, units: int, ticks: int) -> None:
        """Book a sale of all or of a part: cost is released in proportion, what remains with the last unit."""
        value, fee = self._units.value(ticks, units), self._units.fee_of_sale(ticks, units)
        released = lot.paid if units == lot.held else divided(lot.paid * units, lot.held)
        lot.held -= units
        lot.paid -= released
        lot.fees += fee
        lot.sold += units
        lot.got += value
        lot.released += released
        self.money += value - fee

    def close(self) -> None:
        """Close the position: what is left of it becomes dust."""
        if self.position is not None:
            self._dust, self._dust_cost = self.position.held, self.position.paid
            self.position = None


class ClosedTrade:
    """A round trip, as `domain.positions.Trade` counts it: averages and sums over what was sold of the position.

    Made of the lot as it stood when it was left; its decimals are worked out for those who ask. Times are milliseconds
    UTC; `entry_candle` and `exit_candle` are the places of the candles that it was filled in. `exit_time` is the open
    time of its candle: at which moment inside it a level was reached, candles do not tell.
    """

    __slots__ = ("_lot", "exit_candle", "exit_reason", "exit_time")

    def __init__(self, lot: Lot, *, candle: int, at: Milliseconds, reason: str) -> None:
        self._lot = lot
        self.exit_candle = candle
        self.exit_time = at
        self.exit_reason = reason

    @property
    def entry_candle(self) -> int:
        """The candle at whose open its first entry was filled."""
        return self._lot.entry_candle

    @property
    def entry_time(self) -> Milliseconds:
        """When that was."""
        return self._lot.opened_at

    @property
    def entry_price(self) -> Price:
        """Average price paid for what was sold; zero when nothing was."""
        return self._lot.average(self._lot.released)

    @property
    def entry_value(self) -> Money:
        """What was paid for what was sold."""
        return _money(self._lot.released)

    @property
    def exit_price(self) -> Price:
        """Average price that it was sold at; zero when nothing was."""
        return self._lot.average(self._lot.got)

    @property
    def exit_value(self) -> Money:
        """What it was sold for."""
        return _money(self._lot.got)

    @property
    def size(self) -> Quantity:
        """Base that was sold."""
        return as_decimal(self._lot.sold, self._lot.digits)

    @property
    def commission(self) -> Money:
        """All fees, in quote."""
        return _money(self._lot.fees)

    @property
    def gross_pnl(self) -> Money:
        """What the sales have earned, fees aside."""
        return _money(self._lot.got - self._lot.released)

    @property
    def net_pnl(self) -> Money:
        """What they have earned after all fees."""
        return self._lot.net_pnl


def _money(number: int) -> Money:
    return as_decimal(number, MONEY_DIGITS)
