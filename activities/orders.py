"""Order activities: the one door through which a workflow reaches a broker."""

from temporalio import activity

from activities.failures import retryable
from domain.config import BotConfig
from domain.errors import OrderRejected, VenueUnavailable
from domain.guards import Guards
from domain.model import Model
from domain.orders import OrderReport, OrderRequest
from domain.ports import Brokers
from domain.positions import Book
from risk.limits import entry_refusal, order_refusal


class SubmitOrder(Model):
    """An order with what the risk check must know. `guards` and `book` are those of the moment of the intent."""

    order: OrderRequest
    config: BotConfig
    book: Book
    guards: Guards


class OrderActivities:
    """Places orders, each under the id that the workflow has chosen."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers

    @activity.defn
    async def submit_order(self, request: SubmitOrder) -> OrderReport:
        """Submit one order. Safe to retry: it is looked up first, under its client order id.

        A refusal by risk or by the broker is an answer, not an outage: the report says `rejected`, and why.
        """
        order = request.order
        broker = self._brokers.broker_for(order)
        try:
            known = await broker.find(order)
            if known is not None:
                return known
            # Only after the order is known to be absent may risk refuse it: a refusal must never hide an order.
            if refusal := _risk_refusal(request):
                return _rejected(order, f"risk: {refusal}")
            return await broker.submit(order)
        except OrderRejected as error:
            return _rejected(order, str(error))
        except VenueUnavailable as error:
            raise retryable(error) from error


def _risk_refusal(request: SubmitOrder) -> str | None:
    intent, instrument = request.order.intent, request.order.instrument
    if intent.side == "sell":
        return None  # an exit is never refused by a limit
    price = intent.reference_price
    refusal = entry_refusal(
        request.config, request.book, request.guards, price=price, moment=intent.decided_at
    ) or order_refusal(request.config, request.book, instrument, quantity=intent.quantity, price=price)
    return refusal.reason if refusal else None


def _rejected(order: OrderRequest, reason: str) -> OrderReport:
    return OrderReport(client_order_id=order.intent.client_order_id, status="rejected", reason=reason)
