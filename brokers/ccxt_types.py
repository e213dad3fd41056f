"""The part of ccxt that we use, typed: ccxt's own annotations are loose, and importing it is slow."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

Market: TypeAlias = Mapping[str, Any]
"""One market as ccxt unifies it; its numbers are Decimal, because the client is told so."""

OhlcvRow: TypeAlias = Sequence[Any]
"""Open time in milliseconds, then open, high, low, close, volume."""

PriceRows: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What the venue said of each symbol."""


class Exchange(Protocol):
    """A ccxt exchange of `ccxt.async_support`."""

    id: str
    has: Mapping[str, Any]
    options: MutableMapping[str, Any]
    urls: MutableMapping[str, Any]
    timeframes: Mapping[str, Any] | None
    precisionMode: int  # noqa: N815, ccxt's name
    number: type[Decimal]
    requiredCredentials: Mapping[str, bool]  # noqa: N815
    on_rest_response: Callable[..., Any]

    def parse_json(self, body: str, /) -> Any:
        """Return what a body says; None when it cannot be read."""

    def set_sandbox_mode(self, enabled: bool, /) -> None:
        """Point the client at the venue's test network."""

    def feature_value_by_type(
        self, market_type: str, sub_type: str | None, method: str, parameter: str, default: object, /
    ) -> Any:
        """Return what ccxt knows of a limit of the venue."""

    async def load_markets(self, reload: bool = False, /) -> Mapping[str, Market]:
        """Return all markets by unified symbol, asking the venue if need be."""
        ...

    async def fetch_time(self) -> int:
        """Return the venue's clock, in milliseconds UTC."""
        ...

    async def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int, /) -> Sequence[OhlcvRow]:
        """Return candles."""
        ...

    async def fetch_last_prices(self, symbols: Sequence[str], /) -> PriceRows:
        """Return last prices."""
        ...

    async def fetch_tickers(self, symbols: Sequence[str], /) -> PriceRows:
        """Return statistics of the last day, the last price among them."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""


class ExchangeClass(Protocol):
    """Makes exchanges."""

    def __call__(self, config: Mapping[str, Any], /) -> Exchange:
        """Return a client of the exchange."""
        ...
