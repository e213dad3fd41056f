"""The books of a bot: what is reported of an order becomes quantities, costs, trades, journal entries and messages."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.decisions import Decision
    from domain.instruments import Instrument
    from domain.journal import FillEntry, OrderEntry, PositionEntry, TradeEntry
    from domain.metrics import Performance
    from domain.model import ZERO, Milliseconds, Quantity
    from domain.orders import Fill, OrderIntent, OrderReport
    from domain.paper import paper_terms, taker_price
    from domain.positions import Trade, book_entry, book_exit, close_position, sellable_quantity
    from domain.state import BotState, InFlight
    from workflows.outbox import Outbox


class Books:
    """Keeps the books in the bot's state, and reports each change."""

    def __init__(self, state: BotState, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

    def note_order(self, intent: OrderIntent, report: OrderReport) -> None:
        """Journal how an order stands."""
        self._outbox.record(_order_entry(intent, report))

    def fold(self, report: OrderReport, config: BotConfig, instrument: Instrument) -> str:
        """Book what is new of the order in flight. Returns what has come of it, in one sentence."""
        in_flight = self._state.carried.in_flight
        if in_flight is None:
            return "no order is under way"
        if report.status == "pending":
            reason = f"not sent: {report.reason}"
            report = report.model_copy(update={"status": "cancelled", "reason": reason})
        fresh = [fill for fill in report.fills if fill.trade_id not in in_flight.folded]
        self._keep(in_flight, report, fresh)
        if in_flight.intent.side == "sell" and report.final:
            self._state.carry(sellable=report.sellable)
        self.note_order(in_flight.intent, report)
        for fill in fresh:
            self._outbox.record(FillEntry(client_order_id=in_flight.intent.client_order_id, fill=fill))
        self._outbox.row_changed()
        self._book(in_flight, fresh, instrument)
        return self._conclude(in_flight, report, config, instrument)

    def sellable(self, decision: Decision, config: BotConfig, instrument: Instrument) -> Quantity:
        """Return what can be sold at the price that a taker gets; by a better one, dust would be refused for ever.

        Of a part that is to be sold, no more than that; zero where the venue does not take so little.
        """
        price = taker_price(decision.price, paper_terms(config), tick=instrument.tick_size, side="sell")
        there = sellable_quantity(self._state.carried.book, instrument, price)
        part = there if decision.quantity is None else min(there, decision.quantity)
        return ZERO if instrument.refusal(part, price) else part

    def offered(self, quantity: Quantity, decision: Decision, instrument: Instrument) -> Quantity:
        """Return what of a quantity is offered: no more than the account was last said to have.

        Where that is less than the venue takes, all is offered again: the answer tells what has come back since.
        """
        there = self._state.carried.sellable
        if there is None or instrument.refusal(there, decision.price):
            return quantity
        return min(quantity, there)

    def finish(self, decision: Decision, config: BotConfig, instrument: Instrument, *, at: Milliseconds) -> str:
        """Note that an exit is through: it closes the books of the position, unless only a part was to be sold.

        A part after which the rest could not be sold any more was all of it.
        """
        position, everything = self._state.carried.book.position, decision.model_copy(update={"quantity": None})
        if decision.quantity is None or position is None or not self.sellable(everything, config, instrument):
            return self.close(decision, config, at=at)
        taken = position.model_copy(update={"takes": position.takes + 1})
        self._state.carry(book=self._state.carried.book.model_copy(update={"position": taken}), exiting=None)
        self._record_position(closed_at=None)
        self._outbox.row_changed()
        return f"{position.qty_open.normalize():f} {instrument.base} stay after part {taken.takes}"

    def close(self, decision: Decision, config: BotConfig, *, at: Milliseconds) -> str:
        """Close the books of the position; what is left of it is dust and stays in them.

        Args:
            at: the venue's time at which it was left, milliseconds UTC.
        """
        state = self._state
        if state.carried.book.position is None:
            state.carry(exiting=None)
            return "there is no position"
        self._record_position(closed_at=at)
        book, trade = close_position(state.carried.book, exit_time=at, exit_reason=decision.reason)
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
        self._outbox.record(_trade_entry(trade, config, performance, state.carried.plugins))
        self._outbox.row_changed()
        text = f"position closed: {trade.net_pnl:+.4f} ({trade.pnl_percentage:+.2f} %), {decision.reason}"
        self._outbox.event("position_closed", text, correlation=trade.position_id)
        if config.notifications.position_closed:
            self._outbox.tell("position_closed", f"{config.name}: position closed", text)
        return text

    def _keep(self, in_flight: InFlight, report: OrderReport, fresh: list[Fill]) -> None:
        """Note whether the order is still under way, and which of its fills are in the books."""
        folded = (*in_flight.folded, *(fill.trade_id for fill in fresh))
        in_flight = in_flight.model_copy(update={"folded": folded, "filled": report.filled_quantity})
        ended = report.final or report.status == "unknown"
        carried, at = self._state.carried, in_flight.intent.decided_at
        self._state.carry(
            in_flight=None if ended else in_flight,
            unknown=in_flight if report.status == "unknown" else carried.unknown,
            ordered_at=max(carried.ordered_at, at) if report.venue_order_id else carried.ordered_at,
        )

    def _book(self, in_flight: InFlight, fresh: list[Fill], instrument: Instrument) -> None:
        """Put fills into the book."""
        intent, decision, state = in_flight.intent, in_flight.decision, self._state
        first = state.carried.book.position is None
        book = state.carried.book
        for fill in fresh:
            if intent.side == "buy":
                signal_close = decision.signal_close or decision.price
                book = book_entry(book, intent, fill, instrument, signal_close=signal_close)
            else:
                book = book_exit(book, intent, fill, instrument)
        state.carry(book=book)
        if fresh and first and intent.side == "buy":
            state.carry(exit_state=decision.exit_state)
        if intent.side == "sell":
            self._lessen_part(decision, sum((fill.quantity for fill in fresh), ZERO))

    def _lessen_part(self, decision: Decision, sold: Quantity) -> None:
        """Keep what is left to be sold, where the latched exit is of a part."""
        exiting = self._state.carried.exiting
        if exiting is not None and exiting.key == decision.key and exiting.quantity is not None:
            self._state.carry(exiting=exiting.model_copy(update={"quantity": exiting.quantity - sold}))

    def _conclude(self, in_flight: InFlight, report: OrderReport, config: BotConfig, instrument: Instrument) -> str:
        intent = in_flight.intent
        if report.status == "unknown":
            return self._quarantine(intent, report, config)
        if not report.fills:
            text = (
                f"{intent.side} of {intent.quantity:f} {instrument.base} not filled: {report.reason or report.status}"
            )
            if report.rests and intent.price is not None and in_flight.phase == "sending":
                text = f"{intent.side} of {intent.quantity:f} {instrument.base} rests at {intent.price.normalize():f}"
                self._outbox.event("order_rests", text, correlation=intent.client_order_id)
            elif report.status == "cancelled" and in_flight.phase != "sending":
                self._outbox.event("order_cancelled", text, correlation=intent.client_order_id)
            elif report.final:
                self._outbox.event("order_rejected", text, severity="warning", correlation=intent.client_order_id)
            return text
        if not report.final:
            self._record_position(closed_at=None)
            return f"{intent.side} of {intent.quantity:f} {instrument.base}: {_filled(report, instrument)} so far"
        if intent.side == "buy":
            return self._conclude_entry(intent, report, config, instrument)
        return self._conclude_exit(in_flight, report, config, instrument)

    def _conclude_entry(
        self, intent: OrderIntent, report: OrderReport, config: BotConfig, instrument: Instrument
    ) -> str:
        self._state.carry(guards=self._state.carried.guards.after_entry(report.fills[-1].at))
        self._record_position(closed_at=None)
        text = f"bought {_filled(report, instrument)}: {intent.reason}"
        self._outbox.event("position_opened", text, correlation=intent.client_order_id)
        if config.notifications.position_opened:
            self._outbox.tell("position_opened", f"{config.name}: position opened", text)
        return text

    def _conclude_exit(
        self, in_flight: InFlight, report: OrderReport, config: BotConfig, instrument: Instrument
    ) -> str:
        intent = in_flight.intent
        text = f"sold {_filled(report, instrument)}: {intent.reason}"
        self._outbox.event("position_reduced", text, correlation=intent.client_order_id)
        decision, exiting = in_flight.decision, self._state.carried.exiting
        if exiting is not None and exiting.key == decision.key:
            decision = exiting
        if self.sellable(decision, config, instrument) > ZERO:
            self._record_position(closed_at=None)
            return text
        at = max(decision.decided_at, report.fills[-1].at)
        return f"{text}; {self.finish(decision, config, instrument, at=at)}"

    def _quarantine(self, intent: OrderIntent, report: OrderReport, config: BotConfig) -> str:
        """Have a person look: nothing is bought, and nothing that this order may have sold is sold again."""
        state, order = self._state, intent.client_order_id
        text = f"{intent.side} of {intent.quantity:f} under {order}: {report.reason}; was it filled?"
        state.last_error = text
        self._outbox.event("order_unknown", text, severity="error", correlation=order)
        advice = f"Look at the exchange, then: bots resolve {state.row.bot_id} --filled QUANTITY@PRICE, or --absent"
        self._outbox.tell("order_unknown", f"{config.name}: an order is unknown", f"{text} {advice}", severity="error")
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


def _trade_entry(
    trade: Trade, config: BotConfig, performance: Performance, plugins: dict[str, str] | None
) -> TradeEntry:
    entry, exit_ = config.strategy.logics
    return TradeEntry(
        trade=trade,
        trade_type=config.broker.trading_mode,
        interval=config.data.interval,
        strategy=config.strategy.type,
        entry_logic=entry.name,
        entry_params=entry.params,
        exit_logic=exit_.name,
        exit_params=exit_.params,
        metrics=performance.report(),
        plugins=plugins,
    )


def _filled(report: OrderReport, instrument: Instrument) -> str:
    value = sum((fill.price * fill.quantity for fill in report.fills), ZERO)
    quantity = report.filled_quantity
    return f"{quantity.normalize():f} {instrument.base} @ {(value / quantity).normalize():f} {instrument.quote}"
