"""What the exchange does differently while it handles one request: set by faults, read by the endpoints."""

from dataclasses import dataclass
from decimal import Decimal

from aiohttp import web


@dataclass(frozen=True)
class Slicing:
    """How an order fills bit by bit.

    Args:
        parts: trades that a quantity is filled in, at least 1.
        share: of what could be filled at once, how much is, in (0, 1].
        every_ms: from one fill of a resting order to its next.
    """

    parts: int
    share: Decimal
    every_ms: int


@dataclass(frozen=True)
class Conditions:
    """Departures from normal.

    Args:
        skew_ms: how far ahead of the market's time the clock is that timestamps are judged by.
        candles_end_ms: no candle goes on after this moment; None for no end.
        closed_symbols: not trading any more.
        hidden_ms: for how long an order that is accepted now does not show in queries.
        slicing: how it fills; None for all at once.
    """

    skew_ms: int = 0
    candles_end_ms: int | None = None
    closed_symbols: frozenset[str] = frozenset()
    hidden_ms: int = 0
    slicing: Slicing | None = None


NORMAL = Conditions()
_CONDITIONS = web.RequestKey("conditions", Conditions)


def conditions_of(request: web.Request) -> Conditions:
    """Return the conditions under which a request is handled."""
    found: Conditions = request.get(_CONDITIONS, NORMAL)
    return found


def impose(request: web.Request, conditions: Conditions) -> None:
    """Have a request handled under other conditions."""
    request[_CONDITIONS] = conditions
