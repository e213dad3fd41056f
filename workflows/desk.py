"""The trading desk of a bot: turns decisions into orders, and what is reported of these into the books.

The intent, with its client order id, is part of the workflow's history before anything is sent. One order at a time.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities, ResolveOrder, SubmitOrder
    from domain.config import BotConfig
    from domain.decisions import Decision
    from domain.instruments import Instrument
    from domain.intervals import interval_ms
    from domain.metrics import Performance
    from domain.model import ZERO, Quantity
    from domain.orders import OrderIntent, OrderReport, OrderRequest, Side, client_order_id
    from domain.paper import paper_terms
    from domain.queues import Role
    from domain.state import DECIDED_KEPT, BotState, InFlight
    from workflows.books import Books
    from workflows.command import Answer

_SUBMIT_TIMEOUT = timedelta(seconds=30)
_SUBMIT_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_RESOLVE_TIMEOUT = timedelta(minutes=10)
_RESOLVE_SILENCE = timedelta(seconds=15)


class Desk:
    """Carries decisions out. The books themselves live in the bot's state."""

    def __init__(self, state: BotState, books: Books) -> None:
        self._state = state
        self._books = books

    def accept(self, decision: Decision, *, gate: str | None) -> str | None:
        """Take a decision on, or return why not. An accepted exit is latched: it will be carried through."""
        carried = self._state.carried
        if decision.key in carried.decided:
            return "it was decided before"
        if decision.action == "enter" and decision.config_version != carried.version:
            return f"it was made under version {decision.config_version}, now it is {carried.version}"
        if decision.action == "exit" and carried.book.position is None:
            return "there is no position"
        if decision.action == "enter" and gate:
            return gate
        self._state.carry(
            decided=(*carried.decided, decision.key)[-DECIDED_KEPT:],
            acted_candle=max(carried.acted_candle, decision.candle_time),
            performance=carried.performance
            or Performance.begin(started=decision.decided_at, equity=carried.book.equity(None)),
            exiting=decision if decision.action == "exit" else carried.exiting,
        )
        return None

    def exit_latched(self) -> bool:
        """Whether an exit was decided and is not yet carried through."""
        return self._state.carried.exiting is not None

    def reprice(self, decision: Decision | None) -> None:
        """Go on with the latched exit at a newer price, where there is one."""
        exiting = self._state.carried.exiting
        if exiting is not None and decision is not None:
            moment = {"price": decision.price, "decided_at": decision.decided_at}
            self._state.carry(exiting=exiting.model_copy(update=moment))

    async def enter(self, decision: Decision, config: BotConfig, instrument: Instrument) -> Answer:
        """Buy what a decision says. Returns whether anything was bought, in one sentence."""
        intent = self._intent(decision, instrument, "buy", decision.quantity or ZERO, leg=0)
        before = self._state.carried.book.holding
        expires = workflow.now() + timedelta(milliseconds=interval_ms(config.data.interval))
        text = await self._send(InFlight(intent=intent, decision=decision, expires=expires), config, instrument)
        return Answer(done=self._state.carried.book.holding != before, text=text)

    async def exit(self, config: BotConfig, instrument: Instrument) -> str:
        """Sell, leg after leg, until the latched exit leaves the position flat or dust.

        A leg of which nothing was filled ends the attempt; the exit stays latched.
        """
        answer = "there is no position"
        leg = 0
        while (decision := self._state.carried.exiting) is not None:
            quantity = self._books.sellable(decision, config, instrument)
            if quantity <= ZERO:
                return self._books.close(decision, config)
            intent = self._intent(decision, instrument, "sell", quantity, leg=leg)
            before = self._state.carried.book.holding
            answer = await self._send(InFlight(intent=intent, decision=decision), config, instrument)
            if self._state.carried.book.holding == before:
                return answer
            leg += 1
        return answer

    def resolve(self, report: OrderReport, config: BotConfig, instrument: Instrument) -> str:
        """Book what a person says of the order that was unknown."""
        self._state.carry(in_flight=self._state.carried.unknown, unknown=None)
        return self._books.fold(report, config, instrument)

    async def resume(self, config: BotConfig, instrument: Instrument) -> str | None:
        """Settle an order whose answer has not come: it is looked up, and sent only if the broker never saw it."""
        in_flight = self._state.carried.in_flight
        return await self._send(in_flight, config, instrument) if in_flight else None

    def _intent(
        self, decision: Decision, instrument: Instrument, side: Side, quantity: Quantity, *, leg: int
    ) -> OrderIntent:
        sequence = self._state.carried.sequence + (leg == 0)
        self._state.carry(sequence=sequence, leg=leg, ordered_at=decision.decided_at)
        return OrderIntent(
            client_order_id=client_order_id(self._state.row.uid, sequence, leg),
            sequence=sequence,
            leg=leg,
            symbol=instrument.symbol,
            side=side,
            quantity=quantity,
            reference_price=decision.price,
            reason=decision.reason,
            decision_key=decision.key,
            decided_at=decision.decided_at,
            candle_time=decision.candle_time,
            config_version=decision.config_version,
        )

    async def _send(self, in_flight: InFlight, config: BotConfig, instrument: Instrument) -> str:
        """Have an order placed, and its fills booked as they come. Returns what came of it, in one sentence."""
        intent, state = in_flight.intent, self._state
        self._state.carry(in_flight=in_flight)
        self._books.note_order(intent, OrderReport(client_order_id=intent.client_order_id, status="pending"))
        order = self._request(intent, config, instrument)
        request = SubmitOrder(
            order=order,
            config=config,
            book=state.carried.book,
            guards=state.carried.guards,
            expires=in_flight.expires,
            adopted_run=state.adopted_run,
            wary=state.wary_until is not None and workflow.now() < state.wary_until,
        )
        report = await workflow.execute_activity_method(
            OrderActivities.submit_order,
            request,
            task_queue=Role.TRADING,
            start_to_close_timeout=_SUBMIT_TIMEOUT,
            retry_policy=_SUBMIT_RETRY,
            summary=f"{intent.side} {intent.quantity:f} {instrument.base}: {intent.reason}",
        )
        return await self._follow(report, order, config)

    async def _follow(self, report: OrderReport, order: OrderRequest, config: BotConfig) -> str:
        """Book what is reported of an order until it has ended, or until only a person can tell."""
        while report.status in ("open", "partially_filled"):
            self._books.fold(report, config, order.instrument)
            report = await workflow.execute_activity_method(
                OrderActivities.resolve_order,
                ResolveOrder(order=order, adopted_run=self._state.adopted_run),
                task_queue=Role.TRADING,
                start_to_close_timeout=_RESOLVE_TIMEOUT,
                heartbeat_timeout=_RESOLVE_SILENCE,
                retry_policy=_SUBMIT_RETRY,
                summary=f"how did {order.intent.client_order_id} end?",
            )
        return self._books.fold(report, config, order.instrument)

    def _request(self, intent: OrderIntent, config: BotConfig, instrument: Instrument) -> OrderRequest:
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
