"""Accounts at exchanges through ccxt: what they hold, what rests there, and what a bot has placed."""

from collections.abc import Mapping, Sequence
from typing import Any

from brokers.account_client import AccountClient
from brokers.ccxt_history import full_report, orders_since
from brokers.ccxt_orders import client_id_of, number_of, side_of, type_of
from brokers.ccxt_types import Order
from brokers.gateway import Gateway
from domain.accounts import AccountView, Balance, VenueOrder
from domain.errors import VenueMisfit
from domain.instruments import AccountRef, Instrument
from domain.model import ZERO


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

    async def view(self, account: AccountRef) -> AccountView:
        """Return what the keys may do and what the account holds."""
        client = await self._gateway.account_client(account)
        held = await client.call(lambda exchange: exchange.fetch_balance())
        rights = await _rights(client)
        return AccountView(
            may_trade=rights.get("enableSpotAndMarginTrading"),
            may_withdraw=rights.get("enableWithdrawals"),
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
        price=None if kind == "market" else number_of(order, "triggerPrice" if kind == "stop" else "price"),
        created_at=int(order.get("timestamp") or 0),
    )


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
