"""What people ask of a bot, and what it answers."""

from dataclasses import dataclass

from pydantic import Field
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.decisions import Decision, ExitLevels
from domain.instruments import Instrument
from domain.journal import BotStatus
from domain.model import ZERO, Model, Money, Price, Quantity
from domain.orders import BY_A_PERSON, Fill, OrderIntent, OrderReport, OrderStatus
from domain.state import BotState
from domain.watch import Order, RestingOrder, Sighting


class Answer(Model):
    """What came of a command."""

    done: bool
    text: str


@dataclass
class Command:
    """A person's wish to close or open the position. Mutable: the loop sets the answer, its handler waits for it."""

    order: Order
    reason: str
    answer: Answer | None = None

    def meant(self, decision: Decision) -> bool:
        """Whether a decision carries this wish out: a strategy may have decided something else at the same moment."""
        return decision.action == "exit" if self.order == "close" else decision.key.endswith(self.reason)


class OrderFound(Model):
    """What a person knows and the bot does not: how an order ended that is unknown, or what was sold by hand.

    Attributes:
        quantity: base that was filled, fees not deducted; zero: the venue has no such order.
        price: average price of the fill; of no meaning when nothing was filled.
        fee: fee in `fee_currency`; zero if unset.
    """

    quantity: Quantity = Field(ge=0)
    price: Price = Field(default=ZERO, ge=0)
    fee: Quantity = Field(default=ZERO, ge=0)
    fee_currency: str | None = None


@dataclass
class Resolution:
    """A person's finding. Mutable: the loop sets the answer, its handler waits for it.

    Attributes:
        by_hand: it is of a sale that the bot never ordered; otherwise of the order that is unknown.
    """

    found: OrderFound
    by_hand: bool = False
    answer: Answer | None = None

    def report(self, intent: OrderIntent, instrument: Instrument) -> OrderReport:
        """Return the finding as the last report of an order."""
        name, found = intent.client_order_id, self.found
        if not found.quantity:
            return OrderReport(client_order_id=name, status="cancelled", reason="a person found it absent")
        fill = Fill(
            trade_id=name + BY_A_PERSON,
            price=found.price,
            quantity=found.quantity,
            fee=found.fee,
            fee_currency=found.fee_currency or instrument.quote,
            at=intent.decided_at,
        )
        status: OrderStatus = "filled" if found.quantity == intent.quantity else "cancelled"
        reason = "a person sold it by hand" if self.by_hand else "a person found it filled"
        return OrderReport(client_order_id=name, status=status, fills=(fill,), reason=reason)


@dataclass
class Wishes:
    """What people want and have not been answered yet, one of each kind at a time."""

    command: Command | None = None
    resolution: Resolution | None = None

    def answer(self, answer: Answer) -> None:
        """Answer the command, if there is one."""
        if self.command is not None:
            self.command.answer, self.command = answer, None


async def answered(wish: Command | Resolution) -> str:
    """Wait for the loop's answer to what a person wants or says, and return it.

    Raises:
        ApplicationError: it could not be carried out; says why.
    """
    await workflow.wait_condition(lambda: wish.answer is not None)
    answer = wish.answer
    if answer is None or not answer.done:
        raise refused(answer.text if answer else "")
    return answer.text


def refused(reason: str, *, type_: str = "CommandRefused") -> ApplicationError:
    """Return what tells a person why something is not done; the same, asked again, would get the same answer."""
    return ApplicationError(reason, type=type_, non_retryable=True)


class PositionAnswer(Model):
    """What a bot holds. Money in quote; None where there is no position."""

    bot_id: str
    symbol: str | None
    quantity: Quantity | None = None
    average_price: Price | None = None
    cost: Money | None = None
    cash: Money
    dust: Quantity
    levels: ExitLevels = ExitLevels()
    strategy_stop: float | None = None


class StatusAnswer(Model):
    """How a bot stands. `sighting` is what the last returned watch saw."""

    bot_id: str
    status: BotStatus
    version: int
    observed_version: int | None
    rejected_version: int | None
    problems: tuple[str, ...]
    enabled: bool
    paused: bool
    trades: int
    total_pnl: Money
    error_count: int
    last_error: str | None
    last_event: str
    journal_waiting: int
    dropped_events: int
    sighting: Sighting
    position: PositionAnswer
    resting: tuple[RestingOrder, ...] = ()
    unknown_order: str | None = None
    difference: str | None = None


def position_answer(state: BotState) -> PositionAnswer:
    """Return the answer to the query `position`."""
    book, exit_state = state.carried.book, state.carried.exit_state
    position = book.position
    return PositionAnswer(
        bot_id=state.row.bot_id,
        symbol=state.instrument.symbol if state.instrument else None,
        quantity=position.qty_open if position else None,
        average_price=position.avg_price if position else None,
        cost=position.cost if position else None,
        cash=book.cash,
        dust=book.dust.quantity,
        levels=state.levels,
        strategy_stop=exit_state.stop if exit_state and position else None,
    )


def status_answer(state: BotState, *, journal_waiting: int) -> StatusAnswer:
    """Return the answer to the query `status`."""
    performance = state.carried.performance
    return StatusAnswer(
        bot_id=state.row.bot_id,
        status=state.status,
        version=state.carried.version,
        observed_version=state.observed_version,
        rejected_version=state.rejected_version,
        problems=state.problems,
        enabled=state.enabled,
        paused=state.paused,
        trades=performance.trades if performance else 0,
        total_pnl=performance.total_pnl if performance else Money(0),
        error_count=state.error_count,
        last_error=state.last_error,
        last_event=state.last_event,
        journal_waiting=journal_waiting,
        dropped_events=state.dropped_events,
        sighting=state.sighting,
        position=position_answer(state),
        resting=state.resting_orders,
        unknown_order=state.carried.unknown.intent.client_order_id if state.carried.unknown else None,
        difference=state.carried.difference,
    )
