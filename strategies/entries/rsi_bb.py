"""Buy an oversold price at the lower Bollinger band, or on its way back from there."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from domain.decisions import Comparison
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.indicators import bollinger, rsi, shifted, wilder_warmup, window_warmup
from strategies.logic import Parameters
from strategies.parameters import Cooldown, Deviations, Flag, Oversold, Period

_COOLDOWNS = 20


class RSIBBParams(Parameters):
    """Parameters of `RSIBBEntryMixin` and `RSIOrBBEntryMixin`; periods in candles."""

    e_rsi_period: Annotated[Period, Field(description="Period of the RSI.")] = 14
    e_rsi_oversold: Annotated[Oversold, Field(description="The RSI must be at most this, 0 to 50.")] = 30.0
    e_bb_period: Annotated[Period, Field(description="Period of the Bollinger bands.")] = 20
    e_bb_dev: Annotated[Deviations, Field(description="Distance of the bands in standard deviations.")] = 2.0
    e_use_bb_touch: Annotated[Flag, Field(description="A close on the band counts; else it must be below.")] = True
    e_rsi_cross: Annotated[Flag, Field(description="The RSI must come back up from oversold instead.")] = False
    e_bb_reentry: Annotated[Flag, Field(description="The close must come back up from below the band instead.")] = False
    e_cooldown_bars: Annotated[Cooldown, Field(description="Candles after a signal without another one.")] = 0


class RSIBBEntryMixin(EntryLogic[RSIBBParams]):
    """RSI ≤ oversold and C ≤ lower band.

    With `e_use_bb_touch` false, C must be strictly below the band. With `e_rsi_cross`: previous RSI ≤ oversold < RSI.
    With `e_bb_reentry`: the previous C below its band, C above its own. RSI is Wilder's, 0 to 100; the band is
    SMA(C) - deviations * population standard deviation, in quote. For `e_cooldown_bars` candles after a signal there
    is none; what is suppressed does not prolong that.
    """

    Params = RSIBBParams

    def __init__(self, params: RSIBBParams) -> None:
        super().__init__(params)
        self.cooldown = params.e_cooldown_bars
        self._rsi_name = f"RSI({params.e_rsi_period})"
        self._band_name = f"close, lower band BB({params.e_bb_period}, {params.e_bb_dev:g})"

    @property
    def warmup(self) -> int:
        """The RSI's, unless the band's is longer, a candle for what was before, and twenty cooldowns.

        In a crowd of signals without a pause of one cooldown, each one that stays depends on the first; no number of
        candles is sure to hold such a pause.
        """
        p = self.params
        return max(wilder_warmup(p.e_rsi_period), window_warmup(p.e_bb_period)) + 1 + _COOLDOWNS * self.cooldown

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the comparison of the RSI, then the one or two of the band."""
        p = self.params
        strength = rsi(candles.close, p.e_rsi_period)
        lower = bollinger(candles.close, p.e_bb_period, p.e_bb_dev).lower
        rsi_op: Comparison = "crosses_above" if p.e_rsi_cross else "<="
        oversold = VectorCondition(self._rsi_name, strength, rsi_op, p.e_rsi_oversold)
        if not p.e_bb_reentry:
            return oversold, VectorCondition(self._band_name, candles.close, "<=" if p.e_use_bb_touch else "<", lower)
        return (
            oversold,
            VectorCondition(f"previous {self._band_name}", shifted(candles.close, 1), "<", shifted(lower, 1)),
            VectorCondition(self._band_name, candles.close, ">", lower),
        )
