"""Exact amounts: between the market's whole units, decimals, and the venue's text."""

from decimal import ROUND_DOWN, Decimal

ZERO = Decimal(0)
_EIGHT_DECIMALS = Decimal("0.00000001")


def amount(units: int, decimals: int) -> Decimal:
    """Return units of 10**-decimals as a decimal number."""
    return Decimal(units).scaleb(-decimals)


def units(value: Decimal, decimals: int) -> int:
    """Return a multiple of 10**-decimals in such units."""
    return int(value.scaleb(decimals))


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` that is not above `value`."""
    return value // step * step


def floor_to_eight(value: Decimal) -> Decimal:
    """Cut a positive amount after the eighth decimal, as the venue does with commissions."""
    return value.quantize(_EIGHT_DECIMALS, ROUND_DOWN)


def text(value: Decimal) -> str:
    """Return an amount with eight decimals, or more where it has more: never rounded."""
    exponent = value.normalize().as_tuple().exponent
    return f"{value.normalize():f}" if isinstance(exponent, int) and exponent < -8 else f"{value:.8f}"
