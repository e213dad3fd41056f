"""Trail a stop below the highest price since the entry, at a multiple of the average true range."""

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats, Indexes
from strategies.conditions import Check, VectorCondition, check
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.common import NO_STOP, as_stop, number, stop_of
from strategies.indicators import atr, wilder_warmup
from strategies.logic import Parameters
from strategies.parameters import Multiplier, Period


class ATRParams(Parameters):
    """Parameters of `ATRExitMixin`."""

    x_atr_period: Annotated[Period, Field(description="Period of the average true range, in candles.")] = 14
    x_sl_multiplier: Annotated[Multiplier, Field(description="Distance of the stop below the peak, in ATR.")] = 2.0


class Trail(NamedTuple):
    """The highest price since the entry, and the stop, which never falls. In quote per unit of base."""

    peak: float
    stop: float


class ATRExitMixin(ExitLogic[ATRParams, Trail]):
    """Exit if C ≤ stop, the running maximum of peak - multiplier * ATR.

    The peak starts at the signal candle's close, the stop at that close - multiplier * ATR of that candle; each later
    candle raises the peak to its H first. ATR is Wilder's. The stop is in quote per unit of base.
    """

    Params = ATRParams

    @property
    def warmup(self) -> int:
        """The ATR's."""
        return wilder_warmup(self.params.x_atr_period)

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the average true range."""
        return (atr(candles.high, candles.low, candles.close, self.params.x_atr_period),)

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Trail:
        """Start at the signal's close; without that candle or its ATR, a later candle sets the first stop."""
        trail = Trail(entry.signal_close, NO_STOP)
        return trail if i is None else self._raised(trail, entry.signal_close, series, i)

    def advance(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> Trail:
        """Raise the peak to the candle's high, and the stop after it."""
        del entry
        return self._raised(memory, series.candles.high.item(i), series, i)

    def catch_up(self, memory: Trail, series: ExitSeries, until: int) -> Trail:
        """Raise the peak alone: highs need no convergence."""
        highs: list[float] = series.candles.high[:until].tolist()
        return memory._replace(peak=max([memory.peak, *highs]))

    def checks(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the close with the stop."""
        del entry
        name = f"close, stop {self.params.x_sl_multiplier:g} × ATR below peak {memory.peak:.8g}"
        return (check(name, series.candles.close.item(i), "<=", memory.stop),)

    def first_exits(self, series: ExitSeries, signals: Indexes, width: int) -> Indexes:
        """Draw the trails of all signals side by side, one row each."""
        candles, last = series.candles, len(series.candles) - 1
        places = signals[:, None] + np.arange(width + 1)
        beyond = places > last
        places[beyond] = last
        highs = candles.high[places]
        highs[:, 0] = candles.close[signals]
        peaks = np.maximum.accumulate(highs, axis=1)
        # fmax passes over a NaN: for want of candles, the stop stays where it was.
        stops = np.fmax.accumulate(peaks - self.params.x_sl_multiplier * series.indicators[0][places], axis=1)
        left = VectorCondition("", candles.close[places], "<=", stops).holds() & ~beyond
        left[:, 0] = False
        # Where no exit comes, the first of all False is that of the signal itself: 0.
        first: Indexes = left.argmax(axis=1)
        return first

    def remember(self, memory: Trail) -> tuple[dict[str, Scalar], float | None]:
        """Write peak and stop."""
        return {"peak": memory.peak}, as_stop(memory.stop)

    def recall(self, state: ExitState) -> Trail:
        """Read peak and stop."""
        return Trail(number(state, "peak"), stop_of(state))

    def _raised(self, trail: Trail, high: float, series: ExitSeries, i: int) -> Trail:
        peak = max(trail.peak, high)
        candidate = peak - self.params.x_sl_multiplier * series.indicators[0].item(i)
        # max keeps its first argument beside a NaN: for want of candles, the stop stays where it was.
        return Trail(peak, max(trail.stop, candidate))
