"""Buy an oversold dip to the lower Bollinger band on more than usual volume."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.indicators import bollinger, rsi, volume_sma, wilder_warmup, window_warmup
from strategies.logic import Parameters
from strategies.parameters import Deviations, Flag, Oversold, Period, Ratio


class RSIBBVolumeParams(Parameters):
    """Parameters of `RSIBBVolumeEntryMixin`; periods in candles."""

    e_rsi_period: Annotated[Period, Field(description="Period of the RSI.")] = 14
    e_rsi_oversold: Annotated[Oversold, Field(description="The RSI must be at most this, 0 to 50.")] = 30.0
    e_bb_period: Annotated[Period, Field(description="Period of the Bollinger bands.")] = 20
    e_bb_dev: Annotated[Deviations, Field(description="Distance of the bands in standard deviations.")] = 2.0
    e_vol_ma_period: Annotated[Period, Field(description="Period of the average volume.")] = 20
    e_min_volume_ratio: Annotated[Ratio, Field(description="The volume must exceed this multiple of it.")] = 1.1
    e_use_bb_touch: Annotated[Flag, Field(description="A close on the band counts; else it must be below.")] = True


class RSIBBVolumeEntryMixin(EntryLogic[RSIBBVolumeParams]):
    """RSI ≤ oversold and C ≤ lower band and V > ratio * SMA(V), the average including this candle.

    With `e_use_bb_touch` false, C must be strictly below the band. RSI is Wilder's, 0 to 100; the band is
    SMA(C) - deviations * population standard deviation, in quote; V in base.
    """

    Params = RSIBBVolumeParams

    def __init__(self, params: RSIBBVolumeParams) -> None:
        super().__init__(params)
        self._rsi_name = f"RSI({params.e_rsi_period})"
        self._band_name = f"close, lower band BB({params.e_bb_period}, {params.e_bb_dev:g})"
        self._volume_name = f"volume, {params.e_min_volume_ratio:g} × its SMA({params.e_vol_ma_period})"

    @property
    def warmup(self) -> int:
        """The RSI's, unless a window is longer."""
        p = self.params
        return max(wilder_warmup(p.e_rsi_period), window_warmup(p.e_bb_period), window_warmup(p.e_vol_ma_period))

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the three comparisons."""
        p = self.params
        strength = rsi(candles.close, p.e_rsi_period)
        lower = bollinger(candles.close, p.e_bb_period, p.e_bb_dev).lower
        usual = volume_sma(candles.volume, p.e_vol_ma_period)
        return (
            VectorCondition(self._rsi_name, strength, "<=", p.e_rsi_oversold),
            VectorCondition(self._band_name, candles.close, "<=" if p.e_use_bb_touch else "<", lower),
            VectorCondition(self._volume_name, candles.volume, ">", p.e_min_volume_ratio * usual),
        )
