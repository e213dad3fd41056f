"""Order activities: the one door through which a workflow reaches a broker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.adoption import history_gone_back, refuse_if_reset
from activities.failures import retryable
from activities.sending import Attempt, Unresolved, known_or_window
from domain.config import BotConfig
from domain.errors import (
    AccountRefused,
    InsufficientBalance,
    NotSent,
    OrderMismatch,
    OrderRejected,
    OrderUncertain,
    StoreUnavailable,
    VenueUnavailable,
)
from domain.guards import Guards
from domain.model import ZERO, Model, Quantity, Utc
from domain.orders import OrderReport, OrderRequest, OrderStatus
from domain.ports import Broker, Brokers, EntryGate
from domain.positions import Book
from risk.limits import entry_refusal, order_refusal

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
# A venue that has accepted an order may need a moment until it can be found.
_MISSING_SECONDS = 30.0


class SubmitOrder(Model):
    """An order with what the risk check must know. `guards` and `book` are those of the moment of the intent.

    Attributes:
        expires: when it is too late to send it, by the wall clock.
        adopted_run: see `activities.adoption.refuse_if_reset`.
        wary: the order may have been sent before this activity was scheduled, by a life that history forgot.
    """

    order: OrderRequest
    config: BotConfig
    book: Book
    guards: Guards
    expires: Utc | None = None
    adopted_run: str | None = None
    wary: bool = False


Awaited = Literal["end", "change", "answer"]


class ResolveOrder(Model):
    """An order that the venue has, and of which is to be known how it stands.

    Attributes:
        awaited: what is waited for: its `end`; a `change` of what is filled of it; or nothing but an `answer`.
        filled: what is known to be filled of it.
        why: the reason for which it is cancelled.
        adopted_run: see `activities.adoption.refuse_if_reset`.
    """

    order: OrderRequest
    awaited: Awaited = "end"
    filled: Quantity = ZERO
    why: str | None = None
    adopted_run: str | None = None

    def is_answered_by(self, report: OrderReport) -> bool:
        """Return whether a report says what was to be known."""
        changed = self.awaited == "change" and report.filled_quantity != self.filled
        return report.final or changed or self.awaited == "answer"


class OrderActivities:
    """Places orders, each under the id that the workflow has chosen."""

    def __init__(self, brokers: Brokers, gate: EntryGate) -> None:
        """Place orders through brokers.

        Args:
            gate: asked before each entry, after the order is known to be absent.
        """
        self._brokers = brokers
        self._gate = gate
        self._began = datetime.now(UTC)

    @activity.defn
    async def submit_order(self, request: SubmitOrder) -> OrderReport:
        """Submit one order. Safe to retry: it is looked up first, under its client order id.

        A refusal by risk or by the broker is an answer, not an outage: the report says `rejected`, and why. It says
        `pending` when the order has certainly not left, and `unknown` when only a person can tell. What is left open
        for now, such as a lost answer, fails the attempt: the next one finds out.
        """
        self._refuse_if_reset(request)
        order, attempt = request.order, _attempt(wary=request.wary)
        broker = self._brokers.broker_for(order)
        try:
            return await self._submit(broker, request, attempt)
        except OrderRejected as error:
            # A venue calls a repeated order a bad one: what an earlier attempt has placed must not be lost for that.
            return await _found_after_all(broker, order, attempt) or _rejection(order, error)
        except (Unresolved, OrderMismatch) as error:
            if attempt.wary and isinstance(error, OrderMismatch):
                # A life that history forgot has sent it, after the venue's orders were adopted.
                raise history_gone_back(str(error)) from error
            return _report(order, "unknown", error)
        except NotSent as error:
            return _report(order, "pending", error)
        except OrderUncertain as error:
            raise ApplicationError(str(error), type=OrderUncertain.__name__) from error
        except (VenueUnavailable, StoreUnavailable) as error:
            if attempt.first and not attempt.wary:
                return _report(order, "pending", error)  # not even the look-up was answered
            raise retryable(error) from error
        except AccountRefused as error:
            # Nothing could be looked up.
            return _report(order, "rejected" if attempt.first and not attempt.wary else "unknown", error)

    @activity.defn
    async def resolve_order(self, request: ResolveOrder) -> OrderReport:
        """Wait until the venue says how an order stands. `unknown` when it shows it no more."""
        broker = self._brokers.broker_for(request.order)
        return await self._ask_until_told(request, broker.find)

    @activity.defn
    async def cancel_order(self, request: ResolveOrder) -> OrderReport:
        """Cancel what is left of an order, and return how it ended. Safe to retry. `unknown` as in `resolve_order`."""
        broker = self._brokers.broker_for(request.order)

        async def cancel(order: OrderRequest) -> OrderReport | None:
            try:
                report = await broker.cancel(order)
            except OrderUncertain:
                return None  # it is not shown, perhaps not yet
            return report.model_copy(update={"reason": request.why}) if report.status == "cancelled" else report

        return await self._ask_until_told(request, cancel)

    async def _ask_until_told(
        self, request: ResolveOrder, ask: Callable[[OrderRequest], Awaitable[OrderReport | None]]
    ) -> OrderReport:
        self._refuse_if_reset(request)
        order, pause, missing_since = request.order, _FIRST_PAUSE, None
        while not activity.is_worker_shutdown():
            activity.heartbeat()
            try:
                report = await ask(order)
            except OrderMismatch as error:
                return _report(order, "unknown", error)
            except (VenueUnavailable, StoreUnavailable) as error:
                raise retryable(error) from error
            if report is not None and request.is_answered_by(report):
                return report
            missing_since = None if report else missing_since or time.monotonic()
            if missing_since is not None and time.monotonic() - missing_since > _MISSING_SECONDS:
                return _report(order, "unknown", f"{order.instrument.venue} shows the order no more")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        raise ApplicationError("this worker is stopping", category=ApplicationErrorCategory.BENIGN)

    async def _submit(self, broker: Broker, request: SubmitOrder, attempt: Attempt) -> OrderReport:
        order = request.order
        outcome = await known_or_window(broker, order, attempt)
        if isinstance(outcome, OrderReport):
            return outcome
        # Only after the order is known to be absent may risk refuse it: a refusal must never hide an order.
        if refusal := self._risk_refusal(request):
            return _report(order, "rejected", f"risk: {refusal}")
        if request.expires is not None and datetime.now(UTC) > request.expires:
            return _report(
                order, "expired", f"too late to {order.intent.side}: it should have been sent by {request.expires}"
            )
        try:
            return await broker.submit(order, outcome)
        except AccountRefused as error:
            # Turned away before anybody looked at the order, which was known to be absent until then.
            return _report(order, "rejected", error)

    def _risk_refusal(self, request: SubmitOrder) -> str | None:
        if request.order.intent.side == "sell":
            return None  # an exit is never refused by a limit
        return self._gate.closed(request.order.account) or _limit_refusal(request)

    def _refuse_if_reset(self, request: SubmitOrder | ResolveOrder) -> None:
        refuse_if_reset(request.adopted_run, live=request.order.account is not None, began=self._began)


async def _found_after_all(broker: Broker, order: OrderRequest, attempt: Attempt) -> OrderReport | None:
    try:
        return await broker.find(order) if attempt.wary or not attempt.first else None
    except VenueUnavailable as error:
        raise retryable(error) from error


def _attempt(*, wary: bool) -> Attempt:
    """Return what this attempt may do: it signs nothing in the second half of its time, when another may follow."""
    info, started = activity.info(), time.time()
    timeout = info.start_to_close_timeout
    closes = started + timeout.total_seconds() / 2 if timeout else started
    return Attempt(started=started, closes=closes, first=info.attempt == 1, wary=wary)


def _limit_refusal(request: SubmitOrder) -> str | None:
    intent, instrument = request.order.intent, request.order.instrument
    price = intent.reference_price
    refusal = entry_refusal(
        request.config, request.book, request.guards, price=price, moment=intent.decided_at
    ) or order_refusal(request.config, request.book, instrument, quantity=intent.quantity, price=price)
    return refusal.reason if refusal else None


def _rejection(order: OrderRequest, error: OrderRejected) -> OrderReport:
    """Return the report of a refusal; of a sale beyond what the account has, with what it could have sold."""
    report, intent = _report(order, "rejected", error), order.intent
    if intent.side == "buy" or not isinstance(error, InsufficientBalance) or error.free is None:
        return report
    return report.model_copy(update={"sellable": min(order.instrument.floor_quantity(error.free), intent.quantity)})


def _report(order: OrderRequest, status: OrderStatus, reason: object) -> OrderReport:
    return OrderReport(client_order_id=order.intent.client_order_id, status=status, reason=str(reason))
