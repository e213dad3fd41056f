"""Clients of venues: ccxt's, with errors told in our words, answers seen before ccxt sees them, and one set of markets.

Requests share connections and the patience of the address (brokers/access.py). When a venue says "too many requests",
the whole address backs off once, for all bots: until then calls fail at once, without a request.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import ContextVar
from decimal import localcontext
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp

from brokers.access import VenueAccess
from brokers.ccxt_types import Exchange, Market
from brokers.faults import bad_response, is_venue_fault, read_fault, told
from domain.errors import SteadyhandError, VenueUnavailable
from domain.instruments import VenueRef

log = logging.getLogger(__name__)

T = TypeVar("T")

# Whether the requests of the running task leave the rest of a budget to orders.
_modest: ContextVar[bool] = ContextVar("modest", default=False)

_MARKETS_LIVE_SECONDS = 86_400.0
_MINUTE_MS = 60_000


class CcxtClient:
    """One client of ccxt, and how it is asked."""

    _private = False

    def __init__(self, exchange: Exchange, access: VenueAccess, *, who: object, secrets: Collection[str] = ()) -> None:
        self.access = access
        self._exchange = exchange
        self._who = who
        self._secrets = secrets
        self._told_response = exchange.on_rest_response
        exchange.on_rest_response = self._on_response
        self._told_fetch = exchange.fetch2
        exchange.fetch2 = self._fetch

    @property
    def exchange(self) -> Exchange:
        """The client itself, for what it knows without asking the venue."""
        return self._exchange

    async def call(self, request: Callable[[Exchange], Awaitable[T]], *, urgent: bool = False) -> T:
        """Make one request that changes nothing.

        Args:
            urgent: an order waits for it.

        Raises:
            VenueUnavailable: try again, not before its `retry_after`.
            VenueMisfit: the venue has no such symbol, or does not offer this at all.
            AccountRefused: the request was signed, and the venue refuses the keys.
        """
        self.access.admit(urgent=urgent)
        before = _modest.set(not urgent)
        try:
            return await self._ask(request)
        except Exception as error:
            if not is_venue_fault(error):
                raise
            meaning = self._meaning(error)
        finally:
            _modest.reset(before)
        # Not from within: ccxt's own error, which can hold a signed address, would go with it to whoever logs it.
        raise meaning

    async def _ask(self, request: Callable[[Exchange], Awaitable[T]]) -> T:
        # ccxt sets rounding and traps of the context it finds, which is that of the whole process.
        with self.access.breaker, localcontext():
            return await request(self._exchange)

    def _meaning(self, error: Exception) -> SteadyhandError:
        meaning = read_fault(error, self._told(error), self.access.retry_after, private=self._private)
        self._heed(meaning)
        return meaning

    def _told(self, error: Exception) -> str:
        return told(error, self._who, self._secrets)

    def _heed(self, meaning: SteadyhandError) -> None:
        if isinstance(meaning, VenueUnavailable) and meaning.retry_after is not None:
            self.access.back_off(meaning.retry_after)

    async def _fetch(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Make one request of those that a call consists of, counted while it is under way."""
        if _modest.get():
            # Once more, with nothing between this and the counting: ccxt makes some requests in tasks of their own, and
            # a hundred calls could have been admitted before the first of these is counted.
            self.access.check_budget(urgent=False)
        cost = self._exchange.calculate_rate_limiter_cost(api, method, path, params or {}, config or {})
        with self.access.spending(cost * self._exchange.rateLimit / _MINUTE_MS):
            return await self._told_fetch(path, api, method, params or {}, config or {})

    def _on_response(self, code: int, *details: Any) -> Any:
        """See every response before ccxt does, in the task that made the request: no other place has its headers."""
        self.access.hear(code, details[3])
        body = self._told_response(code, *details)
        readable = HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES and code != HTTPStatus.NO_CONTENT
        if readable and self._exchange.parse_json(body) is None:
            # ccxt would go on with it and return no candles, or an order without an id.
            raise bad_response(f"an answer that is not JSON: {body[:80]!r}")
        return body


class VenueClient(CcxtClient):
    """Reads what a venue tells everybody, and keeps its markets."""

    def __init__(
        self, venue: VenueRef, exchange: Exchange, session: aiohttp.ClientSession, access: VenueAccess
    ) -> None:
        super().__init__(exchange, access, who=venue)
        self.venue = venue
        self.session = session
        self._markets: Mapping[str, Market] = {}
        self._markets_at: float | None = None
        self._loading = asyncio.Lock()

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

    async def time(self) -> int:
        """Return the venue's clock, in milliseconds UTC.

        Raises:
            VenueUnavailable: the venue does not answer.
            VenueMisfit: the venue does not tell its time.
        """
        moment = await self.call(lambda exchange: exchange.fetch_time(), urgent=True)
        if not isinstance(moment, int):
            raise VenueUnavailable(f"{self.venue}: its time should be milliseconds; was {moment!r}")
        return moment

    async def close(self) -> None:
        """Close all connections, those of account clients too. Safe to call twice."""
        await self._exchange.close()
        await self.session.close()

    def _fresh(self) -> bool:
        return self._markets_at is not None and time.monotonic() - self._markets_at < _MARKETS_LIVE_SECONDS

    async def _load_markets(self) -> None:
        try:
            found = await self.call(lambda exchange: exchange.load_markets(True), urgent=True)
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
