"""What is not an entry."""

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.logic import EntryLogic, Parameters
from tests.plugins.unruly.unruly_logics import UnrulyExit

__all__ = ["Bare", "Half", "Picky", "UnrulyExit", "number"]

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
