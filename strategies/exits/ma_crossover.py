"""Leave when a fast moving average crosses below a slow one."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.candles import Candles
from domain.config_errors import refuse
from strategies.arrays import Floats
from strategies.averages import average_warmup, moving_average
from strategies.conditions import Check, VectorCondition
from strategies.exit_logic import EntryPoint, ExitSeries
from strategies.exits.memoryless import MemorylessExit
from strategies.logic import Parameters
from strategies.parameters import AverageKind, Flag, Period


class MACrossoverParams(Parameters):
    """Parameters of `MACrossoverExitMixin`; periods in candles."""

    x_fast_period: Annotated[Period, Field(description="Period of the fast average; below the slow one's.")] = 10
    x_slow_period: Annotated[Period, Field(description="Period of the slow average.")] = 20
    x_ma_type: Annotated[AverageKind, Field(description="Simple, exponential or weighted averages.")] = "sma"
    x_require_confirmation: Annotated[Flag, Field(description="The next candle must confirm the crossing.")] = False

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        fast, slow = self.x_fast_period, self.x_slow_period
        if fast >= slow:
            raise refuse(f"x_fast_period must be less than x_slow_period; were {fast} and {slow}")
        return self


class MACrossoverExitMixin(MemorylessExit[MACrossoverParams]):
    """Exit if the fast average of C crosses below the slow one.

    Previous fast ≥ previous slow, fast < slow. With `x_require_confirmation` the exit is on the candle after the
    crossing, if fast < slow there too. Averages are in quote. There is no stop.
    """

    Params = MACrossoverParams

    def __init__(self, params: MACrossoverParams) -> None:
        super().__init__(params)
        kind = params.x_ma_type.upper()
        self._name = f"{kind}({params.x_fast_period}), {kind}({params.x_slow_period})"

    @property
    def warmup(self) -> int:
        """The slow average's, and two candles for what was before."""
        return average_warmup(self.params.x_slow_period, self.params.x_ma_type) + 2

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the fast and the slow average."""
        p = self.params
        fast, slow = (
            moving_average(candles.close, period, p.x_ma_type) for period in (p.x_fast_period, p.x_slow_period)
        )
        return fast, slow

    def checks(self, memory: None, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the averages on this candle and the one before, or on that one and the one before it."""
        del memory, entry
        fast, slow = series.indicators
        crossing = VectorCondition(self._name, fast, "crosses_below", slow)
        if not self.params.x_require_confirmation:
            return (crossing.at(i),)
        still = VectorCondition(f"{self._name} after a crossing", fast, "<", slow).at(i)
        return (still._replace(holds=still.holds and i > 0 and crossing.at(i - 1).holds),)
