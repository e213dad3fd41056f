"""Buy an oversold dip above the Ichimoku cloud, when the price turns up through Tenkan."""

from typing import Annotated

from pydantic import Field

from domain.candles import Candles
from strategies.conditions import VectorCondition
from strategies.entry_logic import EntryLogic
from strategies.ichimoku import ichimoku, ichimoku_warmup
from strategies.indicators import rsi, wilder_warmup
from strategies.logic import Parameters
from strategies.parameters import Lead, Oversold, Period


class RSIIchimokuParams(Parameters):
    """Parameters of `RSIIchimokuEntryMixin`; periods and shifts in candles."""

    e_rsi_period: Annotated[Period, Field(description="Period of the RSI.")] = 14
    e_rsi_oversold: Annotated[Oversold, Field(description="The RSI must be at most this, 0 to 50.")] = 30.0
    e_tenkan: Annotated[Period, Field(description="Period of Tenkan, the conversion line.")] = 9
    e_kijun: Annotated[Period, Field(description="Period of Kijun, the base line.")] = 26
    e_senkou: Annotated[Period, Field(description="Period of Senkou B, the second span.")] = 52
    e_senkou_lead: Annotated[Lead, Field(description="How far ahead the spans are drawn.")] = 26
    e_chikou: Annotated[Lead, Field(description="How far back Chikou is drawn; no part of the rule.")] = 26


class RSIIchimokuEntryMixin(EntryLogic[RSIIchimokuParams]):
    """C above both spans and RSI ≤ oversold and C crosses above Tenkan.

    The spans are those that stand over this candle: made `e_senkou_lead` candles ago. Previous C ≤ previous Tenkan and
    C > Tenkan. RSI is Wilder's, 0 to 100; the lines are in quote. Chikou is the close, drawn back: `e_chikou` decides
    nothing.
    """

    Params = RSIIchimokuParams

    def __init__(self, params: RSIIchimokuParams) -> None:
        super().__init__(params)
        self._rsi_name = f"RSI({params.e_rsi_period})"
        self._tenkan_name = f"close, Tenkan({params.e_tenkan})"

    @property
    def warmup(self) -> int:
        """The RSI's, unless the lines' is longer."""
        p = self.params
        lines = ichimoku_warmup(tenkan=p.e_tenkan, kijun=p.e_kijun, senkou=p.e_senkou, lead=p.e_senkou_lead)
        return max(wilder_warmup(p.e_rsi_period), lines)

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return the comparisons with both spans, of the RSI, and the crossing."""
        p, close = self.params, candles.close
        lines = ichimoku(
            candles.high, candles.low, tenkan=p.e_tenkan, kijun=p.e_kijun, senkou=p.e_senkou, lead=p.e_senkou_lead
        )
        return (
            VectorCondition("close, Senkou A over it", close, ">", lines.span_a),
            VectorCondition("close, Senkou B over it", close, ">", lines.span_b),
            VectorCondition(self._rsi_name, rsi(close, p.e_rsi_period), "<=", p.e_rsi_oversold),
            VectorCondition(self._tenkan_name, close, "crosses_above", lines.tenkan),
        )
