"""Buy a dip to the lower Bollinger band on more than usual volume while the Supertrend points up."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.indicators import bollinger, volume_sma, window_warmup
from strategies.logic import Parameters
from strategies.parameters import Deviations, Flag, Multiplier, Period, Ratio
from strategies.supertrend import supertrend, supertrend_warmup


class BBVolumeSuperTrendParams(Parameters):
    """Parameters of `BBVolumeSuperTrendEntryMixin`; periods in candles."""

    e_bb_period: Annotated[Period, Field(description="Period of the Bollinger bands.")] = 20
    e_bb_dev: Annotated[Deviations, Field(description="Distance of the bands in standard deviations.")] = 2.0
    e_vol_ma_period: Annotated[Period, Field(description="Period of the average volume.")] = 20
    e_min_volume_ratio: Annotated[Ratio, Field(description="The volume must exceed this multiple of it.")] = 1.1
    e_st_period: Annotated[Period, Field(description="Period of the Supertrend's average true range.")] = 10
    e_st_multiplier: Annotated[Multiplier, Field(description="Distance of its bands, in average true ranges.")] = 3.0
    e_use_bb_touch: Annotated[Flag, Field(description="A close on the band counts; else it must be below.")] = True


class BBVolumeSuperTrendEntryMixin(EntryLogic[BBVolumeSuperTrendParams]):
    """C ≤ lower band and V > ratio * SMA(V), the average including this candle, and Supertrend up.

    With `e_use_bb_touch` false, C must be strictly below the band, which is SMA(C) - deviations * population standard
    deviation, in quote; V in base. The Supertrend is up from a close above its upper band on, until one below its
    lower band; its bands are at (H + L) / 2 ± multiplier * Wilder's ATR.
    """

    Params = BBVolumeSuperTrendParams

    def __init__(self, params: BBVolumeSuperTrendParams) -> None:
        super().__init__(params)
        self._band_name = f"close, lower band BB({params.e_bb_period}, {params.e_bb_dev:g})"
        self._volume_name = f"volume, {params.e_min_volume_ratio:g} × its SMA({params.e_vol_ma_period})"
        self._trend_name = f"Supertrend({params.e_st_period}, {params.e_st_multiplier:g}), 1 up, -1 down"

    @property
    def warmup(self) -> int:
        """The longest of the three."""
        p = self.params
        windows = max(window_warmup(p.e_bb_period), window_warmup(p.e_vol_ma_period))
        return max(windows, supertrend_warmup(p.e_st_period, p.e_st_multiplier))

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the three comparisons."""
        p = self.params
        lower = bollinger(candles.close, p.e_bb_period, p.e_bb_dev).lower
        usual = volume_sma(candles.volume, p.e_vol_ma_period)
        trend = supertrend(candles.high, candles.low, candles.close, p.e_st_period, p.e_st_multiplier)
        return (
            VectorCondition(self._band_name, candles.close, "<=" if p.e_use_bb_touch else "<", lower),
            VectorCondition(self._volume_name, candles.volume, ">", p.e_min_volume_ratio * usual),
            VectorCondition(self._trend_name, trend, ">", 0.0),
        )
