"""Faults of the exchange itself: requests are carried out, by an exchange that is different for once."""

from abc import abstractmethod
from dataclasses import replace
from decimal import Decimal
from typing import Literal, Self

from aiohttp import web
from pydantic import Field

from simulator.conditions import Conditions, Slicing, conditions_of, impose
from simulator.faults.fault import PLACING, Endpoint, Fault, Proceed


class Condition(Fault):
    """A fault of the exchange itself, that carries out a request differently."""

    @abstractmethod
    def imposed_on(self, conditions: Conditions) -> Conditions:
        """Return the conditions with this fault."""

    async def around(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Carry it out under these conditions."""
        impose(request, self.imposed_on(conditions_of(request)))
        return await proceed()


class InvisibleOrder(Condition):
    """A new order is accepted, but queries do not show it for so many milliseconds of the exchange."""

    kind: Literal["invisible_order"] = "invisible_order"
    endpoint: Endpoint = PLACING
    for_ms: int = Field(ge=1)

    def imposed_on(self, conditions: Conditions) -> Conditions:
        """Hide what is placed."""
        return replace(conditions, hidden_ms=self.for_ms)


class PartialFills(Condition):
    """A new order fills in several trades.

    What it takes from the book comes in `parts`, and only `share` of it comes at all: the rest of a market order
    expires, that of a limit order rests. A resting order fills in `parts`, every `every_ms` milliseconds of the
    exchange, while the price is better than its own.
    """

    kind: Literal["partial_fills"] = "partial_fills"
    endpoint: Endpoint = PLACING
    parts: int = Field(default=3, ge=1)
    share: Decimal = Field(default=Decimal(1), gt=0, le=1)
    every_ms: int = Field(default=1_000, ge=1)

    def imposed_on(self, conditions: Conditions) -> Conditions:
        """Slice what is placed."""
        return replace(conditions, slicing=Slicing(self.parts, self.share, self.every_ms))


class ClockSkew(Condition):
    """The clock that timestamps are judged by, and that `time` shows, is ahead; behind when `ms` is negative."""

    kind: Literal["clock_skew"] = "clock_skew"
    ms: int

    def imposed_on(self, conditions: Conditions) -> Conditions:
        """Set the clock."""
        return replace(conditions, skew_ms=conditions.skew_ms + self.ms)


class StaleCandles(Condition):
    """Candles end at a moment of the exchange, by default when the fault is set; prices go on."""

    kind: Literal["stale_candles"] = "stale_candles"
    endpoint: Endpoint = "GET /api/v3/klines"
    since_ms: int | None = None

    def begin(self, now: int, /) -> Self:
        """End them now, unless it was said when."""
        return self if self.since_ms is not None else self.model_copy(update={"since_ms": now})

    def imposed_on(self, conditions: Conditions) -> Conditions:
        """End the candles."""
        return replace(conditions, candles_end_ms=self.since_ms)


class SymbolBreak(Condition):
    """These symbols are taken off the market: status BREAK, and no new orders."""

    kind: Literal["symbol_break"] = "symbol_break"
    symbols: frozenset[str] = Field(min_length=1)

    def imposed_on(self, conditions: Conditions) -> Conditions:
        """Close the symbols."""
        return replace(conditions, closed_symbols=conditions.closed_symbols | self.symbols)
