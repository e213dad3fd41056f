"""GET /ledger: what the exchange really accepted, whatever its answers said or whether they came."""

from typing import Any

from aiohttp import web

from simulator.routes import order_formats
from simulator.routes.answers import answer, refusal
from simulator.trading.accounts import Account
from simulator.trading.desk import Desk
from simulator.trading.money import text
from simulator.trading.orders import Order, Trade


class LedgerRoutes:
    """The truth, for tests and for people."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        return [web.get("/ledger", self.ledger)]

    async def ledger(self, request: web.Request) -> web.Response:
        """Answer with orders, trades, deposits and balances of all accounts, or of `?account=` alone."""
        name = request.query.get("account")
        accounts = [account for account in self._desk.accounts if name in (None, account.name)]
        if name is not None and not accounts:
            return refusal(404, f"no account is named {name!r}")
        now = self._desk.exchange.clock.now_ms()
        return answer({"time": now, "accounts": [self._account(account) for account in accounts]}, {})

    def _account(self, account: Account) -> dict[str, Any]:
        self._desk.settle(account)
        trades = [trade for order in account.orders for trade in order.trades]
        return {
            "account": account.name,
            "orders": [_order(order) for order in account.orders],
            "trades": [_trade(trade) for trade in sorted(trades, key=lambda trade: (trade.moment, trade.trade_id))],
            "deposits": [
                {"asset": posting.asset, "qty": text(posting.free), "time": posting.moment}
                for posting in account.wallet.postings
                if posting.cause == "deposit"
            ],
            "balances": [order_formats.balance(asset, held) for asset, held in account.wallet.balances.items()],
        }


def _order(order: Order) -> dict[str, Any]:
    request = order.request
    return {
        "number": order.number,
        "orderId": order.order_id,
        "clientOrderId": request.client_order_id,
        "symbol": request.symbol,
        "side": request.side,
        "type": request.type,
        "timeInForce": request.time_in_force,
        "price": None if request.price is None else text(request.price),
        "stopPrice": None if request.stop_price is None else text(request.stop_price),
        "qty": text(order.quantity),
        "executedQty": text(order.executed),
        "executedQuoteQty": text(order.quote_executed),
        "status": order.status,
        "time": order.created_ms,
        "workingTime": order.working_ms,
        "updateTime": order.updated_ms,
        "visibleFrom": order.visible_ms,
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "tradeId": trade.trade_id,
        "orderId": trade.order_id,
        "symbol": trade.symbol,
        "side": trade.side,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.quote_quantity),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": trade.moment,
        "isMaker": trade.is_maker,
    }
