"""Candles as columns of numbers, the form in which indicators want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from domain.model import Price

if TYPE_CHECKING:  # numpy stays out of the workflow sandbox, which reads this package
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Times: TypeAlias = NDArray[np.int64]


class VenueCandle(NamedTuple):
    """A candle as a venue tells it, closed or not.

    `open_time` is in milliseconds UTC. `open` is exact, because orders fill at it; the rest is for indicators.
    """

    open_time: int
    open: Price
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed candles, oldest first: one array per column, all of the same length.

    `open_time` is in milliseconds UTC; prices are in quote currency per unit of base, `volume` in base.
    """

    open_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, window: slice) -> Candles:
        """Return the candles of a window; the arrays are views, not copies."""
        return Candles(
            self.open_time[window],
            self.open[window],
            self.high[window],
            self.low[window],
            self.close[window],
            self.volume[window],
        )
