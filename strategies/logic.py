"""What an entry logic and an exit logic are: stateless objects made of parameters, asked about candles.

To write one: subclass `EntryLogic` or `ExitLogic`, name its parameters with ranges and defaults in `Params`, say how
many candles it needs, and fill in the abstract methods. Vectorised indicators, then cheap scalar steps: the same code
decides for a live bot, candle by candle, and for a backtest, over all of them.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """Base of all parameters: frozen; a name that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)


class Logic(ABC, Generic[P]):
    """What entries and exits share: a name, parameters, and the candles they need."""

    Params: ClassVar[type[Parameters]]

    def __init__(self, params: P) -> None:
        self.params = params

    @property
    def name(self) -> str:
        """The name that configurations use."""
        return type(self).__name__

    @property
    @abstractmethod
    def warmup(self) -> int:
        """How many candles make the newest one's values independent of where the window begins."""

    def warmup_at(self, interval: str) -> int:
        """Return the warm-up in candles of an interval, such as "1h"; it matters where longer candles are looked at."""
        del interval
        return self.warmup

    def misfit(self, interval: str) -> str | None:
        """Return why these parameters do not fit candles of an interval, in a sentence that names them; None: they do.

        With candles that do not fit all the same, the logic does without what it cannot know, and says so.
        """
        del interval
        return None
