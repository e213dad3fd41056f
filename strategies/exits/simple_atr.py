"""Leave at a stop that starts below the entry, goes to break-even, and then trails the close."""

from typing import Annotated, NamedTuple

from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.conditions import Check, check, compare
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.common import NO_STOP, as_stop, flag, stop_of
from strategies.indicators import atr, wilder_warmup
from strategies.logic import Parameters
from strategies.parameters import Flag, Multiplier, Period


class SimpleATRParams(Parameters):
    """Parameters of `SimpleATRExitMixin`."""

    x_atr_period: Annotated[Period, Field(description="Period of the average true range, in candles.")] = 14
    x_atr_multiplier: Annotated[Multiplier, Field(description="Distance of the stop, in ATR.")] = 2.0
    x_breakeven_atr: Annotated[Multiplier, Field(description="Profit that moves the stop to the entry, in ATR.")] = 1.0
    x_use_breakeven: Annotated[Flag, Field(description="Wait for that profit; else the stop trails at once.")] = True


class Guard(NamedTuple):
    """The stop, in quote per unit of base, and whether it trails already."""

    stop: float
    trails: bool


class SimpleATRExitMixin(ExitLogic[SimpleATRParams, Guard]):
    """Exit if C ≤ stop. The stop starts at entry - multiplier * ATR of the signal candle.

    Once C - entry ≥ breakeven * ATR, it is at least the entry; from that candle on it is the running maximum with
    C - multiplier * ATR. Without `x_use_breakeven` it trails so from the first candle on. The entry is the average
    price of the position; ATR is Wilder's. The stop is in quote per unit of base.
    """

    Params = SimpleATRParams

    @property
    def warmup(self) -> int:
        """The ATR's."""
        return wilder_warmup(self.params.x_atr_period)

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return the average true range."""
        return (atr(candles.high, candles.low, candles.close, self.params.x_atr_period),)

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Guard:
        """Start below the entry; without the signal's candle or its ATR, a later candle sets the first stop."""
        guard = Guard(NO_STOP, trails=not self.params.x_use_breakeven)
        return guard if i is None else guard._replace(stop=self._first_stop(series, i, entry))

    def advance(self, memory: Guard, series: ExitSeries, i: int, entry: EntryPoint) -> Guard:
        """Raise the stop as far as the candle's close has earned it."""
        close, reach = series.candles.close.item(i), series.indicators[0].item(i)
        stop, trails = memory
        if stop == NO_STOP:
            stop = self._first_stop(series, i, entry)
        if not trails and compare(close - entry.price, ">=", self.params.x_breakeven_atr * reach):
            stop, trails = max(stop, entry.price), True
        if trails:
            stop = max(stop, close - self.params.x_atr_multiplier * reach)
        return Guard(stop, trails)

    def checks(self, memory: Guard, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the close with the stop."""
        del entry
        name = "close, trailing stop" if memory.trails else "close, stop"
        return (check(name, series.candles.close.item(i), "<=", memory.stop),)

    def remember(self, memory: Guard) -> tuple[dict[str, Scalar], float | None]:
        """Write the stop, and whether it trails."""
        return {"trails": memory.trails}, as_stop(memory.stop)

    def recall(self, state: ExitState) -> Guard:
        """Read the stop, and whether it trails."""
        return Guard(stop_of(state), trails=flag(state, "trails"))

    def _first_stop(self, series: ExitSeries, i: int, entry: EntryPoint) -> float:
        # max keeps its first argument beside a NaN: for want of candles, there is no stop yet.
        return max(NO_STOP, entry.price - self.params.x_atr_multiplier * series.indicators[0].item(i))
