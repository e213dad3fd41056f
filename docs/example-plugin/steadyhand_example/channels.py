"""Channels: buy above the highest high of some candles, leave below the lowest low of others."""

from typing import Annotated

import numpy as np
from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.conditions import Check, VectorCondition, check
from strategies.entry_logic import EntryLogic
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.logic import Parameters
from strategies.parameters import Period
from strategies.whole import Strategy


class BreakoutParams(Parameters):
    """Parameters of `BreakoutEntry`."""

    high_period: Annotated[Period, Field(description="Candles whose highest high must be exceeded.")] = 20


class BreakoutEntry(EntryLogic[BreakoutParams]):
    """C > the highest H of the `high_period` candles before."""

    Params = BreakoutParams

    @property
    def warmup(self) -> int:
        """The period, and the candle itself."""
        return self.params.high_period + 1

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Compare the close with the channel's upper edge."""
        highest = -before(-candles.high, self.params.high_period)
        return (VectorCondition(f"close, highest of {self.params.high_period} before", candles.close, ">", highest),)


class ChannelParams(Parameters):
    """Parameters of `ChannelExit`."""

    low_period: Annotated[Period, Field(description="Candles whose lowest low is the stop.")] = 10


class ChannelExit(ExitLogic[ChannelParams, float]):
    """Exit if C ≤ stop, the highest value yet of the lowest L of the `low_period` candles before.

    The memory is the stop, in quote per unit of base; minus infinity while there is none.
    """

    Params = ChannelParams

    @property
    def warmup(self) -> int:
        """The period, and the candle itself."""
        return self.params.low_period + 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the channel's lower edge."""
        return (before(candles.low, self.params.low_period),)

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> float:
        """Start at the edge on the signal candle, if it is known."""
        return -np.inf if i is None else raised(-np.inf, series, i)

    def advance(self, memory: float, series: ExitSeries, i: int, entry: EntryPoint) -> float:
        """Follow the edge upwards."""
        return raised(memory, series, i)

    def checks(self, memory: float, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the close with the stop."""
        return (check("close, stop", series.candles.close.item(i), "<=", memory),)

    def remember(self, memory: float) -> tuple[dict[str, Scalar], float | None]:
        """Write the stop."""
        return {}, None if memory == -np.inf else memory

    def recall(self, state: ExitState) -> float:
        """Read the stop."""
        return -np.inf if state.stop is None else state.stop


class BothParams(BreakoutParams, ChannelParams):
    """Parameters of `ChannelStrategy`: those of its entry and of its exit."""


class ChannelStrategy(Strategy[BothParams, float]):
    """`BreakoutEntry` and `ChannelExit` in one."""

    Params = BothParams

    def __init__(self, params: BothParams) -> None:
        super().__init__(params)
        self._entry = BreakoutEntry(BreakoutParams(high_period=params.high_period))
        self._exit = ChannelExit(ChannelParams(low_period=params.low_period))

    @property
    def warmup(self) -> int:
        """The longer one."""
        return max(self._entry.warmup, self._exit.warmup)

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the entry's."""
        return self._entry.conditions(candles)

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the exit's."""
        return self._exit.indicators(candles)

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> float:
        """Begin as the exit does."""
        return self._exit.begin(series, i, entry)

    def advance(self, memory: float, series: ExitSeries, i: int, entry: EntryPoint) -> float:
        """Advance as the exit does."""
        return self._exit.advance(memory, series, i, entry)

    def checks(self, memory: float, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Check what the exit does."""
        return self._exit.checks(memory, series, i, entry)

    def remember(self, memory: float) -> tuple[dict[str, Scalar], float | None]:
        """Remember what the exit does."""
        return self._exit.remember(memory)

    def recall(self, state: ExitState) -> float:
        """Recall what the exit does."""
        return self._exit.recall(state)


def before(values: Floats, period: int) -> Floats:
    """Return for each candle the least value of the `period` candles before it; NaN where there are not so many."""
    least = np.full(len(values), np.nan)
    if len(values) > period:
        least[period:] = np.lib.stride_tricks.sliding_window_view(values, period)[:-1].min(axis=1)
    return least


def raised(stop: float, series: ExitSeries, i: int) -> float:
    """Return the higher of the stop and the edge on candle `i`; max keeps its first argument beside a NaN."""
    return max(stop, series.indicators[0].item(i))
