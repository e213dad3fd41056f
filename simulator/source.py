"""The port behind which prices come from: a file that is replayed, or a generator."""

from typing import Protocol

from simulator.candles import Candles


class PriceSource(Protocol):
    """The whole price history of one symbol, past and future alike; the exchange shows what its clock has reached."""

    @property
    def levels(self) -> tuple[int, ...]:
        """Lengths in milliseconds of the candles that it holds itself, coarse to fine; each divides the one before."""

    @property
    def price_decimals(self) -> int:
        """Prices are integers in units of 10**-price_decimals."""

    @property
    def volume_decimals(self) -> int:
        """Volumes are integers in units of 10**-volume_decimals."""

    @property
    def first_ms(self) -> int:
        """Open time of the first candle, milliseconds UTC."""

    @property
    def end_ms(self) -> int | None:
        """The end of the last candle, milliseconds UTC; None when there is always another."""

    def candles(self, level_ms: int, start_ms: int, end_ms: int) -> Candles:
        """Return the whole candles of one of `levels` that open in [start_ms, end_ms), both multiples of it.

        Where nothing traded because the market was halted there is no candle.
        """
