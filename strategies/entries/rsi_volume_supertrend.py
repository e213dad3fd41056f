"""Buy an oversold price on more than usual volume while the Supertrend points up."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.indicators import rsi, volume_sma, wilder_warmup, window_warmup
from strategies.logic import Parameters
from strategies.parameters import Multiplier, Oversold, Period, Ratio
from strategies.supertrend import supertrend, supertrend_warmup


class RSIVolumeSupertrendParams(Parameters):
    """Parameters of `RSIVolumeSupertrendEntryMixin`; periods in candles."""

    e_rsi_period: Annotated[Period, Field(description="Period of the RSI.")] = 14
    e_rsi_oversold: Annotated[Oversold, Field(description="The RSI must be at most this, 0 to 50.")] = 30.0
    e_vol_ma_period: Annotated[Period, Field(description="Period of the average volume.")] = 20
    e_min_volume_ratio: Annotated[Ratio, Field(description="The volume must exceed this multiple of it.")] = 1.5
    e_st_period: Annotated[Period, Field(description="Period of the Supertrend's average true range.")] = 10
    e_st_multiplier: Annotated[Multiplier, Field(description="Distance of its bands, in average true ranges.")] = 3.0


class RSIVolumeSupertrendEntryMixin(EntryLogic[RSIVolumeSupertrendParams]):
    """RSI ≤ oversold and V > ratio * SMA(V), the average including this candle, and Supertrend up.

    RSI is Wilder's, 0 to 100; V in base. The Supertrend is up from a close above its upper band on, until one below
    its lower band; its bands are at (H + L) / 2 ± multiplier * Wilder's ATR.
    """

    Params = RSIVolumeSupertrendParams

    def __init__(self, params: RSIVolumeSupertrendParams) -> None:
        super().__init__(params)
        self._rsi_name = f"RSI({params.e_rsi_period})"
        self._volume_name = f"volume, {params.e_min_volume_ratio:g} × its SMA({params.e_vol_ma_period})"
        self._trend_name = f"Supertrend({params.e_st_period}, {params.e_st_multiplier:g}), 1 up, -1 down"

    @property
    def warmup(self) -> int:
        """The longest of the three."""
        p = self.params
        trend = supertrend_warmup(p.e_st_period, p.e_st_multiplier)
        return max(wilder_warmup(p.e_rsi_period), window_warmup(p.e_vol_ma_period), trend)

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the three comparisons."""
        p = self.params
        usual = volume_sma(candles.volume, p.e_vol_ma_period)
        trend = supertrend(candles.high, candles.low, candles.close, p.e_st_period, p.e_st_multiplier)
        return (
            VectorCondition(self._rsi_name, rsi(candles.close, p.e_rsi_period), "<=", p.e_rsi_oversold),
            VectorCondition(self._volume_name, candles.volume, ">", p.e_min_volume_ratio * usual),
            VectorCondition(self._trend_name, trend, ">", 0.0),
        )
