"""What is not an entry."""

from typing import Annotated, Any, Literal

from pydantic import Field

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.logic import Parameters
from tests.plugins.unruly.unruly_logics import UnrulyExit

__all__ = ["Bare", "Half", "Odd", "Picky", "UnrulyExit", "number"]

number = 42


class Half(EntryLogic[Parameters]):
    Params = Parameters


class Bare(EntryLogic[Parameters]):
    @property
    def warmup(self) -> int:
        return 1

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        return ()


class Picky(Bare):
    Params = Parameters

    def __init__(self, params: Parameters) -> None:
        raise FileNotFoundError("no such model file")


class OddParams(Parameters):
    words: list[str] = Field(default=["a", "b"])
    anything: dict[str, Any] = Field(default={})
    maybe: Annotated[float | None, Field(ge=1, le=9)] = None
    level: Literal[1, 2] = 1
    either: int | str = 3


class Odd(Bare):
    Params = OddParams
