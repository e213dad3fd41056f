"""Accounts at exchanges through ccxt: what they hold, what rests there, and what a bot has placed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from brokers.account_client import AccountClient
from brokers.ccxt_history import full_report, orders_since
from brokers.ccxt_orders import client_id_of, number_of, side_of, status_of, type_of
from brokers.ccxt_types import Order
from brokers.gateway import Gateway
from domain.account_sides import ListedOrder, MarketOrders, Standing
from domain.accounts import AccountView, Balance, VenueOrder
from domain.errors import VenueMisfit
from domain.instruments import AccountRef, Instrument
from domain.model import ZERO, Price


class CcxtAccounts:
    """Implements `Accounts` for every exchange that has a row in brokers/habits.py."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def orders(
        self, account: AccountRef, instrument: Instrument, *, prefix: str, since: int
    ) -> Sequence[VenueOrder]:
        """Return the orders whose client order ids begin with `prefix`, oldest first.

        Args:
            since: milliseconds UTC; orders accepted earlier may be left out.
        """
        client = await self._gateway.account_client(account)
        found = await orders_since(client, instrument.symbol, since)
        return [
            await _venue_order(client, order, instrument) for order in found if client_id_of(order).startswith(prefix)
        ]

    async def open_orders(self, account: AccountRef, instrument: Instrument) -> Sequence[VenueOrder]:
        """Return all orders that rest at the venue, whoever has placed them."""
        client = await self._gateway.account_client(account)
        found = await client.call(lambda exchange: exchange.fetch_open_orders(instrument.symbol))
        return [await _venue_order(client, order, instrument) for order in found if order.get("id") is not None]

    async def market_orders(
        self, account: AccountRef, instrument: Instrument, *, prefixes: Collection[str], since: int
    ) -> MarketOrders:
        """Return the orders that rest, and those accepted since a moment, whoever has placed them.

        A venue is asked for its lists, and then for the fills of each order whose client order id begins with one of
        `prefixes`: what others do at the account in great numbers costs no more requests.

        Args:
            since: milliseconds UTC.
        """
        client = await self._gateway.account_client(account)
        resting = await client.call(lambda exchange: exchange.fetch_open_orders(instrument.symbol))
        recent = await orders_since(client, instrument.symbol, since)
        found = {str(order["id"]): order for order in (*resting, *recent) if order.get("id") is not None}
        own = {key for key, order in found.items() if client_id_of(order).startswith(tuple(prefixes))}
        return MarketOrders(
            own=tuple([await _venue_order(client, found[key], instrument) for key in found if key in own]),
            others=tuple(_listed_order(order, instrument) for key, order in found.items() if key not in own),
        )

    async def view(self, account: AccountRef) -> AccountView:
        """Return what the keys may do and what the account holds."""
        client = await self._gateway.account_client(account)
        held = await client.call(lambda exchange: exchange.fetch_balance())
        rights = await _rights(client)
        return AccountView(
            may_trade=rights.get("enableSpotAndMarginTrading"),
            may_withdraw=rights.get("enableWithdrawals"),
            takes_stops=client.habits.stop_price is not None,
            balances=_balances(held),
        )


async def _venue_order(client: AccountClient, order: Order, instrument: Instrument) -> VenueOrder:
    side, kind = side_of(order), type_of(order)
    by_cost = client.habits.buys_by_cost and (side, kind) == ("buy", "market")
    quantity = number_of(order, "amount") or number_of(order, "filled") or ZERO
    return VenueOrder(
        report=await full_report(
            client,
            order,
            instrument,
            client_order_id=client_id_of(order),
            quantity=None if by_cost else quantity,
        ),
        symbol=instrument.symbol,
        side=side,
        type=kind,
        quantity=quantity,
        price=_price(order),
        created_at=int(order.get("timestamp") or 0),
    )


def _listed_order(order: Order, instrument: Instrument) -> ListedOrder:
    filled = number_of(order, "filled") or ZERO
    quantity = number_of(order, "amount") or filled
    return ListedOrder(
        client_order_id=client_id_of(order),
        venue_order_id=str(order["id"]),
        symbol=instrument.symbol,
        side=side_of(order),
        type=type_of(order),
        quantity=quantity,
        price=_price(order),
        standing=Standing(status=status_of(order, filled, quantity), filled=filled),
        created_at=int(order.get("timestamp") or 0),
    )


def _price(order: Order) -> Price | None:
    """Return the limit of a limit order, the trigger of a stop; None for a market order."""
    kind = type_of(order)
    return None if kind == "market" else number_of(order, "triggerPrice" if kind == "stop" else "price")


async def _rights(client: AccountClient) -> Mapping[str, bool]:
    """Return what Binance says of the key; nothing where the venue does not tell, such as on its test network."""
    if not client.habits.tells_permissions:
        return {}
    try:
        told = await client.call(lambda exchange: exchange.sapi_get_account_apirestrictions())
    except VenueMisfit:
        return {}
    return {name: right for name, right in told.items() if isinstance(right, bool)}


def _balances(held: Mapping[str, Any]) -> Mapping[str, Balance]:
    free, used = held.get("free") or {}, held.get("used") or {}
    found = {
        currency: Balance(free=number_of(free, currency) or ZERO, locked=number_of(used, currency) or ZERO)
        for currency in {*free, *used}
    }
    return {currency: balance for currency, balance in sorted(found.items()) if balance.free or balance.locked}
