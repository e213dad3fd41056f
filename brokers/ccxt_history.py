"""What a venue knows of the orders of an account: one order by its client id, all since a moment, and their fills."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

from brokers.account_client import AccountClient
from brokers.ccxt_orders import client_id_of, filled_by, fills_of, number_of, report_of
from brokers.ccxt_types import Exchange, Order, Trade
from brokers.faults import is_no_such_order
from domain.errors import VenueUnavailable
from domain.instruments import Instrument
from domain.intervals import open_time
from domain.model import Money, Quantity, as_money, exact
from domain.orders import Fill, OrderReport

# An order may bear a time a little before the trades that it made, or after those of which we know.
_SLACK_MS = 60_000


async def look_up(client: AccountClient, symbol: str, client_order_id: str, *, since: int) -> Order | None:
    """Return the order of a client order id; None when the venue shows none.

    Args:
        since: milliseconds UTC; it was placed later.

    Raises:
        VenueUnavailable, AccountRefused: as a read.
    """
    habits = client.habits
    if habits.looks_up:
        order = await client.call(lambda exchange: _order_or_none(exchange, symbol, client_order_id), urgent=True)
        if order is not None and order.get("id") is None:
            raise VenueUnavailable(f"{client.account}: the answer about {client_order_id} names no order")
        return order
    filters = {habits.list_filter: client_order_id} if habits.list_filter else {}
    for name in habits.order_lists:
        found = await client.call(_list(name, symbol, None if filters else since - _SLACK_MS, filters), urgent=True)
        for order in found:
            if client_id_of(order) == client_order_id:
                return order
    return None


async def orders_since(client: AccountClient, symbol: str, since: int) -> Sequence[Order]:
    """Return all orders of a symbol placed since a moment, milliseconds UTC, oldest first."""
    found: dict[str, Order] = {}
    for name in client.habits.order_lists:
        start = since
        # Venues give them by the page, from the oldest on: go on where a page ended until it brings nothing new.
        while page := [
            order
            for order in await client.call(_list(name, symbol, start, {}))
            if order.get("id") is not None and str(order["id"]) not in found
        ]:
            found |= {str(order["id"]): order for order in page}
            start = max(start, *(int(order.get("timestamp") or 0) for order in page))
    return sorted(found.values(), key=lambda order: int(order.get("timestamp") or 0))


async def full_report(
    client: AccountClient, order: Order, instrument: Instrument, *, client_order_id: str, quantity: Quantity | None
) -> OrderReport:
    """Return the report of an order with all its fills.

    Args:
        quantity: what was ordered, in base; None for an order placed by what it costs.
    """
    moment = int(order.get("timestamp") or 0)
    fills = fills_of(order.get("trades") or (), instrument, at=moment)
    told = number_of(order, "filled")
    if told is None or told != filled_by(fills):
        fills = fills_of(await _trades(client, order, instrument.symbol), instrument, at=moment)
    valued = [await _with_value(client, fill, instrument) for fill in fills]
    return report_of(order, valued, client_order_id=client_order_id, quantity=quantity)


async def _order_or_none(exchange: Exchange, symbol: str, client_order_id: str) -> Order | None:
    try:
        # The id again where the venue's own belongs: ccxt puts that into words when there is no such order.
        return await exchange.fetch_order(client_order_id, symbol, {"clientOrderId": client_order_id})
    except Exception as error:
        if is_no_such_order(error):
            return None
        raise


async def _trades(client: AccountClient, order: Order, symbol: str) -> Sequence[Trade]:
    name, order_id = client.habits.trades_filter, str(order["id"])
    since = None if name else int(order.get("timestamp") or 0) - _SLACK_MS
    filters = {name: order_id} if name else {}
    trades = await client.call(lambda exchange: exchange.fetch_my_trades(symbol, since, None, filters), urgent=True)
    return [trade for trade in trades if str(trade.get("order") or order_id) == order_id]


async def _with_value(client: AccountClient, fill: Fill, instrument: Instrument) -> Fill:
    """Return the fill with what its fee was worth, if that was taken in a third coin."""
    if not fill.fee or fill.fee_currency in (instrument.base, instrument.quote):
        return fill
    rate = await _rate(client, fill.fee_currency, instrument.quote, fill.at)
    return fill if rate is None else fill.model_copy(update={"fee_value": _value(fill.fee, rate)})


async def _rate(client: AccountClient, currency: str, quote: str, moment: int) -> Decimal | None:
    """Return the price of a currency at the beginning of a minute: whoever asks again gets the same."""
    symbol = f"{currency}/{quote}"
    if symbol not in (client.exchange.markets or {}):
        return None
    minute = open_time(moment, "1m")
    rows = await client.call(lambda exchange: exchange.fetch_ohlcv(symbol, "1m", minute, 1), urgent=True)
    return Decimal(rows[0][1]) if rows and rows[0][1] is not None else None


@exact()
def _value(fee: Quantity, rate: Decimal) -> Money:
    return as_money(fee * rate)


def _list(
    name: str, symbol: str, since: int | None, filters: Mapping[str, str]
) -> Callable[[Exchange], Awaitable[Sequence[Order]]]:
    return lambda exchange: getattr(exchange, name)(symbol, since, None, dict(filters))
