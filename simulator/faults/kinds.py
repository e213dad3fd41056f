"""All kinds of faults, told apart by their `kind`."""

from typing import Annotated

from pydantic import Field

from simulator.faults.altered import ClockSkew, InvisibleOrder, PartialFills, StaleCandles, SymbolBreak
from simulator.faults.late_or_lost import Accept504, Delay, DropAnswer, Garbage
from simulator.faults.outages import Hang, HttpError, Maintenance, RateLimit, Reset

AnyFault = Annotated[
    HttpError
    | RateLimit
    | Maintenance
    | Reset
    | Hang
    | Delay
    | DropAnswer
    | Accept504
    | Garbage
    | InvisibleOrder
    | PartialFills
    | ClockSkew
    | StaleCandles
    | SymbolBreak,
    Field(discriminator="kind"),
]
