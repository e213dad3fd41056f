"""The exchange on HTTP. `build_app` is the seam: trading adds routes to it, faults add middlewares."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from simulator.errors import VenueError
from simulator.exchange import Exchange
from simulator.routes.control import ControlRoutes
from simulator.routes.market import MarketRoutes
from simulator.weight import WeightMeter

log = logging.getLogger(__name__)


@web.middleware
async def answer_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn a `VenueError` into the venue's JSON, and a bug of ours into its "unknown error"."""
    try:
        return await handler(request)
    except VenueError as error:
        return web.json_response({"code": error.code, "msg": error.message}, status=error.status)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request failed: %s %s", request.method, request.path_qs)
        message = "An unknown error occurred while processing the request."
        return web.json_response({"code": -1000, "msg": message}, status=500)


def build_app(
    exchange: Exchange, *, routes: Sequence[web.RouteDef] = (), middlewares: Sequence[Middleware] = ()
) -> web.Application:
    """Return the web application of an exchange.

    Args:
        routes: further endpoints beside market data and control.
        middlewares: outermost first; they see every request before, and every answer after, the exchange does.
    """
    app = web.Application(middlewares=[*middlewares, answer_refusals])
    app.router.add_routes(MarketRoutes(exchange, WeightMeter()).routes())
    app.router.add_routes(ControlRoutes(exchange).routes())
    app.router.add_routes(routes)
    return app


@dataclass(frozen=True)
class RunningSimulator:
    """A served exchange; leave its context, or call `close`, to end it."""

    exchange: Exchange
    url: str
    _runner: web.AppRunner

    async def close(self) -> None:
        """Stop serving: no new connections, and open requests end. Safe to call twice."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start_simulator(exchange: Exchange, host: str = "127.0.0.1", port: int = 0) -> RunningSimulator:
    """Serve an exchange in this process.

    `async with await start_simulator(exchange) as simulator:` ends it with the block.

    Args:
        port: 0 takes any free one; `url` tells which.

    Raises:
        OSError: the address is taken or not ours.
    """
    runner = web.AppRunner(build_app(exchange), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    name, taken_port = runner.addresses[0][:2]
    shown = f"[{name}]" if ":" in name else name
    return RunningSimulator(exchange, f"http://{shown}:{taken_port}", runner)


def ccxt_config(url: str) -> dict[str, Any]:
    """Return the configuration with which an unmodified ccxt client reads this exchange.

    `ccxt.async_support.binance(ccxt_config(simulator.url))`.

    Only spot markets are loaded, and nothing is asked that needs a key.
    """
    spot = dict.fromkeys(("public", "private", "v1"), f"{url}/api/v3")
    wallet = {f"sapi{version}": f"{url}/sapi/v{version[1:] or 1}" for version in ("", "V2", "V3", "V4")}
    return {
        "urls": {"api": spot | wallet},
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        },
    }
