"""One ccxt client per venue and address, shared by all that this process asks of it.

Requests share its connections, its rate limit and its markets. When a venue says "too many requests", the whole
address backs off once, for all bots: until then calls fail at once, without a request.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import certifi

from brokers.addresses import is_loopback, moved_to
from brokers.ccxt_import import exchange_class, exchange_ids
from brokers.ccxt_types import Exchange, Market
from brokers.faults import bad_response, is_venue_fault, translated
from brokers.nearest import nearest
from domain.errors import VenueMisfit, VenueUnavailable
from domain.instruments import VenueRef

log = logging.getLogger(__name__)

T = TypeVar("T")

_MARKETS_LIVE_SECONDS = 86_400.0
_BACK_OFF_STATUS = {418, 429, 503}


class VenueClient:
    """A ccxt client that keeps its markets, tells its errors in our words and backs off when it is told to."""

    def __init__(self, venue: VenueRef, exchange: Exchange, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self._exchange = exchange
        self._session = session
        self._blocked_until = 0.0
        self._markets: Mapping[str, Market] = {}
        self._markets_at: float | None = None
        self._loading = asyncio.Lock()
        self._told_response = exchange.on_rest_response
        exchange.on_rest_response = self._on_response

    @property
    def exchange(self) -> Exchange:
        """The client itself, for what it knows without asking the venue."""
        return self._exchange

    @property
    def retry_after(self) -> float | None:
        """Seconds until the venue may be asked again; None when it may be asked now."""
        left = self._blocked_until - time.monotonic()
        return left if left > 0 else None

    async def call(self, request: Callable[[Exchange], Awaitable[T]]) -> T:
        """Make one request, for reading.

        Raises:
            VenueUnavailable: try again, not before its `retry_after`.
            VenueMisfit: the venue has no such symbol, or does not offer this at all.
        """
        if (wait := self.retry_after) is not None:
            raise VenueUnavailable(f"{self.venue}: asked to be left alone for {wait:.0f} s more", retry_after=wait)
        try:
            return await request(self._exchange)
        except Exception as error:
            if not is_venue_fault(error):
                raise
            raised = translated(error, str(self.venue), self.retry_after)
            if isinstance(raised, VenueUnavailable) and raised.retry_after is not None:
                self._back_off(raised.retry_after)
            raise raised from error

    async def markets(self) -> Mapping[str, Market]:
        """Return the spot markets that trade, by unified symbol: loaded once, and again when they are a day old.

        Raises:
            VenueUnavailable: they were never loaded and cannot be now.
        """
        if self._fresh():
            return self._markets
        async with self._loading:
            if not self._fresh():
                await self._load_markets()
        return self._markets

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        await self._exchange.close()
        await self._session.close()

    def _fresh(self) -> bool:
        return self._markets_at is not None and time.monotonic() - self._markets_at < _MARKETS_LIVE_SECONDS

    async def _load_markets(self) -> None:
        try:
            found = await self.call(lambda exchange: exchange.load_markets(True))
        except VenueUnavailable as error:
            if self._markets_at is None:
                raise
            # Yesterday's rules are better than none; the next hour brings another attempt.
            self._markets_at += 3_600
            log.warning("markets of %s could not be loaded again: %s", self.venue, error)
            return
        self._markets = {
            symbol: market
            for symbol, market in found.items()
            if market.get("spot") and market.get("active") is not False
        }
        self._markets_at = time.monotonic()

    def _on_response(self, code: int, *details: Any) -> Any:
        """See every response before ccxt does, in the task that made the request: no other place has its headers."""
        if code in _BACK_OFF_STATUS:
            headers: Mapping[str, str] = details[3]
            asked = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
            if asked.isdigit():
                self._back_off(float(asked))
        body = self._told_response(code, *details)
        if code == HTTPStatus.OK and self._exchange.parse_json(body) is None:
            # ccxt would go on with it and return no candles, or an order without an id.
            raise bad_response(f"an answer that is not JSON: {body[:80]!r}")
        return body

    def _back_off(self, seconds: float) -> None:
        self._blocked_until = max(self._blocked_until, time.monotonic() + seconds)


class Gateway:
    """Gives out the clients of this process.

    Args:
        timeout: seconds that one request may take.
    """

    def __init__(self, *, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._clients: dict[VenueRef, VenueClient] = {}
        self._opening = asyncio.Lock()

    async def client(self, venue: VenueRef) -> VenueClient:
        """Return the client of a venue, opening it the first time.

        Raises:
            VenueMisfit: there is no such venue, or it has no test network.
        """
        if (client := self._clients.get(venue)) is not None:
            return client
        async with self._opening:
            if venue not in self._clients:
                self._clients[venue] = await self._open(venue)
        return self._clients[venue]

    async def close(self) -> None:
        """Close every client."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    async def _open(self, venue: VenueRef) -> VenueClient:
        if venue.name not in exchange_ids():
            raise VenueMisfit("data.data_source", _unknown(venue.name))
        # Importing takes about a second, reading the certificates a while: neither belongs on the event loop.
        make = await asyncio.to_thread(exchange_class, venue.name)
        context = await asyncio.to_thread(ssl.create_default_context, cafile=certifi.where())
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=100, keepalive_timeout=60))
        exchange = make(
            {
                "session": session,
                "ssl_context": context,
                "enableRateLimit": not is_loopback(venue.base_url),
                "timeout": int(self._timeout * 1000),
                "timeout_on_exit": 0,
                "number": Decimal,
            }
        )
        client = VenueClient(venue, exchange, session)
        try:
            _spot_only(exchange)
            _direct(exchange, venue)
        except BaseException:
            await client.close()
            raise
        return client


def _spot_only(exchange: Exchange) -> None:
    """Have no markets loaded but spot, and nothing asked that needs a key."""
    fetching = exchange.options.get("fetchMarkets")
    if isinstance(fetching, dict) and isinstance(fetching.get("types"), list):
        fetching["types"] = ["spot"]
    if exchange.options.get("fetchCurrencies") is True:
        exchange.options["fetchCurrencies"] = False
    exchange.options["fetchMargins"] = False
    exchange.options["defaultType"] = "spot"


def _direct(exchange: Exchange, venue: VenueRef) -> None:
    """Point the client at the venue's test network, or at another host."""
    if venue.sandbox:
        if not exchange.urls.get("test"):
            raise VenueMisfit("broker.sandbox", f"{venue.name} has no test network; expected false")
        exchange.set_sandbox_mode(True)
    if venue.base_url is not None:
        if not urlsplit(venue.base_url).netloc:
            raise VenueMisfit("broker.base_url", f"must be like http://127.0.0.1:8080; was {venue.base_url!r}")
        exchange.urls["api"] = moved_to(venue.base_url, exchange.urls["api"])


def _unknown(name: str) -> str:
    close = nearest(name, exchange_ids())
    return f"no exchange is called {name!r}" + (
        f"; did you mean {close}?" if close else "; expected a ccxt exchange id"
    )
