"""Market data under /api/v3, shaped and refused as Binance's spot REST API does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator import errors
from simulator.conditions import conditions_of
from simulator.exchange import Exchange, Market
from simulator.routes import formats
from simulator.routes.answers import json_answer
from simulator.routes.params import Params
from simulator.weight import WeightMeter

INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
_UTC = ("0", "+0", "00:00", "+00:00")

Handler = Callable[[web.Request], Awaitable[web.Response]]


class MarketRoutes:
    """The endpoints that anybody may read, without a key."""

    def __init__(self, exchange: Exchange, weights: WeightMeter) -> None:
        self._exchange = exchange
        self._weights = weights

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        handlers: dict[str, Handler] = {
            "ping": self.ping,
            "time": self.time,
            "exchangeInfo": self.exchange_info,
            "klines": self.klines,
            "depth": self.depth,
            "ticker/price": self.prices,
            "ticker/bookTicker": self.book_tickers,
            "ticker/24hr": self.day_tickers,
        }
        return [web.get(f"/api/v3/{path}", handler) for path, handler in handlers.items()]

    async def ping(self, request: web.Request) -> web.Response:
        """Answer that the venue is there."""
        Params(request.query).done()
        return self._answer("{}", weight=1)

    async def time(self, request: web.Request) -> web.Response:
        """Answer with the venue's clock."""
        Params(request.query).done()
        now = self._exchange.clock.now_ms() + conditions_of(request).skew_ms
        return self._answer(json.dumps({"serverTime": now}), weight=1)

    async def exchange_info(self, request: web.Request) -> web.Response:
        """Answer with the rules of one, several or all markets."""
        params = Params(request.query)
        markets, _ = params.markets(self._exchange)
        # Filters by permission and status change nothing here: every market is a trading spot market.
        for name in ("permissions", "showPermissionSets", "symbolStatus"):
            params.text(name)
        params.done()
        closed = conditions_of(request).closed_symbols
        return self._json(formats.exchange_info(markets, self._exchange.clock.now_ms(), closed), weight=20)

    async def klines(self, request: web.Request) -> web.Response:
        """Answer with candles: the first ones from `startTime` when it is sent, else the latest until `endTime`."""
        params = Params(request.query)
        market = params.market(self._exchange)
        interval = params.required("interval")
        start, end = params.number("startTime"), params.number("endTime")
        limit = params.limit(500, 1000)
        time_zone = params.text("timeZone")
        params.done()
        if interval not in INTERVALS:
            raise errors.invalid_interval()
        if time_zone is not None and time_zone not in _UTC:
            raise errors.invalid_data("timeZone")
        write = formats.candle_writer(interval, market.price_decimals, market.volume_decimals)
        now, last = self._exchange.clock.now_ms(), conditions_of(request).candles_end_ms
        now = now if last is None else min(now, last)
        lines = market.history.lines(interval, now=now, start=start, end=end, limit=limit, write=write)
        return self._answer(f"[{','.join(lines)}]", weight=2)

    async def depth(self, request: web.Request) -> web.Response:
        """Answer with the order book."""
        params = Params(request.query)
        market = params.market(self._exchange)
        limit = params.limit(100, 5000)
        params.choice("symbolStatus", ("TRADING", "HALT", "BREAK"))
        params.done()
        weight = next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if limit <= most)
        return self._json(formats.depth(market, self._exchange.clock.now_ms(), limit), weight=weight)

    async def prices(self, request: web.Request) -> web.Response:
        """Answer with last prices."""
        return self._per_market(request, formats.price, one=2, several=4)

    async def book_tickers(self, request: web.Request) -> web.Response:
        """Answer with the best bid and ask."""
        return self._per_market(request, formats.book_ticker, one=2, several=4)

    async def day_tickers(self, request: web.Request) -> web.Response:
        """Answer with the statistics of the last 24 hours."""
        params = Params(request.query)
        mini = params.choice("type", ("FULL", "MINI")) == "MINI"
        markets, single = self._markets(params)
        weight = 2 if len(markets) <= 20 else 40 if len(markets) <= 100 else 80
        now = self._exchange.clock.now_ms()
        found = [formats.day_ticker(market, now, mini=mini) for market in markets]
        return self._json(found[0] if single else found, weight=weight)

    def _per_market(
        self, request: web.Request, write: Callable[[Market, int], dict[str, Any]], *, one: int, several: int
    ) -> web.Response:
        markets, single = self._markets(Params(request.query))
        now = self._exchange.clock.now_ms()
        found = [write(market, now) for market in markets]
        return self._json(found[0], weight=one) if single else self._json(found, weight=several)

    def _markets(self, params: Params) -> tuple[list[Market], bool]:
        markets, single = params.markets(self._exchange)
        params.text("symbolStatus")
        params.done()
        return markets, single

    def _json(self, body: object, *, weight: int) -> web.Response:
        return self._answer(json.dumps(body, separators=(",", ":")), weight=weight)

    def _answer(self, body: str, *, weight: int) -> web.Response:
        return json_answer(body, self._weights.headers(weight))
