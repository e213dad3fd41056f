"""What the feeds ask of a venue. The adapter over ccxt implements it, and so does the tests' fake."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from domain.candles import VenueCandle
from domain.instruments import Instrument
from domain.model import Price


class VenueData(Protocol):
    """Public market data of one venue.

    Every method raises VenueUnavailable when the venue does not answer, and VenueMisfit when it never will.
    """

    async def fetch_time(self) -> int:
        """Return the venue's clock, in milliseconds UTC."""
        ...

    async def page_size(self) -> int:
        """Return how many candles the venue gives at once, at most."""
        ...

    async def candles(self, symbol: str, interval: str, *, since: int, limit: int) -> Sequence[VenueCandle]:
        """Return the oldest candles that opened at `since` or later, oldest first, the running one included.

        Candles without a trade may be missing. A venue that keeps no history so far back answers with what it has.

        Args:
            symbol: as ccxt unifies it, such as `BTC/USDT`.
            since: open time in milliseconds UTC.
            limit: at most so many, up to `page_size`.
        """
        ...

    async def prices(self, symbols: Collection[str]) -> Mapping[str, Price]:
        """Return the last price of each of these symbols that has one, by one request."""
        ...

    async def instrument(self, symbol: str, interval: str) -> Instrument:
        """Return the market that a symbol of the configuration names, `BTCUSDT` and `BTC/USDT` alike.

        Raises:
            VenueMisfit: unknown or ambiguous symbol, or an interval that the venue does not have.
        """
        ...
