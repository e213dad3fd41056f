"""A market's rules and a bot's terms in whole numbers, so that a fill costs no more than a look at the candle.

Exact, as decimals are: prices count ticks, quantities units of `10**-digits` base, money units of 10**-18 quote, which
is what books and database keep. What is rounded there is rounded here alike. The formulas are those of domain/paper.py,
risk/sizing.py and risk/limits.py; tests/backtest/test_units.py holds each against them.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from backtest.history import NotTestable
from domain.config import BotConfig
from domain.instruments import Instrument
from domain.model import Price, Quantity

MONEY_DIGITS = 18
REFERENCE_DIGITS = 30
"""Of a reference price: levels have 18, and what a candle was computed to may have more."""

_FEE_DIGITS = 8
_SHORT, _FIFTEEN_DIGITS = 10**8, 10**15
_SHORT_UNIT: int = 10 ** (REFERENCE_DIGITS - 8)
_STEPS: Sequence[Decimal] = [Decimal(1).scaleb(-digits) for digits in range(40)]
_MONEY: int = 10**MONEY_DIGITS
_REFERENCE: int = 10**REFERENCE_DIGITS
_FEE_UNIT: int = 10 ** (MONEY_DIGITS - _FEE_DIGITS)


class Purchase(NamedTuple):
    """What an entry buys: units at a price in ticks; the fee in units or in money, as the terms say."""

    units: int
    ticks: int
    fee: int


class Units:
    """One market for one bot.

    Attributes:
        digits: of a quantity: as many as lots and fees in base need.
        fee_in_base: whether the fee of a purchase is taken of what is bought.
    """

    def __init__(self, config: BotConfig, instrument: Instrument) -> None:
        """Take the rules.

        Raises:
            NotTestable: the market has no steps.
        """
        if instrument.tick_size <= 0 or instrument.lot_step <= 0:
            raise NotTestable(f"{instrument.symbol} must have a tick and a lot step above 0")
        terms, risk = config.broker.paper_trading_config, config.risk_management
        self.digits = max(_FEE_DIGITS, -int(instrument.lot_step.normalize().as_tuple().exponent))
        self.fee_in_base = terms.fee_currency == "received"
        tick, lot, unit = Fraction(instrument.tick_size), Fraction(instrument.lot_step), 10**self.digits
        rate, slip = Fraction(terms.fee_rate), Fraction(terms.slippage_pct) / 100
        kept = 1 - Fraction(risk.stop_loss_pct or 0) / 100

        self._lot = int(lot * unit)
        self._most_lots = None if instrument.max_quantity is None else int(Fraction(instrument.max_quantity) / lot)
        self._least = _ceiling(Fraction(instrument.min_quantity) * unit)
        self._least_at_reference = _ceiling(Fraction(instrument.min_notional) * unit * _REFERENCE)
        self._least_at_ticks = _ceiling(Fraction(instrument.min_notional) * unit / tick)
        self._buys = _pair((1 + slip) / tick / _REFERENCE)
        self._sells = _pair((1 - slip) / tick / _REFERENCE)
        self._stopped = _pair((1 - slip) * kept)
        self._value = _pair(tick / unit * _MONEY)
        self._fee_of_units = _pair(rate / unit * 10**_FEE_DIGITS)
        self._fee_of_value = _pair(rate * tick / unit * 10**_FEE_DIGITS)
        self._fee_step: int = 10 ** (self.digits - _FEE_DIGITS)
        fraction = Fraction(config.position_fraction)
        self._fraction = _pair(fraction)
        self._cap = None if risk.max_position_size is None else int(Fraction(risk.max_position_size) * _MONEY)
        fee_factor = 1 if self.fee_in_base else 1 + rate
        self._lot_cost = _pair(tick * lot * fee_factor * fraction.denominator * _MONEY)

    def buys_at(self, reference: int) -> int:
        """Return the ticks that a purchase pays at a reference price."""
        numerator, denominator = self._buys
        return -(-reference * numerator // denominator)

    def sells_at(self, reference: int) -> int:
        """Return the ticks that a sale gets at a reference price."""
        numerator, denominator = self._sells
        return reference * numerator // denominator

    def value(self, ticks: int, units: int) -> int:
        """Return the money that units are worth at a price in ticks."""
        numerator, denominator = self._value
        amount = ticks * units * numerator
        return amount if denominator == 1 else divided(amount, denominator)

    def fee_of_sale(self, ticks: int, units: int) -> int:
        """Return the fee of a sale, in money."""
        numerator, denominator = self._fee_of_value
        return -(-ticks * units * numerator // denominator) * _FEE_UNIT

    def purchase(self, *, cash: int, held_cost: int, holding: int, reference: int) -> Purchase | None:
        """Return what an entry buys at a reference price; None where sizing or the venue's least forbids it.

        Args:
            cash, held_cost: in money; what may be spent, and what was spent on `holding`, in units.
        """
        ticks, (shares, whole) = self.buys_at(reference), self._fraction
        budget = cash * shares  # in money / whole
        if self._cap is not None:
            budget = min(budget, (self._cap - held_cost) * whole)
        units = self._affordable(budget, ticks)
        fee = self._fee_of_purchase(ticks, units)
        if not self.fee_in_base and units and self._exceeds(ticks, units, fee, budget):
            # The fee is rounded up to eight decimals: that can be the last unit too much.
            units = self._affordable(budget - _FEE_UNIT * whole, ticks)
            fee = self._fee_of_purchase(ticks, units)
        if units <= 0 or units < self._least or units * reference < self._least_at_reference:
            return None
        received = units - fee if self.fee_in_base else units
        numerator, denominator = self._stopped
        # What is held must be sellable at the stop, else the position could never be closed.
        if not self.sellable(holding + received, ticks * numerator // denominator):
            return None
        return Purchase(units, ticks, fee)

    def sellable(self, holding: int, ticks: int) -> int:
        """Return the units that the venue takes at a price: whole lots, 0 when there is only dust."""
        lots = holding // self._lot
        if self._most_lots is not None and lots > self._most_lots:
            lots = self._most_lots
        units = lots * self._lot
        return 0 if self._refuses(units, ticks) else units

    def part(self, holding: int, wanted: Quantity, ticks: int) -> int:
        """Return the units of a part, whole lots, that the venue takes at a price; 0 where that is too little."""
        units = min(self.sellable(holding, ticks), int(wanted.scaleb(self.digits)))
        return 0 if self._refuses(units, ticks) else units

    def _refuses(self, units: int, ticks: int) -> bool:
        return units < self._least or units * ticks < self._least_at_ticks

    def _affordable(self, budget: int, ticks: int) -> int:
        numerator, denominator = self._lot_cost
        lots = max(budget, 0) * denominator // (ticks * numerator)
        if self._most_lots is not None and lots > self._most_lots:
            lots = self._most_lots
        return lots * self._lot

    def _fee_of_purchase(self, ticks: int, units: int) -> int:
        if not self.fee_in_base:
            return self.fee_of_sale(ticks, units)
        numerator, denominator = self._fee_of_units
        return -(-units * numerator // denominator) * self._fee_step

    def _exceeds(self, ticks: int, units: int, fee: int, budget: int) -> bool:
        numerator, denominator = self._value
        return (ticks * units * numerator + fee * denominator) * self._fraction[1] > budget * denominator


def divided(number: int, divisor: int) -> int:
    """Return the quotient of two positive numbers, rounded to the nearest, a tie to the even one."""
    quotient, rest = divmod(number, divisor)
    twice = 2 * rest
    return quotient + (twice > divisor or (twice == divisor and quotient % 2 == 1))


def as_reference(price: Price) -> int:
    """Return a reference price in units of 10**-30."""
    return int(price.scaleb(REFERENCE_DIGITS))


def read_reference(price: float) -> int:
    """Return what `as_reference` makes of the shortest decimal that reads as this number."""
    # A decimal of up to 15 digits that reads as a float is the shortest one that does.
    number = round(price * _SHORT)
    if number < _FIFTEEN_DIGITS and number / _SHORT == price:
        return number * _SHORT_UNIT
    return as_reference(Decimal(repr(price)))


def as_decimal(number: int, digits: int) -> Decimal:
    """Return a whole number of units of `10**-digits` as a decimal."""
    return number * _STEPS[digits]


def _pair(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
