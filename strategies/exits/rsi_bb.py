"""Leave when an overbought price turns down from the upper Bollinger band."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from strategies.arrays import Floats
from strategies.conditions import Check, VectorCondition
from strategies.exit_logic import EntryPoint, ExitSeries
from strategies.exits.memoryless import MemorylessExit
from strategies.indicators import bollinger, rsi, wilder_warmup, window_warmup
from strategies.logic import Parameters
from strategies.parameters import Deviations, Overbought, Period


class RSIBBExitParams(Parameters):
    """Parameters of `RSIBBExitMixin` and `RSIOrBBExitMixin`; periods in candles."""

    x_rsi_period: Annotated[Period, Field(description="Period of the RSI.")] = 14
    x_rsi_overbought: Annotated[Overbought, Field(description="The RSI must fall through this, 50 to 100.")] = 70.0
    x_bb_period: Annotated[Period, Field(description="Period of the Bollinger bands.")] = 20
    x_bb_dev: Annotated[Deviations, Field(description="Distance of the bands in standard deviations.")] = 2.0


class RSIBBExitMixin(MemorylessExit[RSIBBExitParams]):
    """Exit if RSI crosses down through overbought and C crosses back under the upper band, on the same candle.

    Previous RSI ≥ overbought > RSI; previous C ≥ its upper band, C < its own. RSI is Wilder's, 0 to 100; the band is
    SMA(C) + deviations * population standard deviation, in quote. There is no stop.
    """

    Params = RSIBBExitParams

    def __init__(self, params: RSIBBExitParams) -> None:
        super().__init__(params)
        self._rsi_name = f"RSI({params.x_rsi_period})"
        self._band_name = f"close, upper band BB({params.x_bb_period}, {params.x_bb_dev:g})"

    @property
    def warmup(self) -> int:
        """The RSI's, unless the band's is longer, and a candle for what was before."""
        return max(wilder_warmup(self.params.x_rsi_period), window_warmup(self.params.x_bb_period)) + 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the RSI and the upper band."""
        p = self.params
        return rsi(candles.close, p.x_rsi_period), bollinger(candles.close, p.x_bb_period, p.x_bb_dev).upper

    def checks(self, memory: None, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare this candle and the one before with both levels."""
        del memory, entry
        strength, upper = series.indicators
        return (
            VectorCondition(self._rsi_name, strength, "crosses_below", self.params.x_rsi_overbought).at(i),
            VectorCondition(self._band_name, series.candles.close, "crosses_below", upper).at(i),
        )

    def fires(self, checks: Sequence[Check]) -> bool:
        """Return whether both hold."""
        return bool(checks) and all(check.holds for check in checks)
