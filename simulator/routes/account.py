"""The account under /api/v3 and /sapi/v1: balances, trades, fees and what a key may do."""

from typing import Any

from aiohttp import web

from simulator import errors
from simulator.routes import order_formats
from simulator.routes.answers import answer
from simulator.routes.signed import signed
from simulator.routes.trading import lookup_range
from simulator.trading.accounts import Account, ApiKey
from simulator.trading.desk import Desk
from simulator.trading.fees import DISCOUNT, DISCOUNT_ASSET
from simulator.trading.money import text
from simulator.trading.orders import Trade
from simulator.trading.wallet import Balance
from simulator.weight import WeightMeter

_BASIS_POINT = 10_000


class AccountRoutes:
    """The endpoints that show an account to its owner."""

    def __init__(self, desk: Desk, weights: WeightMeter) -> None:
        self._desk = desk
        self._weights = weights

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        handlers = {
            "/api/v3/account": self.account,
            "/api/v3/account/commission": self.commission,
            "/api/v3/myTrades": self.trades,
            "/sapi/v1/account/apiRestrictions": self.restrictions,
            "/sapi/v1/asset/tradeFee": self.trade_fees,
            "/sapi/v1/capital/config/getall": self.coins,
        }
        signed_routes = [web.get(path, handler, allow_head=False) for path, handler in handlers.items()]
        return [*signed_routes, web.get("/sapi/v1/system/status", self.status)]

    async def account(self, request: web.Request) -> web.Response:
        """Answer with the balances."""
        call = await signed(request, self._desk, "read")
        omit_zero = call.params.choice("omitZeroBalances", ("false", "true")) == "true"
        call.params.done()
        self._desk.settle(call.account)
        balances = self._balances(call.account)
        held = {asset: b for asset, b in balances.items() if b != Balance() or not omit_zero}
        return answer(_account(call.account, held), self._weights.headers(20))

    async def commission(self, request: web.Request) -> web.Response:
        """Answer with the fee rates of a symbol."""
        call = await signed(request, self._desk, "read")
        symbol = call.params.market(self._desk.exchange).symbol
        call.params.done()
        return answer(_commission(call.account, symbol), self._weights.headers(20))

    async def trades(self, request: web.Request) -> web.Response:
        """Answer with trades of a symbol: the first ones from `fromId` or `startTime` on, else the latest."""
        call = await signed(request, self._desk, "read")
        params = call.params
        symbol, order_id = params.market(self._desk.exchange).symbol, params.number("orderId")
        from_id, (start, end) = params.number("fromId"), lookup_range(params)
        limit = params.limit(500, 1_000)
        params.done()
        if from_id is not None and (start is not None or end is not None):
            raise errors.invalid_combination()
        now = self._desk.settle(call.account)
        orders = [order for order in call.account.orders.of(symbol) if order.visible_ms <= now]

        def wanted(trade: Trade) -> bool:
            if order_id not in (None, trade.order_id) or (from_id is not None and trade.trade_id < from_id):
                return False
            return (start is None or trade.moment >= start) and (end is None or trade.moment <= end)

        mine = sorted((trade for order in orders for trade in order.trades), key=lambda trade: trade.trade_id)
        found = list(filter(wanted, mine))
        found = found[-limit:] if from_id is None and start is None else found[:limit]
        weight = 20 if order_id is None else 5
        return answer(list(map(order_formats.traded, found)), self._weights.headers(weight))

    async def restrictions(self, request: web.Request) -> web.Response:
        """Answer with what the key may do."""
        call = await signed(request, self._desk, "read")
        call.params.done()
        key = next(key for key in call.account.keys if key.key == request.headers["X-MBX-APIKEY"])
        return answer(_restrictions(key), self._weights.headers(1))

    async def trade_fees(self, request: web.Request) -> web.Response:
        """Answer with the fee rates of one symbol or of all."""
        call = await signed(request, self._desk, "read")
        markets, _ = call.params.markets(self._desk.exchange)
        call.params.done()
        fees = call.account.fees
        rates = {"makerCommission": f"{fees.maker.normalize():f}", "takerCommission": f"{fees.taker.normalize():f}"}
        return answer([{"symbol": market.symbol, **rates} for market in markets], self._weights.headers(1))

    async def coins(self, request: web.Request) -> web.Response:
        """Answer with the currencies, which have no networks here: nothing is withdrawn."""
        call = await signed(request, self._desk, "read")
        call.params.done()
        self._desk.settle(call.account)
        found = [_coin(asset, held) for asset, held in self._balances(call.account).items()]
        return answer(found, self._weights.headers(10))

    async def status(self, _request: web.Request) -> web.Response:
        """Answer that the venue is there."""
        return answer({"status": 0, "msg": "normal"}, self._weights.headers(1))

    def _balances(self, account: Account) -> dict[str, Balance]:
        """Return the balances of all assets that are traded here or that the account has."""
        rules = [market.rules for market in self._desk.exchange.markets.values()]
        assets = dict.fromkeys(asset for pair in rules for asset in (pair.base, pair.quote))
        return dict.fromkeys(assets, Balance()) | dict(account.wallet.balances)


def _account(account: Account, balances: dict[str, Balance]) -> dict[str, Any]:
    fees = account.fees
    return {
        "makerCommission": int(fees.maker * _BASIS_POINT),
        "takerCommission": int(fees.taker * _BASIS_POINT),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(account),
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.settled_ms,
        "accountType": "SPOT",
        "balances": [order_formats.balance(asset, held) for asset, held in balances.items()],
        "permissions": ["SPOT"],
    }


def _rates(account: Account) -> dict[str, str]:
    none = dict.fromkeys(("buyer", "seller"), "0.00000000")
    return {"maker": text(account.fees.maker), "taker": text(account.fees.taker), **none}


def _commission(account: Account, symbol: str) -> dict[str, Any]:
    none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
    return {
        "symbol": symbol,
        "standardCommission": _rates(account),
        "taxCommission": none,
        "discount": {
            "enabledForAccount": account.fees.in_bnb,
            "enabledForSymbol": True,
            "discountAsset": DISCOUNT_ASSET,
            "discount": text(DISCOUNT),
        },
    }


def _restrictions(key: ApiKey) -> dict[str, Any]:
    elsewhere = (
        "enableInternalTransfer",
        "permitsUniversalTransfer",
        "enableMargin",
        "enableFutures",
        "enableVanillaOptions",
        "enablePortfolioMarginTrading",
    )
    return {
        "ipRestrict": key.ip_restricted,
        "createTime": 0,
        "enableReading": "read" in key.permissions,
        "enableSpotAndMarginTrading": "trade" in key.permissions,
        "enableWithdrawals": "withdraw" in key.permissions,
        **dict.fromkeys(elsewhere, False),
    }


def _coin(asset: str, held: Balance) -> dict[str, Any]:
    return {
        "coin": asset,
        "name": asset,
        "isLegalMoney": False,
        "trading": True,
        "depositAllEnable": False,
        "withdrawAllEnable": False,
        "free": text(held.free),
        "locked": text(held.locked),
        "networkList": [],
    }
