"""A simulated exchange on HTTP whose answers a test may replace, and clients that read it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.typedefs import Middleware

from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from domain.instruments import VenueRef
from simulator.clock import ManualClock
from simulator.exchange import Exchange, generated_market
from simulator.server import build_app

NOW = 1_700_000_040_000 // 60_000 * 60_000 + 20_000
"""Twenty seconds into a minute."""


@dataclass
class Venue:
    """A served exchange: what was asked of it, and what it answers instead if a test says so."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    answer: Callable[[web.Request], web.Response | None] = lambda _request: None

    @property
    def ref(self) -> VenueRef:
        return VenueRef(name="binance", base_url=self.url)


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    served = Venue()
    exchange = Exchange(ManualClock(NOW), [generated_market(symbol) for symbol in ("BTCUSDT", "ETHUSDT", "ETHBTC")])
    runner = web.AppRunner(build_app(exchange, middlewares=[_observer(served)]), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    opened = Gateway(timeout=2)
    yield opened
    await opened.close()


@pytest.fixture
def data(gateway: Gateway, venue: Venue) -> CcxtData:
    return CcxtData(gateway, venue.ref)


def _observer(served: Venue) -> Middleware:
    @web.middleware
    async def observe(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        served.paths.append(request.path)
        served.connections.add(request.transport)
        return served.answer(request) or await handler(request)

    return observe
