"""The exchange on HTTP: market data for everybody, trading for those who have an account."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from simulator.errors import VenueError, unknown_error
from simulator.exchange import Exchange
from simulator.faults.injector import Injector
from simulator.routes.account import AccountRoutes
from simulator.routes.accounts import AccountControlRoutes
from simulator.routes.control import ControlRoutes
from simulator.routes.faults import FaultRoutes
from simulator.routes.ledger import LedgerRoutes
from simulator.routes.market import MarketRoutes
from simulator.routes.trading import TradingRoutes
from simulator.trading.accounts import AccountSpec, ApiKey
from simulator.trading.desk import Desk
from simulator.weight import WeightMeter

log = logging.getLogger(__name__)


def build_app(
    exchange: Exchange,
    desk: Desk | None = None,
    faults: Injector | None = None,
    *,
    middlewares: Sequence[Middleware] = (),
) -> web.Application:
    """Return the web application of an exchange.

    Args:
        desk: where its accounts trade; None for one without accounts.
        faults: what goes wrong; None for one without faults. Both can be changed over HTTP.
        middlewares: outermost first; they see every request before, and every answer after, the exchange does.
    """
    desk, faults = desk or Desk(exchange), faults or Injector(exchange.clock)
    weights = WeightMeter(exchange.clock, enforced=desk.limits_enforced)
    app = web.Application(middlewares=[*middlewares, faults.middleware(), _answer_refusals(weights)])
    app.router.add_routes(MarketRoutes(exchange, weights).routes())
    app.router.add_routes(TradingRoutes(desk, weights).routes())
    app.router.add_routes(AccountRoutes(desk, weights).routes())
    app.router.add_routes(LedgerRoutes(desk).routes())
    app.router.add_routes(ControlRoutes(exchange).routes())
    app.router.add_routes(AccountControlRoutes(desk).routes())
    app.router.add_routes(FaultRoutes(faults).routes())
    return app


def _answer_refusals(weights: WeightMeter) -> Middleware:
    @web.middleware
    async def answer_refusals(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn a `VenueError` into the venue's JSON, and a bug of ours into its "unknown error"."""
        try:
            return await handler(request)
        except VenueError as error:
            return _refusal(error, weights)
        except web.HTTPException:
            raise
        except Exception:
            log.exception("request failed: %s %s", request.method, request.path_qs)
            return _refusal(unknown_error(), weights)

    return answer_refusals


def _refusal(error: VenueError, weights: WeightMeter) -> web.Response:
    headers = dict(weights.used_headers())
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return web.json_response({"code": error.code, "msg": error.message}, status=error.status, headers=headers)


@dataclass(frozen=True)
class RunningSimulator:
    """A served exchange; leave its context, or call `close`, to end it."""

    desk: Desk
    faults: Injector
    url: str
    _runner: web.AppRunner

    @property
    def exchange(self) -> Exchange:
        """What is served."""
        return self.desk.exchange

    async def close(self) -> None:
        """Stop serving: no new connections, and open requests end. Safe to call twice."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start_simulator(
    exchange: Exchange,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    accounts: Iterable[AccountSpec] = (),
    limits_enforced: bool = False,
) -> RunningSimulator:
    """Serve an exchange in this process.

    `async with await start_simulator(exchange) as simulator:` ends it with the block.

    Args:
        port: 0 takes any free one; `url` tells which.
        accounts: opened before the first request is served.
        limits_enforced: refuse requests and orders beyond the venue's limits, not only count them.

    Raises:
        OSError: the address is taken or not ours.
        ValueError: two accounts have the same name or key.
    """
    desk = Desk(exchange, limits_enforced=limits_enforced)
    for spec in accounts:
        desk.accounts.open(spec, exchange.clock.now_ms())
    faults = Injector(exchange.clock)
    runner = web.AppRunner(build_app(exchange, desk, faults), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    name, taken_port = runner.addresses[0][:2]
    shown = f"[{name}]" if ":" in name else name
    return RunningSimulator(desk, faults, f"http://{shown}:{taken_port}", runner)


def ccxt_config(url: str, key: ApiKey | None = None) -> dict[str, Any]:
    """Return the configuration with which an unmodified ccxt client uses this exchange.

    `ccxt.async_support.binance(ccxt_config(simulator.url))`. Only spot markets are loaded.

    Args:
        key: whose account it trades; None for market data alone.
    """
    spot = dict.fromkeys(("public", "private", "v1"), f"{url}/api/v3")
    wallet = {f"sapi{version}": f"{url}/sapi/v{version[1:] or 1}" for version in ("", "V2", "V3", "V4")}
    credentials = {} if key is None else {"apiKey": key.key, "secret": key.secret}
    return credentials | {
        "urls": {"api": spot | wallet},
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        },
    }
