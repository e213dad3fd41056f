"""Leave after so many candles, or so many minutes."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.clock import minutes_held
from strategies.conditions import Check, check
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.common import whole
from strategies.logic import Parameters
from strategies.parameters import Flag, Held, HeldMinutes


class TimeBasedParams(Parameters):
    """Parameters of `TimeBasedExitMixin`."""

    x_max_bars: Annotated[Held, Field(description="Candles after which to leave.")] = 20
    x_use_time: Annotated[Flag, Field(description="Count minutes instead of candles.")] = False
    x_max_minutes: Annotated[HeldMinutes, Field(description="Minutes after which to leave.")] = 60.0


class TimeBasedExitMixin(ExitLogic[TimeBasedParams, int]):
    """Exit if the position was held for at least `x_max_bars` candles, or with `x_use_time` `x_max_minutes` minutes.

    Candles are counted from the first one after the signal's; one that the venue does not have does not count. Minutes
    are those from the close of the signal's candle to that of the one judged. There is no stop.
    """

    Params = TimeBasedParams

    @property
    def warmup(self) -> int:
        """One candle: there is no indicator."""
        return 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return nothing: time alone counts."""
        del candles
        return ()

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> int:
        """Start with no candle."""
        del series, i, entry
        return 0

    def advance(self, memory: int, series: ExitSeries, i: int, entry: EntryPoint) -> int:
        """Count the candle."""
        del series, i, entry
        return memory + 1

    def checks(self, memory: int, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare how long the position was held with the limit."""
        p = self.params
        if not p.x_use_time:
            return (check("candles held", memory, ">=", p.x_max_bars),)
        held = minutes_held(series.candles.open_time.item(i), entry.signal_time)
        return (check("minutes held", held, ">=", p.x_max_minutes),)

    def remember(self, memory: int) -> tuple[dict[str, Scalar], float | None]:
        """Write the candles."""
        return {"candles": memory}, None

    def recall(self, state: ExitState) -> int:
        """Read the candles."""
        return whole(state, "candles")
