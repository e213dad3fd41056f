"""Makes ccxt's clients: spot only, exact numbers, pointed at the right address."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import certifi

from brokers.addresses import is_loopback, moved_to
from brokers.ccxt_import import exchange_class, exchange_ids
from brokers.ccxt_types import Exchange
from brokers.habits import RECEIVE_WINDOW_MS
from brokers.nearest import nearest
from domain.errors import VenueMisfit
from domain.instruments import VenueRef


async def new_session() -> aiohttp.ClientSession:
    """Return a session that keeps its connections, for all clients of one venue."""
    # Reading the certificates takes a while, which does not belong on the event loop.
    context = await asyncio.to_thread(ssl.create_default_context, cafile=certifi.where())
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=100, keepalive_timeout=60))


async def new_exchange(
    venue: VenueRef, session: aiohttp.ClientSession, *, timeout_seconds: float, keys: Mapping[str, Any] | None = None
) -> Exchange:
    """Return a client of ccxt.

    Args:
        timeout_seconds: what one request may take.
        keys: ccxt's `apiKey`, `secret` and `password`; None for public data alone.

    Raises:
        VenueMisfit: there is no such venue, or it has no test network, or its address makes no sense.
    """
    if venue.name not in exchange_ids():
        raise VenueMisfit("data.data_source", _unknown(venue.name))
    # Importing takes about a second.
    make = await asyncio.to_thread(exchange_class, venue.name)
    exchange = make(
        {
            "session": session,
            # ccxt makes one of its own where there is none, although the session has what it needs.
            "ssl_context": True,
            "enableRateLimit": not is_loopback(venue.base_url),
            "timeout": int(timeout_seconds * 1000),
            "timeout_on_exit": 0,
            # As text they stay exact. Decimal would be lost: where ccxt reads a number again, it looks for text.
            "number": str,
            **(keys or {}),
        }
    )
    try:
        _spot_only(exchange)
        _direct(exchange, venue)
    except BaseException:
        await exchange.close()
        raise
    return exchange


def _spot_only(exchange: Exchange) -> None:
    """Have no markets loaded but spot, and nothing asked that needs a key without need."""
    fetching = exchange.options.get("fetchMarkets")
    if isinstance(fetching, dict) and isinstance(fetching.get("types"), list):
        fetching["types"] = ["spot"]
    if exchange.options.get("fetchCurrencies") is True:
        exchange.options["fetchCurrencies"] = False
    exchange.options["fetchMargins"] = False
    exchange.options["defaultType"] = "spot"
    # ccxt heeds it where the venue has such a thing, in parameters or headers.
    exchange.options["recvWindow"] = RECEIVE_WINDOW_MS


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
