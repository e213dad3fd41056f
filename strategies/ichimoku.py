"""The lines of Ichimoku Kinko Hyo, as they stand over each candle."""

from typing import NamedTuple

from strategies.arrays import Floats
from strategies.indicators import midrange, shifted


class IchimokuLines(NamedTuple):
    """Tenkan and Kijun of each candle, and the two spans that stand over it; in the unit of the price."""

    tenkan: Floats
    kijun: Floats
    span_a: Floats
    span_b: Floats


def ichimoku(high: Floats, low: Floats, *, tenkan: int, kijun: int, senkou: int, lead: int) -> IchimokuLines:
    """Return the lines; a line of `period` is (highest H + lowest L) / 2 of the last `period` candles.

    Span A is (Tenkan + Kijun) / 2, span B the line of `senkou`, both as they were `lead` candles before: a chart draws
    them that far ahead, so none of them knows of a later candle. Warm-up: `ichimoku_warmup`.

    Source:
        G. Hosoda, Ichimoku Kinko Hyo, 1969.
    """
    conversion, base = midrange(high, low, tenkan), midrange(high, low, kijun)
    second = midrange(high, low, senkou)
    return IchimokuLines(conversion, base, shifted((conversion + base) / 2, lead), shifted(second, lead))


def ichimoku_warmup(*, tenkan: int, kijun: int, senkou: int, lead: int) -> int:
    """Return the candles that the lines need: the longest period and the lead, or a candle more than Tenkan's."""
    return max(tenkan, kijun, senkou) + lead
