"""Market data of a venue, through ccxt: what the feeds of market/ read."""

import json
from collections.abc import Collection, Mapping, Sequence

from brokers.ccxt_types import Exchange, Market, OhlcvRow
from brokers.client import VenueClient
from brokers.gateway import Gateway
from brokers.instruments import instrument_of
from brokers.symbols import resolve
from domain.candles import VenueCandle
from domain.errors import VenueMisfit, VenueUnavailable
from domain.instruments import Instrument, VenueRef
from domain.intervals import interval_ms
from domain.model import Price

_DEFAULT_PAGE = 500
# Binance gives the prices of so many symbols by name, at the cost of all; that spares us its three thousand others.
_MOST_NAMES = 100


class CcxtData:
    """Public market data of one venue. Opens the client of the venue at the first request."""

    def __init__(self, gateway: Gateway, venue: VenueRef) -> None:
        self._gateway = gateway
        self._venue = venue
        # A thousand bots of a symbol search three thousand markets once, and again when these were reloaded.
        self._known: dict[str, Instrument] = {}
        self._known_of: Mapping[str, Market] | None = None

    async def fetch_time(self) -> int:
        """Return the venue's clock, in milliseconds UTC.

        Raises:
            VenueUnavailable: the venue does not answer.
            VenueMisfit: the venue does not tell its time.
        """
        return await (await self._client()).time()

    async def page_size(self) -> int:
        """Return how many candles the venue gives at once, at most, as far as ccxt knows."""
        exchange = (await self._client()).exchange
        return int(exchange.feature_value_by_type("spot", None, "fetchOHLCV", "limit", _DEFAULT_PAGE))

    async def candles(self, symbol: str, interval: str, *, since: int, limit: int) -> Sequence[VenueCandle]:
        """Return the oldest candles that opened at `since` (milliseconds UTC) or later, the running one included.

        Raises:
            VenueUnavailable: the venue does not answer, or not sensibly.
            VenueMisfit: it has no such symbol or interval.
        """
        client = await self._client()
        await client.markets()
        rows = await client.call(lambda exchange: exchange.fetch_ohlcv(symbol, interval, since, limit))
        by_time = {each.open_time: each for row in rows if (each := self._candle(row, symbol)) is not None}
        return [by_time[moment] for moment in sorted(by_time) if moment >= since]

    async def prices(self, symbols: Collection[str]) -> Mapping[str, Price]:
        """Return the last price of each of these symbols that has one, by one request.

        Raises:
            VenueUnavailable: the venue does not answer.
        """
        client = await self._client()
        markets = await client.markets()
        wanted = [symbol for symbol in symbols if symbol in markets]
        if not wanted:
            return {}
        found = await client.call(
            lambda exchange: _last_prices(exchange, wanted, [str(markets[s]["id"]) for s in wanted])
        )
        return {symbol: price for symbol in wanted if (price := found.get(symbol)) is not None}

    async def instrument(self, symbol: str, interval: str) -> Instrument:
        """Return the market that a symbol of the configuration names, `BTCUSDT` and `BTC/USDT` alike.

        Raises:
            VenueMisfit: unknown or ambiguous symbol, or an interval that the venue does not have.
            VenueUnavailable: the venue does not answer.
        """
        client = await self._client()
        _check_interval(client, interval)
        markets = await client.markets()
        if markets is not self._known_of:
            self._known, self._known_of = {}, markets
        if symbol not in self._known:
            market = resolve(symbol, markets, str(self._venue))
            self._known[symbol] = instrument_of(market, self._venue, client.exchange.precisionMode)
        return self._known[symbol]

    def _candle(self, row: OhlcvRow, symbol: str) -> VenueCandle | None:
        """Return the candle of a row; None for an interval without a trade, which some venues tell without prices."""
        open_time, *prices = row[:5]
        if all(price is None for price in prices):
            return None
        if open_time is None or any(price is None for price in prices):
            raise self._senseless(row, symbol)
        opening, high, low, close = prices
        try:
            volume = 0.0 if row[5] is None else float(row[5])
            return VenueCandle(int(open_time), Price(opening), float(high), float(low), float(close), volume)
        except (ArithmeticError, ValueError):
            raise self._senseless(row, symbol) from None

    def _senseless(self, row: OhlcvRow, symbol: str) -> VenueUnavailable:
        return VenueUnavailable(f"{self._venue}: a candle of {symbol} should have four prices; was {list(row)}")

    async def _client(self) -> VenueClient:
        return await self._gateway.client(self._venue)


async def _last_prices(exchange: Exchange, symbols: Sequence[str], ids: Sequence[str]) -> Mapping[str, Price | None]:
    by_name = getattr(exchange, "public_get_ticker_price", None)
    if exchange.id.startswith("binance") and by_name is not None:
        # ccxt would unify each of three thousand prices, every second, to find the few that are wanted.
        query = {"symbols": json.dumps(ids, separators=(",", ":"))} if len(ids) <= _MOST_NAMES else {}
        by_id = {row["symbol"]: row["price"] for row in await by_name(query)}
        return {symbol: Price(by_id[name]) for symbol, name in zip(symbols, ids, strict=True) if name in by_id}
    if exchange.has.get("fetchLastPrices"):
        return {symbol: _price(row["price"]) for symbol, row in (await exchange.fetch_last_prices(symbols)).items()}
    return {symbol: _price(row["last"]) for symbol, row in (await exchange.fetch_tickers(symbols)).items()}


def _price(told: str | None) -> Price | None:
    return None if told is None else Price(told)


def _check_interval(client: VenueClient, interval: str) -> None:
    known = client.exchange.timeframes or {}
    if interval not in known:
        listed = ", ".join(sorted(known, key=interval_ms))
        raise VenueMisfit("data.interval", f"{client.venue} has no candles of {interval!r}; expected one of {listed}")
