"""Order activities: the one door through which a workflow reaches a broker."""

import time

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import retryable
from activities.sending import Attempt, Unresolved, known_or_window
from domain.config import BotConfig
from domain.errors import AccountRefused, NotSent, OrderMismatch, OrderRejected, OrderUncertain, VenueUnavailable
from domain.guards import Guards
from domain.model import Model
from domain.orders import OrderReport, OrderRequest, OrderStatus
from domain.ports import Broker, Brokers
from domain.positions import Book
from risk.limits import entry_refusal, order_refusal


class SubmitOrder(Model):
    """An order with what the risk check must know. `guards` and `book` are those of the moment of the intent.

    Attributes:
        wary: the order may have been sent before this activity was scheduled, by a life that history forgot.
    """

    order: OrderRequest
    config: BotConfig
    book: Book
    guards: Guards
    wary: bool = False


class OrderActivities:
    """Places orders, each under the id that the workflow has chosen."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers

    @activity.defn
    async def submit_order(self, request: SubmitOrder) -> OrderReport:
        """Submit one order. Safe to retry: it is looked up first, under its client order id.

        A refusal by risk or by the broker is an answer, not an outage: the report says `rejected`, and why. It says
        `pending` when the order has certainly not left, and `unknown` when only a person can tell. What is left open
        for now, such as a lost answer, fails the attempt: the next one finds out.
        """
        order, attempt = request.order, _attempt(wary=request.wary)
        broker = self._brokers.broker_for(order)
        try:
            return await _submit(broker, request, attempt)
        except OrderRejected as error:
            # A venue calls a repeated order a bad one: what an earlier attempt has placed must not be lost for that.
            return await _found_after_all(broker, order, attempt) or _report(order, "rejected", error)
        except (Unresolved, OrderMismatch) as error:
            return _report(order, "unknown", error)
        except NotSent as error:
            return _report(order, "pending", error)
        except OrderUncertain as error:
            raise ApplicationError(str(error), type=OrderUncertain.__name__) from error
        except VenueUnavailable as error:
            if attempt.first:
                return _report(order, "pending", error)  # it did not even answer the look-up
            raise retryable(error) from error
        except AccountRefused as error:
            return _report(order, "rejected" if attempt.first else "unknown", error)


async def _submit(broker: Broker, request: SubmitOrder, attempt: Attempt) -> OrderReport:
    order = request.order
    outcome = await known_or_window(broker, order, attempt)
    if isinstance(outcome, OrderReport):
        return outcome
    # Only after the order is known to be absent may risk refuse it: a refusal must never hide an order.
    if refusal := _risk_refusal(request):
        return _report(order, "rejected", f"risk: {refusal}")
    return await broker.submit(order, outcome)


async def _found_after_all(broker: Broker, order: OrderRequest, attempt: Attempt) -> OrderReport | None:
    try:
        return None if attempt.first else await broker.find(order)
    except VenueUnavailable as error:
        raise retryable(error) from error


def _attempt(*, wary: bool) -> Attempt:
    """Return what this attempt may do: it signs nothing in the second half of its time, when another may follow."""
    info, started = activity.info(), time.time()
    timeout = info.start_to_close_timeout
    closes = started + timeout.total_seconds() / 2 if timeout else started
    return Attempt(started=started, closes=closes, first=info.attempt == 1 and not wary)


def _risk_refusal(request: SubmitOrder) -> str | None:
    intent, instrument = request.order.intent, request.order.instrument
    if intent.side == "sell":
        return None  # an exit is never refused by a limit
    price = intent.reference_price
    refusal = entry_refusal(
        request.config, request.book, request.guards, price=price, moment=intent.decided_at
    ) or order_refusal(request.config, request.book, instrument, quantity=intent.quantity, price=price)
    return refusal.reason if refusal else None


def _report(order: OrderRequest, status: OrderStatus, reason: object) -> OrderReport:
    return OrderReport(client_order_id=order.intent.client_order_id, status=status, reason=str(reason))
