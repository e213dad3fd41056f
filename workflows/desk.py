"""The trading desk of a bot: turns decisions into orders, orders into fills, and fills into the books.

The intent, with its client order id, is part of the workflow's history before anything is sent. One order at a time.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities, SubmitOrder
    from domain.config import BotConfig
    from domain.decisions import Decision
    from domain.instruments import Instrument
    from domain.journal import FillEntry, OrderEntry, PositionEntry, TradeEntry
    from domain.metrics import Performance
    from domain.model import ZERO, Quantity
    from domain.orders import OrderIntent, OrderReport, OrderRequest, Side, client_order_id
    from domain.paper import paper_terms, taker_price
    from domain.positions import Trade, book_entry, book_exit, close_position, sellable_quantity
    from domain.queues import Role
    from domain.state import DECIDED_KEPT, BotState, InFlight
    from workflows.command import Answer
    from workflows.outbox import Outbox

_SUBMIT_TIMEOUT = timedelta(seconds=30)
_SUBMIT_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


class Desk:
    """Carries decisions out. The books themselves live in the bot's state."""

    def __init__(self, state: BotState, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

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

    async def enter(self, decision: Decision, config: BotConfig, instrument: Instrument) -> Answer:
        """Buy what a decision says. Returns whether anything was bought, in one sentence."""
        intent = self._intent(decision, instrument, "buy", decision.quantity or ZERO, leg=0)
        before = self._state.carried.book.holding
        text = await self._send(InFlight(intent=intent, decision=decision), config, instrument)
        return Answer(done=self._state.carried.book.holding != before, text=text)

    async def exit(self, config: BotConfig, instrument: Instrument) -> str:
        """Sell, leg after leg, until the latched exit leaves the position flat or dust.

        A leg of which nothing was filled ends the attempt; the exit stays latched.
        """
        answer = "there is no position"
        leg = 0
        while (decision := self._state.carried.exiting) is not None:
            quantity = self._sellable(decision, config, instrument)
            if quantity <= ZERO:
                return self._close(decision, config)
            intent = self._intent(decision, instrument, "sell", quantity, leg=leg)
            before = self._state.carried.book.holding
            answer = await self._send(InFlight(intent=intent, decision=decision), config, instrument)
            if self._state.carried.book.holding == before:
                return answer
            leg += 1
        return answer

    async def resume(self, config: BotConfig, instrument: Instrument) -> str | None:
        """Settle an order whose answer has not come: it is looked up, and sent only if the broker never saw it."""
        in_flight = self._state.carried.in_flight
        return await self._send(in_flight, config, instrument) if in_flight else None

    def _intent(
        self, decision: Decision, instrument: Instrument, side: Side, quantity: Quantity, *, leg: int
    ) -> OrderIntent:
        sequence = self._state.carried.sequence + (leg == 0)
        self._state.carry(sequence=sequence)
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
        intent, carried = in_flight.intent, self._state.carried
        self._state.carry(in_flight=in_flight)
        self._outbox.record(_order_entry(intent, OrderReport(client_order_id=intent.client_order_id, status="pending")))
        request = SubmitOrder(
            order=OrderRequest(
                bot_id=self._state.row.bot_id,
                intent=intent,
                instrument=instrument,
                paper=paper_terms(config),
                cash=carried.book.cash,
                holding=carried.book.holding,
            ),
            config=config,
            book=carried.book,
            guards=carried.guards,
        )
        report = await workflow.execute_activity_method(
            OrderActivities.submit_order,
            request,
            task_queue=Role.TRADING,
            start_to_close_timeout=_SUBMIT_TIMEOUT,
            retry_policy=_SUBMIT_RETRY,
            summary=f"{intent.side} {intent.quantity:f} {instrument.base}: {intent.reason}",
        )
        self._state.carry(in_flight=None)
        self._outbox.record(_order_entry(intent, report))
        self._outbox.row_changed()
        return self._fold(in_flight, report, config, instrument)

    def _fold(self, in_flight: InFlight, report: OrderReport, config: BotConfig, instrument: Instrument) -> str:
        intent, decision = in_flight.intent, in_flight.decision
        for fill in report.fills:
            self._outbox.record(FillEntry(client_order_id=intent.client_order_id, fill=fill))
        if not report.fills:
            reason = report.reason or report.status
            text = f"{intent.side} of {intent.quantity:f} {instrument.base} not filled: {reason}"
            self._outbox.event("order_rejected", text, severity="warning", correlation=intent.client_order_id)
            return text
        if intent.side == "buy":
            return self._fold_entry(intent, decision, report, config, instrument)
        return self._fold_exit(intent, decision, report, config, instrument)

    def _fold_entry(
        self, intent: OrderIntent, decision: Decision, report: OrderReport, config: BotConfig, instrument: Instrument
    ) -> str:
        state, book = self._state, self._state.carried.book
        for fill in report.fills:
            signal_close = decision.signal_close or decision.price
            book = book_entry(book, intent, fill, instrument, signal_close=signal_close)
        first = state.carried.book.position is None
        state.carry(
            book=book,
            exit_state=decision.exit_state if first else state.carried.exit_state,
            guards=state.carried.guards.after_entry(report.fills[-1].at),
        )
        self._record_position(closed_at=None)
        text = f"bought {_filled(report, instrument)}: {intent.reason}"
        self._outbox.event("position_opened", text, correlation=intent.client_order_id)
        if config.notifications.position_opened:
            self._outbox.tell("position_opened", f"{config.name}: position opened", text)
        return text

    def _fold_exit(
        self, intent: OrderIntent, decision: Decision, report: OrderReport, config: BotConfig, instrument: Instrument
    ) -> str:
        book = self._state.carried.book
        for fill in report.fills:
            book = book_exit(book, intent, fill, instrument)
        self._state.carry(book=book)
        text = f"sold {_filled(report, instrument)}: {intent.reason}"
        self._outbox.event("position_reduced", text, correlation=intent.client_order_id)
        if self._sellable(decision, config, instrument) > ZERO:
            self._record_position(closed_at=None)
            return text
        return f"{text}; {self._close(decision, config)}"

    def _sellable(self, decision: Decision, config: BotConfig, instrument: Instrument) -> Quantity:
        """Return what can be sold at the price that a taker gets; by a better one, dust would be refused for ever."""
        price = taker_price(decision.price, paper_terms(config), tick=instrument.tick_size, side="sell")
        return sellable_quantity(self._state.carried.book, instrument, price)

    def _close(self, decision: Decision, config: BotConfig) -> str:
        """Close the books of the position; what is left of it is dust and stays in them."""
        state = self._state
        if state.carried.book.position is None:
            state.carry(exiting=None)
            return "there is no position"
        self._record_position(closed_at=decision.decided_at)
        book, trade = close_position(state.carried.book, exit_time=decision.decided_at, exit_reason=decision.reason)
        performance = (
            state.carried.performance or Performance.begin(started=trade.entry_time, equity=state.carried.book.cash)
        ).after(trade)
        state.carry(
            book=book,
            exit_state=None,
            exiting=None,
            guards=state.carried.guards.after_exit(trade.exit_time, trade.net_pnl),
            performance=performance,
        )
        self._outbox.record(_trade_entry(trade, config, performance))
        self._outbox.row_changed()
        text = f"position closed: {trade.net_pnl:+.4f} ({trade.pnl_percentage:+.2f} %), {decision.reason}"
        self._outbox.event("position_closed", text, correlation=trade.position_id)
        if config.notifications.position_closed:
            self._outbox.tell("position_closed", f"{config.name}: position closed", text)
        return text

    def _record_position(self, *, closed_at: int | None) -> None:
        position = self._state.carried.book.position
        if position is not None:
            self._outbox.record(PositionEntry(position=position, closed_at=closed_at))


def _order_entry(intent: OrderIntent, report: OrderReport) -> OrderEntry:
    filled = report.filled_quantity
    value = sum((fill.price * fill.quantity for fill in report.fills), ZERO)
    return OrderEntry(
        intent=intent,
        status=report.status,
        venue_order_id=report.venue_order_id,
        reason=report.reason,
        filled_quantity=filled,
        average_price=value / filled if filled else None,
    )


def _trade_entry(trade: Trade, config: BotConfig, performance: Performance) -> TradeEntry:
    parameters = config.strategy.parameters
    return TradeEntry(
        trade=trade,
        trade_type=config.broker.trading_mode,
        interval=config.data.interval,
        strategy=config.strategy.type,
        entry_logic=parameters.entry_logic.name,
        entry_params=parameters.entry_logic.params,
        exit_logic=parameters.exit_logic.name,
        exit_params=parameters.exit_logic.params,
        metrics=performance.report(),
    )


def _filled(report: OrderReport, instrument: Instrument) -> str:
    value = sum((fill.price * fill.quantity for fill in report.fills), ZERO)
    quantity = report.filled_quantity
    return f"{quantity.normalize():f} {instrument.base} @ {(value / quantity).normalize():f} {instrument.quote}"
