"""Buy an oversold price, or one at the lower Bollinger band."""

from collections.abc import Sequence

from strategies.conditions import Holds, all_of
from strategies.entries.rsi_bb import RSIBBEntryMixin


class RSIOrBBEntryMixin(RSIBBEntryMixin):
    """RSI ≤ oversold or C ≤ lower band.

    The parts and parameters are those of `RSIBBEntryMixin`. There is no signal before both parts have values, so that
    a window of recent candles and a whole history decide alike.
    """

    def combine(self, holds: Sequence[Holds]) -> Holds:
        """Return whether the RSI's part holds, or all of the band's."""
        return holds[0] | all_of(holds[1:])
