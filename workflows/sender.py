"""How orders reach the broker: sent, asked for and cancelled by activities, and what they report folded into the books.

An order that rests stays in flight in the phase `resting`: nothing else is ordered until it has ended. A stop that
rests is the position's protection instead, beside which other orders may be made.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityHandle

with workflow.unsafe.imports_passed_through():
    from activities.orders import Awaited, OrderActivities, ResolveOrder, SubmitOrder
    from domain.config import BotConfig
    from domain.instruments import Instrument
    from domain.orders import OrderIntent, OrderReport, OrderRequest
    from domain.paper import paper_terms
    from domain.queues import Role
    from domain.state import BotState, InFlight
    from workflows.books import Books
    from workflows.inquiries import abandonable

_SUBMIT_TIMEOUT = timedelta(seconds=30)
_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_RESOLVE_TIMEOUT = timedelta(minutes=10)
_RESOLVE_SILENCE = timedelta(seconds=15)


class Sender:
    """Carries the order in flight to its broker and back."""

    def __init__(self, state: BotState, books: Books) -> None:
        self._state = state
        self._books = books

    async def send(self, in_flight: InFlight, config: BotConfig, instrument: Instrument) -> str:
        """Have an order placed, and its fills booked as they come, until it has ended or rests.

        Returns what came of it, in one sentence.
        """
        intent = in_flight.intent
        self._state.carry(in_flight=in_flight)
        self._books.note_order(intent, OrderReport(client_order_id=intent.client_order_id, status="pending"))
        report = await self._submit(in_flight, config, instrument)
        text = self._books.fold(report, config, instrument)
        if not report.rests:
            return text
        self.place()
        return await self._follow(config, instrument) or text

    def place(self) -> None:
        """Go on with the order in flight as one that the venue has: it rests, or is followed to its end.

        From here on it is never submitted: a venue that does not answer the look-up would make it one that never left.
        """
        in_flight = self._state.carried.in_flight
        if in_flight is None or in_flight.phase != "sending":
            return
        if in_flight.intent.type == "market":
            self._state.carry(in_flight=in_flight.model_copy(update={"phase": "placed"}))
            return
        resting = in_flight.model_copy(update={"phase": "resting"})
        if resting.intent.type == "stop":
            self._state.carry(in_flight=None, protection=resting)
        else:
            self._state.carry(in_flight=resting)

    async def resume(self, config: BotConfig, instrument: Instrument) -> None:
        """Settle the order in flight, unless it rests: it is looked up, and sent only if the broker never saw it."""
        in_flight = self._state.carried.in_flight
        if in_flight is None or in_flight.phase == "resting":
            return
        if in_flight.phase == "placed":
            await self._follow(config, instrument)
        elif in_flight.phase == "ending":
            await self._end(in_flight, config, instrument, why="the bot goes on without it")
        else:
            await self.send(in_flight, config, instrument)

    async def end_resting(self, config: BotConfig, instrument: Instrument, *, why: str) -> str | None:
        """Cancel what is left of the limit order that rests, and book how it ended; None when there is none."""
        in_flight = self._state.resting
        return None if in_flight is None else await self._end(in_flight, config, instrument, why=why)

    async def end_protection(self, config: BotConfig, instrument: Instrument, *, why: str) -> str | None:
        """Cancel the stop that rests beside the position, and book how it ended; None when there is none.

        Where a position stays, another stop may be placed at the same price.
        """
        protection = self._state.carried.protection
        if protection is None:
            return None
        self._state.stop_tried = None
        self._state.carry(in_flight=protection, protection=None)
        return await self._end(protection, config, instrument, why=why)

    async def look_at_protection(self, config: BotConfig, instrument: Instrument) -> None:
        """Book what has become of the stop that rests beside the position; what has begun to be filled is ended."""
        protection = self._state.carried.protection
        if protection is None:
            return
        report = await self._resolve(protection, config, instrument, awaited="answer")
        if report.status != "open":
            await self.end_protection(config, instrument, why="it had been reached")

    def watch_fills(self, config: BotConfig, instrument: Instrument) -> ActivityHandle[OrderReport] | None:
        """Begin to wait until more is filled of the limit order that rests at a venue; None when none does."""
        in_flight = self._state.resting
        if in_flight is None or config.account is None:
            return None
        handle = self._resolve(in_flight, config, instrument, awaited="change")
        abandonable(handle)
        return handle

    def request(self, intent: OrderIntent, config: BotConfig, instrument: Instrument) -> OrderRequest:
        """Return all that a broker needs to know of an order."""
        book = self._state.carried.book
        return OrderRequest(
            bot_id=self._state.row.bot_id,
            intent=intent,
            instrument=instrument,
            paper=paper_terms(config) if config.account is None else None,
            account=config.account,
            cash=book.cash,
            holding=book.holding,
        )

    async def _submit(self, in_flight: InFlight, config: BotConfig, instrument: Instrument) -> OrderReport:
        intent, state = in_flight.intent, self._state
        request = SubmitOrder(
            order=self.request(intent, config, instrument),
            config=config,
            book=state.carried.book,
            guards=state.carried.guards,
            expires=in_flight.expires,
            adopted_run=state.adopted_run,
            wary=state.wary_until is not None and workflow.now() < state.wary_until,
        )
        return await workflow.execute_activity_method(
            OrderActivities.submit_order,
            request,
            task_queue=Role.TRADING,
            start_to_close_timeout=_SUBMIT_TIMEOUT,
            retry_policy=_RETRY,
            summary=f"{intent.side} {intent.quantity:f} {instrument.base}: {intent.reason}",
        )

    async def _follow(self, config: BotConfig, instrument: Instrument) -> str | None:
        """Wait until the order in flight has ended and book that; None where it rests."""
        in_flight = self._state.carried.in_flight
        if in_flight is None or in_flight.phase != "placed":
            return None
        ended = await self._resolve(in_flight, config, instrument, awaited="end")
        return self._books.fold(ended, config, instrument)

    async def _end(self, in_flight: InFlight, config: BotConfig, instrument: Instrument, *, why: str) -> str:
        in_flight = in_flight.model_copy(update={"phase": "ending"})
        self._state.carry(in_flight=in_flight)
        report = await workflow.execute_activity_method(
            OrderActivities.cancel_order,
            self._question(in_flight, config, instrument, awaited="end", why=why),
            task_queue=Role.TRADING,
            start_to_close_timeout=_RESOLVE_TIMEOUT,
            heartbeat_timeout=_RESOLVE_SILENCE,
            retry_policy=_RETRY,
            summary=f"cancel {in_flight.intent.client_order_id}: {why}",
        )
        return self._books.fold(report, config, instrument)

    def _resolve(
        self,
        in_flight: InFlight,
        config: BotConfig,
        instrument: Instrument,
        *,
        awaited: Awaited,
    ) -> ActivityHandle[OrderReport]:
        return workflow.start_activity_method(
            OrderActivities.resolve_order,
            self._question(in_flight, config, instrument, awaited=awaited),
            task_queue=Role.TRADING,
            start_to_close_timeout=_RESOLVE_TIMEOUT,
            heartbeat_timeout=_RESOLVE_SILENCE,
            retry_policy=_RETRY,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=f"how does {in_flight.intent.client_order_id} stand?",
        )

    def _question(
        self,
        in_flight: InFlight,
        config: BotConfig,
        instrument: Instrument,
        *,
        awaited: Awaited,
        why: str | None = None,
    ) -> ResolveOrder:
        return ResolveOrder(
            order=self.request(in_flight.intent, config, instrument),
            awaited=awaited,
            filled=in_flight.filled,
            why=why,
            adopted_run=self._state.adopted_run,
        )
