"""Orders under /api/v3, shaped and refused as Binance's spot REST API does."""

from aiohttp import web

from simulator import errors
from simulator.routes import order_formats
from simulator.routes.answers import answer
from simulator.routes.order_request import CLIENT_ORDER_ID, read_order, response_type
from simulator.routes.params import Params
from simulator.routes.signed import signed
from simulator.trading.desk import Desk, new_client_order_id
from simulator.trading.orders import Order
from simulator.weight import OrderMeter, WeightMeter

_LONGEST_LOOKUP_HOURS = 24


class TradingRoutes:
    """The endpoints that place, show and cancel orders."""

    def __init__(self, desk: Desk, weights: WeightMeter) -> None:
        self._desk = desk
        self._weights = weights
        self._meters: dict[str, OrderMeter] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        return [
            web.post("/api/v3/order", self.place),
            web.post("/api/v3/order/test", self.test),
            web.get("/api/v3/order", self.query, allow_head=False),
            web.delete("/api/v3/order", self.cancel),
            web.get("/api/v3/openOrders", self.open_orders, allow_head=False),
            web.delete("/api/v3/openOrders", self.cancel_all),
            web.get("/api/v3/allOrders", self.all_orders, allow_head=False),
        ]

    async def place(self, request: web.Request) -> web.Response:
        """Accept an order."""
        call = await signed(request, self._desk, "trade")
        wanted = read_order(call.params, self._desk.exchange)
        detail = response_type(call.params, wanted.type)
        call.params.done()
        headers = {**self._weights.headers(1), **self._meter(call.account.name).headers()}
        order = self._desk.place(call.account, wanted, call.conditions)
        return answer(order_formats.placed(order, detail), headers)

    async def test(self, request: web.Request) -> web.Response:
        """Check an order without accepting it."""
        call = await signed(request, self._desk, "trade")
        wanted = read_order(call.params, self._desk.exchange)
        response_type(call.params, wanted.type)
        call.params.done()
        self._desk.check(call.account, wanted, call.conditions)
        return answer({}, self._weights.headers(1))

    async def query(self, request: web.Request) -> web.Response:
        """Answer with one order."""
        call = await signed(request, self._desk, "read")
        symbol, order_id, client_order_id = self._which(call.params)
        call.params.done()
        order = self._desk.query(call.account, symbol, order_id, client_order_id)
        return answer(order_formats.queried(order), self._weights.headers(4))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel one order."""
        call = await signed(request, self._desk, "trade")
        symbol, order_id, client_order_id = self._which(call.params)
        cancel_id = call.params.matching("newClientOrderId", CLIENT_ORDER_ID) or new_client_order_id()
        call.params.done()
        order = self._desk.cancel(call.account, symbol, order_id, client_order_id)
        return answer(order_formats.cancelled(order, cancel_id), self._weights.headers(1))

    async def cancel_all(self, request: web.Request) -> web.Response:
        """Cancel the open orders of a symbol."""
        call = await signed(request, self._desk, "trade")
        symbol = call.params.market(self._desk.exchange).symbol
        call.params.done()
        orders = self._desk.cancel_all(call.account, symbol)
        found = [order_formats.cancelled(order, new_client_order_id()) for order in orders]
        return answer(found, self._weights.headers(1))

    async def open_orders(self, request: web.Request) -> web.Response:
        """Answer with the open orders, of one symbol or of all."""
        call = await signed(request, self._desk, "read")
        symbol = None if call.params.text("symbol") is None else call.params.market(self._desk.exchange).symbol
        call.params.done()
        now = self._desk.settle(call.account)
        orders = [order for order in call.account.orders.open(symbol) if order.visible_ms <= now]
        return answer(list(map(order_formats.queried, orders)), self._weights.headers(6 if symbol else 80))

    async def all_orders(self, request: web.Request) -> web.Response:
        """Answer with orders of a symbol: the first ones from `orderId` or `startTime` on, else the latest."""
        call = await signed(request, self._desk, "read")
        params = call.params
        symbol, order_id = params.market(self._desk.exchange).symbol, params.number("orderId")
        start, end = lookup_range(params)
        limit = params.limit(500, 1_000)
        params.done()
        now = self._desk.settle(call.account)

        def wanted(order: Order) -> bool:
            if order.visible_ms > now or (order_id is not None and order.order_id < order_id):
                return False
            return (start is None or order.created_ms >= start) and (end is None or order.created_ms <= end)

        found = list(filter(wanted, call.account.orders.of(symbol)))
        found = found[-limit:] if order_id is None and start is None else found[:limit]
        return answer(list(map(order_formats.queried, found)), self._weights.headers(20))

    def _which(self, params: Params) -> tuple[str, int | None, str | None]:
        symbol = params.market(self._desk.exchange).symbol
        order_id, client_order_id = params.number("orderId"), params.text("origClientOrderId")
        if order_id is None and client_order_id is None:
            raise errors.both_empty("origClientOrderId", "orderId")
        return symbol, order_id, client_order_id

    def _meter(self, account: str) -> OrderMeter:
        return self._meters.setdefault(
            account, OrderMeter(self._desk.exchange.clock, enforced=self._desk.limits_enforced)
        )


def lookup_range(params: Params) -> tuple[int | None, int | None]:
    """Return `startTime` and `endTime`, which may lie a day apart at most."""
    start, end = params.number("startTime"), params.number("endTime")
    if start is not None and end is not None and end - start > _LONGEST_LOOKUP_HOURS * 3_600_000:
        raise errors.lookup_too_wide(_LONGEST_LOOKUP_HOURS)
    return start, end
