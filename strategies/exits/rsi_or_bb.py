"""Leave when an overbought price turns down, or one above the upper Bollinger band comes back."""

from collections.abc import Sequence

from strategies.conditions import Check
from strategies.exits.rsi_bb import RSIBBExitMixin


class RSIOrBBExitMixin(RSIBBExitMixin):
    """Exit if RSI crosses down through overbought or C crosses back under the upper band.

    The parts and parameters are those of `RSIBBExitMixin`.
    """

    def fires(self, checks: Sequence[Check]) -> bool:
        """Return whether one of them holds."""
        return any(check.holds for check in checks)
