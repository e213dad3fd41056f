"""Leave at a fixed profit or loss, or at a stop that trails the highest close."""

from typing import Annotated, NamedTuple

from pydantic import Field

from domain.candles import Candles
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.conditions import Check, check
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.common import number, profit, stop_of
from strategies.logic import Parameters
from strategies.parameters import Flag, Gain, Share


class FixedRatioParams(Parameters):
    """Parameters of `FixedRatioExitMixin`; all parts of a price, 0.1 is ten percent."""

    x_take_profit: Annotated[Gain, Field(description="Profit to leave at, as a part of the entry price.")] = 0.1
    x_stop_loss: Annotated[Share, Field(description="Loss to leave at, as a part of the entry price.")] = 0.05
    x_use_trailing_stop: Annotated[
        Flag, Field(description="Leave also below the highest close, by the part below.")
    ] = False
    x_trail_percent: Annotated[Share, Field(description="Distance of that stop, as a part of the highest close.")] = (
        0.05
    )


class Closes(NamedTuple):
    """The highest close since the signal's, and the stop; in quote per unit of base."""

    peak: float
    stop: float


class FixedRatioExitMixin(ExitLogic[FixedRatioParams, Closes]):
    """Exit if (C - entry) / entry ≥ take profit or ≤ -stop loss.

    With `x_use_trailing_stop` also if C < peak * (1 - trail), where the peak is the highest close, from that of the
    signal's candle on. The entry is the average price of the position. Ratios are parts, not percent: 0.1 is 10 %.
    """

    Params = FixedRatioParams

    @property
    def warmup(self) -> int:
        """One candle: there is no indicator."""
        return 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return nothing: prices alone count."""
        del candles
        return ()

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Closes:
        """Start with the signal's close."""
        del series, i
        return self._protected(entry.signal_close, entry)

    def advance(self, memory: Closes, series: ExitSeries, i: int, entry: EntryPoint) -> Closes:
        """Raise the peak to the close."""
        return self._protected(max(memory.peak, series.candles.close.item(i)), entry)

    def checks(self, memory: Closes, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare profit and loss, and the close with the trailing stop."""
        p, close = self.params, series.candles.close.item(i)
        gained = profit(close, entry.price)
        profit_check = check("profit, take profit", gained, ">=", p.x_take_profit)
        loss_check = check("profit, stop loss", gained, "<=", -p.x_stop_loss)
        if not p.x_use_trailing_stop:
            return profit_check, loss_check
        name = f"close, trail below peak close {memory.peak:.8g}"
        return profit_check, loss_check, check(name, close, "<", self._trail(memory.peak))

    def remember(self, memory: Closes) -> tuple[dict[str, Scalar], float | None]:
        """Write peak and stop."""
        return {"peak": memory.peak}, memory.stop

    def recall(self, state: ExitState) -> Closes:
        """Read peak and stop."""
        return Closes(number(state, "peak"), stop_of(state))

    def _protected(self, peak: float, entry: EntryPoint) -> Closes:
        fixed = entry.price * (1 - self.params.x_stop_loss)
        return Closes(peak, max(fixed, self._trail(peak)) if self.params.x_use_trailing_stop else fixed)

    def _trail(self, peak: float) -> float:
        return peak * (1 - self.params.x_trail_percent)
