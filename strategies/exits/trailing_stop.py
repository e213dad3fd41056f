"""Leave when the close falls so far below the highest close."""

import math
from typing import Annotated, NamedTuple

from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.conditions import Check, check, compare
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.common import NO_STOP, as_stop, flag, number, profit, stop_of
from strategies.indicators import atr, wilder_warmup
from strategies.logic import Parameters
from strategies.parameters import AnyGain, Flag, Multiplier, Period, Share


class TrailingStopParams(Parameters):
    """Parameters of `TrailingStopExitMixin`; parts, not percent: 0.02 is two percent."""

    x_trail_pct: Annotated[Share, Field(description="Distance of the stop, as a part of the highest close.")] = 0.02
    x_activation_pct: Annotated[
        AnyGain, Field(description="Profit that arms the stop; 0: armed from the entry on.")
    ] = 0.0
    x_use_atr: Annotated[Flag, Field(description="Measure the distance in ATR instead.")] = False
    x_atr_multiplier: Annotated[Multiplier, Field(description="Distance of the stop, in ATR.")] = 2.0
    x_atr_period: Annotated[Period, Field(description="Period of the average true range, in candles.")] = 14


class Trail(NamedTuple):
    """The highest close since the signal's, whether the stop is armed, and where it is."""

    peak: float
    armed: bool
    stop: float


class TrailingStopExitMixin(ExitLogic[TrailingStopParams, Trail]):
    """Exit if C < peak close * (1 - trail), or with `x_use_atr` if C < peak close - multiplier * ATR.

    The peak starts at the close of the signal's candle, anew with each position, and is never lowered; in ATR, the stop
    is that of each candle and falls when the range grows. It is armed from the candle on whose C makes the profit,
    (C - entry) / entry, at least the activation; with an activation of 0 from the entry on. ATR is Wilder's.
    """

    Params = TrailingStopParams

    @property
    def warmup(self) -> int:
        """The ATR's, if it is used."""
        return wilder_warmup(self.params.x_atr_period) if self.params.x_use_atr else 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the average true range, if it is used."""
        if not self.params.x_use_atr:
            return ()
        return (atr(candles.high, candles.low, candles.close, self.params.x_atr_period),)

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Trail:
        """Start with the signal's close."""
        armed = self.params.x_activation_pct == 0
        trail = Trail(entry.signal_close, armed, NO_STOP)
        if self.params.x_use_atr and i is None:
            return trail  # a later candle tells the range
        return self._moved(trail, series, i or 0)

    def advance(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> Trail:
        """Raise the peak to the close, arm the stop if the close has earned it, and move it."""
        close = series.candles.close.item(i)
        armed = memory.armed or compare(profit(close, entry.price), ">=", self.params.x_activation_pct)
        return self._moved(Trail(max(memory.peak, close), armed, memory.stop), series, i)

    def catch_up(self, memory: Trail, series: ExitSeries, until: int) -> Trail:
        """Raise the peak alone: closes need no convergence."""
        closes: list[float] = series.candles.close[:until].tolist()
        return memory._replace(peak=max([memory.peak, *closes]))

    def checks(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the close with the stop, once it is armed."""
        del entry
        if not memory.armed:
            return ()
        return (
            check(f"close, stop below peak close {memory.peak:.8g}", series.candles.close.item(i), "<", memory.stop),
        )

    def remember(self, memory: Trail) -> tuple[dict[str, Scalar], float | None]:
        """Write the peak, whether the stop is armed, and the stop."""
        return {"peak": memory.peak, "armed": memory.armed}, as_stop(memory.stop)

    def recall(self, state: ExitState) -> Trail:
        """Read the peak, whether the stop is armed, and the stop."""
        return Trail(number(state, "peak"), flag(state, "armed"), stop_of(state))

    def _moved(self, trail: Trail, series: ExitSeries, i: int) -> Trail:
        if not trail.armed:
            return trail
        p = self.params
        if not p.x_use_atr:
            return trail._replace(stop=trail.peak * (1 - p.x_trail_pct))
        stop = trail.peak - p.x_atr_multiplier * series.indicators[0].item(i)
        return trail if math.isnan(stop) else trail._replace(stop=stop)
