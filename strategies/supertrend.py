"""The Supertrend: which of two bands around the price was broken last."""

import math
from collections.abc import Iterator

import numpy as np

from strategies.arrays import Floats
from strategies.conditions import TIE
from strategies.indicators import atr, wilder_warmup

_CANDLES_PER_SQUARE = 20
_LONGEST_TREND = 10_000


def supertrend(high: Floats, low: Floats, close: Floats, period: int, multiplier: float) -> Floats:
    """Return the direction of the Supertrend with Wilder's ATR: 1 up, -1 down, NaN until a band is broken.

    Basic bands: (H + L) / 2 ± multiplier * ATR. The upper band is the least of the basic ones since a close was above
    it, the lower band the greatest since a close was below it. Up from a close above the upper band on, until one
    below the lower band. A close on a band, within a billionth, breaks nothing.

    Implementations that begin with a direction differ from this one up to the first break, and only there. Warm-up:
    `supertrend_warmup`.

    Source:
        O. Seban, Tout le monde mérite d'être riche, 2007; the bands are carried on as TradingView's ta.supertrend does.
    """
    direction = np.full(len(close), np.nan)
    middle, reach = (high + low) / 2, multiplier * atr(high, low, close, period)
    for turn, trend in _turns((middle + reach) * (1 + TIE), (middle - reach) * (1 - TIE), close):
        direction[turn:] = trend
    return direction


def supertrend_warmup(period: int, multiplier: float) -> int:
    """Return the candles after which the direction no longer depends, for all that is likely, on where it began.

    The average true range's, and then 20 * multiplier², at most 10,000. Two beginnings agree once each band was broken
    or narrowed in both; a price that walks at random takes some 2 * multiplier² candles to go as far as a band. No
    number of candles makes it certain: a trend may last for any time.
    """
    return wilder_warmup(period) + min(math.ceil(_CANDLES_PER_SQUARE * multiplier**2), _LONGEST_TREND)


def _turns(upper_basic: Floats, lower_basic: Floats, close: Floats) -> Iterator[tuple[int, int]]:
    """Yield the candles on which the direction changes, each with the new one.

    One pass over plain numbers: each band depends on the one before, and numpy is slow at single elements.
    """
    upper, lower, trend = math.inf, -math.inf, 0
    columns = zip(upper_basic.tolist(), lower_basic.tolist(), close.tolist(), strict=True)
    for i, (above, below, price) in enumerate(columns):
        # Comparisons with NaN are false: while there is no range there are no bands. A call of min is dear.
        if above < upper:  # noqa: PLR1730
            upper = above
        if below > lower:  # noqa: PLR1730
            lower = below
        if lower <= price <= upper:
            continue
        broke_up, broke_down = price > upper, price < lower
        if broke_up:
            upper = math.inf
        if broke_down:
            lower = -math.inf
        if broke_up and trend <= 0:
            trend = 1
            yield i, trend
        elif broke_down and trend >= 0:
            trend = -1
            yield i, trend
