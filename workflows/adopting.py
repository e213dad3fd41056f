"""Adoption: before a bot sends anything, it books what its venue holds of it and its history does not know.

Histories go back: a workflow is reset, a server's file is restored, a bot is started from a row that is older than its
last order. The ids of its orders are made from their sequence alone, so it finds them again.
"""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.adoption import HISTORY_WAS_RESET, AdoptionActivities
    from domain.adoption import AdoptionRequest, Found, FoundOrder
    from domain.config import BotConfig
    from domain.decisions import Decision
    from domain.instruments import AccountRef, Instrument
    from domain.intervals import DAY_MS, open_time
    from domain.journal import ForgottenEntry
    from domain.model import ZERO
    from domain.orders import OrderIntent, OrderReport
    from domain.positions import BookError
    from domain.queues import Role
    from domain.state import BotState, InFlight, Phase
    from workflows.books import Books
    from workflows.inquiries import unless
    from workflows.outbox import Outbox
    from workflows.sender import Sender
    from workflows.standing import Standing

ADOPTED = "adopted"

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
# A request that a lost life has sent can arrive for so long; until then the first look at an order is not enough.
_WARY = timedelta(seconds=15)
# Of the last order that the venue had the time of its decision is known, on a clock that was measured.
_SLACK_MS = 60_000


class Adoption:
    """Reads the venue's orders of one bot, and books those that it does not know."""

    def __init__(
        self,
        state: BotState,
        outbox: Outbox,
        books: Books,
        sender: Sender,
        standing: Standing,
        *,
        continued: bool,
    ) -> None:
        """Serve one run of a bot: each asks the venue anew, so that a history which was reset is known by that.

        Args:
            continued: the run before knew all that the venue does, so nothing unknown can be under way.
        """
        self._state = state
        self._continued = continued
        self._begun = 0
        state.adopted_run = None
        self._outbox = outbox
        self._books = books
        self._sender = sender
        self._standing = standing

    def begin_anew(self) -> None:
        """Have the venue's orders adopted before anything else is sent."""
        self._begun += 1
        self._state.adopted_run = None

    def suspect(self, how: str, config: BotConfig) -> None:
        """Look for forgotten orders when books and venue seem to differ; if they still do then, a person has to."""
        if self._state.suspected is not None:
            self._standing.differs(how, config)
        self._state.suspected = None if self._state.suspected else how
        self.begin_anew()

    def is_done(self, config: BotConfig) -> bool:
        """Return whether the venue's orders are in the books; on paper there are none."""
        return config.account is None or (self._state.adopted_run is not None and not self._is_due())

    def due_in(self) -> timedelta | None:
        """Return when the venue has to be asked once more, because what was late has arrived; None if it need not."""
        due = self._state.wary_until
        return None if due is None else max(due - workflow.now(), timedelta())

    async def done(self, config: BotConfig, instrument: Instrument, *, overtaken: Callable[[], bool]) -> bool:
        """Adopt the venue's orders if that is still to be done; False when something came in before it told them."""
        account = config.account
        if account is None or self.is_done(config):
            return True
        last, begun = self._is_due() and self._state.adopted_run is not None, self._begun
        found = await unless(overtaken, self._find(account, instrument))
        if found is None or self._begun != begun:
            return False  # an answer to an earlier question: a restored history may be told it together with the news
        self._state.adopted_run = found.run_id
        self._state.wary_until = None if last or self._continued else workflow.now() + _WARY
        if not self._continued:
            await self._look_at_protection(config, instrument)
        self._continued = False
        self._adopt_all(found, config, instrument)
        if last:
            self._give_up_the_rest()
        return True

    def _is_due(self) -> bool:
        return self.due_in() == timedelta()

    async def _find(self, account: AccountRef, instrument: Instrument) -> Found:
        """Return what the venue holds, waiting for it as long as it takes."""
        carried, row = self._state.carried, self._state.row
        request = AdoptionRequest(
            bot_id=row.bot_id,
            uid=row.uid,
            account=account,
            instrument=instrument,
            after=carried.sequence,
            since=max(carried.ordered_at - _SLACK_MS, 0) if carried.ordered_at else _day_before(carried.stamp),
        )
        return await workflow.execute_activity_method(
            AdoptionActivities.find_orders,
            request,
            task_queue=Role.TRADING,
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=_RETRY,
            summary="orders that the venue knows",
        )

    async def _look_at_protection(self, config: BotConfig, instrument: Instrument) -> None:
        """Book what has become of the stop at the venue: it may be older than the orders that were found."""
        try:
            await self._sender.look_at_protection(config, instrument)
        except BaseException:
            self.begin_anew()  # nothing is adopted yet
            raise

    def _adopt_all(self, found: Found, config: BotConfig, instrument: Instrument) -> None:
        """Book the orders that are not known, and the one in flight if it is among them."""
        for each in found.orders:
            if self._known(each):
                continue
            try:
                self._adopt(each, config, instrument)
            except BookError as error:
                self._state.carry(in_flight=None, exiting=None)
                self._standing.differs(f"order {each.order.report.client_order_id}: {error}", config)
            if self._state.ordering:
                # It has not ended at the venue: that comes before anything else, and then the others are adopted.
                self._state.wary_until = workflow.now()
                return

    def _known(self, found: FoundOrder) -> bool:
        carried, name = self._state.carried, found.order.report.client_order_id
        if carried.in_flight is not None and carried.in_flight.intent.client_order_id == name:
            return False
        unknown = carried.unknown is not None and carried.unknown.intent.client_order_id == name
        return unknown or (found.sequence, found.leg) <= (carried.sequence, carried.leg)

    def _adopt(self, found: FoundOrder, config: BotConfig, instrument: Instrument) -> None:
        """Book one order.

        Raises:
            BookError: the books cannot hold it.
        """
        in_flight, order = self._state.carried.in_flight, found.order
        if in_flight is not None:
            intent = in_flight.intent
            if intent.client_order_id != order.report.client_order_id:
                if in_flight.phase != "sending":
                    self._state.carry(in_flight=in_flight.model_copy(update={"phase": "ending"}))
                    return
                text = "never sent: the bot's history went back, and a later order is at the venue"
                self._end_in_flight(intent, text, config, instrument)
            elif (intent.side, intent.quantity) == (order.side, order.quantity):
                self._books.fold(order.report, config, instrument)
                self._sender.place()
                return
        self._take_over(found, config, instrument)

    def _end_in_flight(self, intent: OrderIntent, reason: str, config: BotConfig, instrument: Instrument) -> None:
        report = OrderReport(client_order_id=intent.client_order_id, status="cancelled", reason=reason)
        self._books.fold(report, config, instrument)

    def _give_up_the_rest(self) -> None:
        """Have the journal end what a life that history forgot has noted, and never sent."""
        carried = self._state.carried
        orders = (carried.in_flight, carried.protection, carried.unknown)
        pending = (each for each in orders if each is not None)
        self._outbox.record(ForgottenEntry(kept=tuple(each.intent.client_order_id for each in pending)))

    def _take_over(self, found: FoundOrder, config: BotConfig, instrument: Instrument) -> None:
        """Make an order of a forgotten life this life's own; what rests of it is cancelled, as nobody waits for it."""
        state, order = self._state, found.order
        decision = _decision(found, config, state.carried.version)
        if order.side == "sell" and not state.sells_part(order.quantity):
            decision = decision.model_copy(update={"quantity": None})
        intent = _intent(found, decision)
        exits = order.side == "sell" and (order.type != "stop" or bool(order.report.fills))
        phase: Phase = "placed" if order.type == "market" else "ending"
        state.carry(
            sequence=found.sequence,
            leg=found.leg,
            ordered_at=order.created_at,
            acted_candle=max(state.carried.acted_candle, decision.candle_time),
            in_flight=InFlight(intent=intent, decision=decision, phase=phase),
            exiting=decision if exits and state.carried.book.position else state.carried.exiting,
        )
        name = intent.client_order_id
        text = f"{order.side} of {order.quantity:f} {instrument.base} found at the venue: {order.report.status}"
        self._outbox.event("order_adopted", text, severity="warning", correlation=name)
        self._books.fold(order.report, config, instrument)


def _day_before(stamp: int) -> int:
    """Return the moment a day before a journal stamp, in milliseconds UTC."""
    return max(stamp // 1_000 - DAY_MS, 0)


def history_was_reset(error: ActivityError) -> bool:
    """Return whether an activity has refused to act for a history that has gone back."""
    return isinstance(error.cause, ApplicationError) and error.cause.type == HISTORY_WAS_RESET


def _decision(found: FoundOrder, config: BotConfig, version: int) -> Decision:
    """Return the decision that may have been behind an order: nobody remembers it."""
    order, interval = found.order, config.data.interval
    fills = order.report.fills
    value = sum((fill.price * fill.quantity for fill in fills), ZERO)
    price = value / order.report.filled_quantity if fills else order.price or ZERO
    running = open_time(order.created_at, interval)
    return Decision(
        action="enter" if order.side == "buy" else "exit",
        key=f"{ADOPTED}:{order.report.client_order_id}",
        reason=ADOPTED,
        price=price,
        candle_time=open_time(running - 1, interval) if order.side == "buy" else running,
        decided_at=order.created_at,
        config_version=version,
        urgent=True,
        quantity=order.quantity,
        signal_close=price,
    )


def _intent(found: FoundOrder, decision: Decision) -> OrderIntent:
    order = found.order
    return OrderIntent(
        client_order_id=order.report.client_order_id,
        sequence=found.sequence,
        leg=found.leg,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        reference_price=decision.price,
        price=order.price,
        reason=ADOPTED,
        decision_key=decision.key,
        decided_at=decision.decided_at,
        candle_time=decision.candle_time,
        config_version=decision.config_version,
    )
