"""The part of ccxt that we use, typed: ccxt's own annotations are loose, and importing it is slow."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeAlias

Market: TypeAlias = Mapping[str, Any]
"""One market as ccxt unifies it; its numbers are text, because the client is told so."""

Order: TypeAlias = Mapping[str, Any]
"""One order as ccxt unifies it; its numbers are text."""

Trade: TypeAlias = Mapping[str, Any]
"""One trade of ours as ccxt unifies it; its numbers are text."""

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
    number: type[str]
    requiredCredentials: Mapping[str, bool]  # noqa: N815
    markets: Mapping[str, Market] | None
    on_rest_response: Callable[..., Any]
    sign: Callable[..., Any]
    rateLimit: float  # noqa: N815
    fetch2: Callable[..., Awaitable[Any]]
    calculate_rate_limiter_cost: Callable[..., float]
    create_order: Callable[..., Awaitable[Order]]
    sapi_get_account_apirestrictions: Callable[..., Awaitable[Mapping[str, Any]]]
    milliseconds: Callable[[], int]
    seconds: Callable[[], int]

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

    def set_markets_from_exchange(self, source: "Exchange", /) -> None:
        """Share the markets that another client of the venue has loaded."""

    async def create_market_buy_order_with_cost(
        self, symbol: str, cost: str, params: MutableMapping[str, Any], /
    ) -> Order:
        """Buy for so much quote currency."""
        ...

    async def cancel_order(self, order_id: str, symbol: str, /) -> Order:
        """Cancel an order, by the venue's id."""
        ...

    async def fetch_order(self, order_id: str, symbol: str, params: Mapping[str, Any], /) -> Order:
        """Return an order."""
        ...

    async def fetch_open_orders(self, symbol: str, /) -> Sequence[Order]:
        """Return the orders that rest."""
        ...

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int | None, params: Mapping[str, Any], /
    ) -> Sequence[Trade]:
        """Return trades of the account."""
        ...

    async def fetch_balance(self) -> Mapping[str, Any]:
        """Return what the account holds, by currency."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""


class ExchangeClass(Protocol):
    """Makes exchanges."""

    def __call__(self, config: Mapping[str, Any], /) -> Exchange:
        """Return a client of the exchange."""
        ...
