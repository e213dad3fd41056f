"""The live broker: places spot orders through ccxt, each once, and reads what has become of them."""

import logging

from brokers.account_client import AccountClient
from brokers.ccxt_history import full_report, look_up
from brokers.ccxt_orders import mismatch, number_of
from brokers.ccxt_types import Exchange, Order
from brokers.faults import is_no_such_order
from brokers.gateway import Gateway
from brokers.habits import VenueHabits, habits_of
from domain.errors import (
    AccountRefused,
    InsufficientBalance,
    NotSent,
    OrderMismatch,
    OrderRejected,
    OrderUncertain,
    VenueMisfit,
    VenueUnavailable,
)
from domain.instruments import AccountRef, Instrument, against_taker, floor_to
from domain.model import ZERO, Price, Quantity, exact
from domain.orders import OrderIntent, OrderReport, OrderRequest
from domain.ports import OrderHabits, SendWindow

log = logging.getLogger(__name__)

# What a deadline may be late by beyond what is known of the clocks: queues, here and there.
_GRACE_SECONDS = 2.0


class CcxtBroker:
    """Implements `Broker` for every exchange that has a row in brokers/habits.py."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def habits(self, request: OrderRequest) -> OrderHabits:
        """Return how far this order's venue can be trusted to know and to forget."""
        row = habits_of(_account(request).venue.name)
        if row.deadline is None:
            return OrderHabits(finds=row.finds, late_after=None)
        clock = (await self._client(request)).clock
        return OrderHabits(finds=row.finds, late_after=row.deadline + clock.bound_ms / 1000 + _GRACE_SECONDS)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        """Return what the venue knows of the request's order, all its fills included; None when it shows none.

        Raises:
            OrderMismatch: it knows another order under this id.
        """
        client, intent = await self._client(request), request.intent
        order = await look_up(client, intent.symbol, intent.client_order_id, since=intent.decided_at)
        if order is None:
            return None
        if reason := mismatch(order, intent, by_cost=_is_by_cost(client.habits, intent)):
            raise OrderMismatch(f"{client.account}: {intent.client_order_id} is the id of another order: {reason}")
        return await _report(client, order, request)

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        """Send the order, once. The caller has looked it up before.

        Raises:
            OrderRejected: the venue refuses it for good.
            InsufficientBalance: it does so for lack of balance.
            OrderUncertain: the venue may have it or not.
            NotSent: it has not left.
        """
        if request.intent.type == "stop" and habits_of(_account(request).venue.name).stop_price is None:
            raise OrderRejected(f"stop orders are not sent to {_account(request).venue}")
        try:
            client = await self._client(request)
        except VenueUnavailable as error:
            raise NotSent(str(error), retry_after=error.retry_after) from error
        try:
            order = await client.send(
                lambda exchange: _place(exchange, client.habits, request.intent, request.instrument), window
            )
        except InsufficientBalance as error:
            raise InsufficientBalance(str(error), free=await _free(client, request)) from None
        if order.get("id") is None:
            raise OrderUncertain(f"{client.account}: the answer to {request.intent.client_order_id} names no order")
        return await self._accepted(client, order, request)

    async def cancel(self, request: OrderRequest) -> OrderReport:
        """Cancel what is left of the order, and return how it ended; an order that has ended stays as it is.

        Raises:
            OrderUncertain: the venue knows no such order.
        """
        known = await self._known(request)
        if known.final:
            return known
        client = await self._client(request)
        await client.call(
            lambda exchange: _cancel(exchange, str(known.venue_order_id), request.intent.symbol), urgent=True
        )
        return await self._known(request)

    async def _accepted(self, client: AccountClient, order: Order, request: OrderRequest) -> OrderReport:
        """Return the report of an order that the venue has just accepted, with its fills if they can be read."""
        accepted = OrderReport(
            client_order_id=request.intent.client_order_id, status="open", venue_order_id=str(order["id"])
        )
        try:
            if order.get("status") is None:
                return await self.find(request) or accepted  # some answer with nothing but an id
            return await _report(client, order, request)
        except (VenueUnavailable, AccountRefused) as error:
            log.warning("order %s was accepted, but cannot be read: %s", request.intent.client_order_id, error)
            return accepted

    async def _known(self, request: OrderRequest) -> OrderReport:
        if (known := await self.find(request)) is None:
            raise OrderUncertain(f"{_account(request)}: shows no order {request.intent.client_order_id}")
        return known

    async def _client(self, request: OrderRequest) -> AccountClient:
        return await self._gateway.account_client(_account(request))


async def _place(exchange: Exchange, habits: VenueHabits, intent: OrderIntent, instrument: Instrument) -> Order:
    params = {habits.client_id: intent.client_order_id}
    if _is_by_cost(habits, intent):
        return await exchange.create_market_buy_order_with_cost(intent.symbol, _cost(intent, instrument), params)
    # A market order carries no price: Binance would buy for quantity × price instead.
    kind, price = intent.type, None if intent.type == "market" else _on_tick(intent, instrument)
    if intent.type == "stop" and habits.stop_price is not None:
        kind, price, params = "market", None, params | {habits.stop_price: f"{_on_tick(intent, instrument):f}"}
    return await exchange.create_order(intent.symbol, kind, intent.side, intent.quantity, price, params)


async def _cancel(exchange: Exchange, venue_order_id: str, symbol: str) -> None:
    try:
        await exchange.cancel_order(venue_order_id, symbol)
    except Exception as error:
        if not is_no_such_order(error):  # filled or cancelled by another meanwhile
            raise


async def _report(client: AccountClient, order: Order, request: OrderRequest) -> OrderReport:
    intent = request.intent
    quantity = None if _is_by_cost(client.habits, intent) else intent.quantity
    return await full_report(
        client, order, request.instrument, client_order_id=intent.client_order_id, quantity=quantity
    )


async def _free(client: AccountClient, request: OrderRequest) -> Quantity | None:
    """Return what the account has free of what the order spends; None if that cannot be read now."""
    instrument = request.instrument
    currency = instrument.base if request.intent.side == "sell" else instrument.quote
    try:
        held = await client.call(lambda exchange: exchange.fetch_balance(), urgent=True)
    except (VenueUnavailable, AccountRefused) as error:
        log.warning("%s: what is free cannot be read: %s", client.account, error)
        return None
    return number_of(held.get("free") or {}, currency) or ZERO


def _is_by_cost(habits: VenueHabits, intent: OrderIntent) -> bool:
    return habits.buys_by_cost and intent.type == "market" and intent.side == "buy"


@exact()
def _cost(intent: OrderIntent, instrument: Instrument) -> str:
    """Return what a market buy may cost: no more than the decision meant to spend."""
    return f"{floor_to(intent.quantity * intent.reference_price, instrument.tick_size):f}"


def _on_tick(intent: OrderIntent, instrument: Instrument) -> Price:
    """Return the limit or trigger on a tick of the market: a buy must not exceed it, nor a sell go below."""
    if intent.price is None:
        raise OrderRejected(f"a {intent.type} order needs a price; {intent.client_order_id} has none")
    return against_taker(intent.price, instrument.tick_size, buying=intent.side == "sell")


def _account(request: OrderRequest) -> AccountRef:
    if request.account is None:
        raise VenueMisfit("broker.credentials", "a live order needs an account; this one has none")
    return request.account
