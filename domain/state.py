"""The state of a bot: what its workflow carries from run to run, and what its row says. Pure."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.config import BotConfig
from domain.decisions import Decision, ExitLevels, ExitState
from domain.guards import Guards
from domain.instruments import Instrument
from domain.journal import BotStatus, JournalEntry, Notice
from domain.levels import exit_levels, next_take, take_quantity
from domain.metrics import Performance
from domain.model import ZERO, Milliseconds, Model, Money, Price, Quantity, Sparse, Utc
from domain.orders import OrderIntent
from domain.positions import Book
from domain.watch import RestingOrder, Sighting

DECIDED_KEPT = 10

Phase = Literal["sending", "placed", "resting", "ending"]


class InFlight(Model):
    """An order on its way, with the decision behind it. Until it has ended, nothing else is ordered.

    Attributes:
        phase: `sending`: whether the venue has it is found out; `placed`: the venue has it, and fills it; `resting`: it
            waits at the venue for its price; `ending`: what is left of it is cancelled.
        expires: when it is too late to send it; None for an exit, which never is.
        until: when it has rested long enough, by the venue's clock; None: it does not rest, or has no such limit.
        folded: the venue's trade ids of the fills that are in the books already.
        filled: the sum of their quantities, in base.
    """

    intent: OrderIntent
    decision: Decision
    phase: Phase = "sending"
    expires: Utc | None = None
    until: Milliseconds | None = None
    folded: tuple[str, ...] = ()
    filled: Quantity = ZERO

    def resting(self, *, paper: bool) -> RestingOrder:
        """Return what a watch must know of it."""
        intent = self.intent
        return RestingOrder(
            client_order_id=intent.client_order_id,
            side=intent.side,
            type=intent.type,
            price=intent.reference_price if intent.price is None else intent.price,
            since=intent.decided_at,
            until=self.until,
            paper=paper,
        )


class Carried(Sparse):
    """What must outlive a stop of the bot: written to its row with every change of its books.

    Attributes:
        config, instrument: what the bot trades by; None before the first valid version.
        version: the version that `config` came with; decisions are made under it.
        applied: digest of the raw document behind `config`.
        funded: the `broker.cash` that has gone into the book; None before any has.
        sequence, leg: number of the last order intent, and of its last order.
        ordered_at: when the last order was decided on that the venue is known to have had, by the venue's clock; zero
            before the first.
        decided: keys of the last decisions, oldest first.
        exiting: an exit that was decided and is not yet carried through.
        plugins: which plugins the position was entered by and is to be left by, with their versions.
        sellable: what of the position the account had when it refused to sell more; None once it has sold all.
        protection: the stop that rests at the exchange beside the position.
        unknown: an order of which only a person can tell whether the venue has it; until then nothing is bought.
        difference: why books and venue do not agree; until a person has explained it, nothing is bought.
        stamp: the last journal stamp.
    """

    config: BotConfig | None = None
    instrument: Instrument | None = None
    version: int = 0
    applied: str | None = None
    funded: Money | None = None
    book: Book = Book(cash=ZERO)
    guards: Guards = Guards()
    exit_state: ExitState | None = None
    performance: Performance | None = None
    sequence: int = 0
    leg: int = 0
    ordered_at: Milliseconds = 0
    acted_candle: int = -1
    decided: tuple[str, ...] = ()
    exiting: Decision | None = None
    plugins: dict[str, str] | None = None
    sellable: Quantity | None = None
    in_flight: InFlight | None = None
    protection: InFlight | None = None
    unknown: InFlight | None = None
    difference: str | None = None
    stamp: int = 0


class BotRow(Model):
    """A row of `trading_bots`: the desired state, and what was last journaled."""

    bot_id: str
    uid: str
    owner_id: str
    version: int
    enabled: bool
    desired_paused: bool
    config: dict[str, Any]
    status: BotStatus = "stopped"
    observed_version: int | None = None
    rejected_version: int | None = None
    last_error: str | None = None
    carried: Carried | None = None

    def bare(self) -> "BotRow":
        """Return the row without the books of an earlier life: the bot has its own, or reads them as they are then."""
        return self.model_copy(update={"carried": None})


class Prepared(Model):
    """A configuration that was checked against the strategies and the venue: usable, or with its problems."""

    config: BotConfig | None = None
    instrument: Instrument | None = None
    problems: tuple[str, ...] = ()


class WatchOptions(Model):
    """How watches are run, as the process that started the bot was told. Seconds of real time.

    Attributes:
        segment_seconds: length of a watch, before jitter.
        heartbeat_timeout_seconds: silence after which a watch is taken to be dead.
    """

    segment_seconds: float = 1800.0
    heartbeat_timeout_seconds: float = 60.0


class BotState(BaseModel):
    """Everything a bot's workflow knows. Mutable: it belongs to one workflow, which is its only writer.

    Attributes:
        row: the newest desired state that has reached the workflow; its configuration only until it was dealt with.
        fresh: the configuration of `row` has not been applied yet.
        adopted_run: the run of this workflow in which the venue's orders were adopted; None: it is still to be done.
        wary_until: an order that is sent before that may have been sent by a life which history forgot.
        suspected: how books and venue seem to differ; seen twice, it is a difference.
        stop_tried: where a stop was last to be placed at the exchange: one that was refused there is not repeated.
        waiting: a checked configuration that waits for the position to be closed (`on_reconfigure: after_exit`).
        observed_version: the newest version that was applied, whatever it changed.
        rejected_version: the newest version that was refused; `problems` says why.
        failures: strategy failures in a row; zero once it works again.
        guarding: the strategy has just failed; the next watch guards the levels only.
        outbox: journal entries that are not written yet, oldest first.
        notices: messages that are not handed over yet, oldest first.
        dropped_events: events that were given up because the outbox was full.
    """

    model_config = ConfigDict(extra="ignore")

    row: BotRow
    options: WatchOptions = WatchOptions()
    fresh: bool = True
    adopted_run: str | None = None
    wary_until: Utc | None = None
    suspected: str | None = None
    stop_tried: Price | None = None
    waiting: Prepared | None = None
    observed_version: int | None = None
    rejected_version: int | None = None
    problems: tuple[str, ...] = ()
    enabled: bool = True
    paused: bool = False
    status: BotStatus = "starting"
    carried: Carried = Carried()
    failures: int = 0
    guarding: bool = False
    error_count: int = 0
    last_error: str | None = None
    sighting: Sighting = Sighting()
    last_event: str = ""
    outbox: list[JournalEntry] = Field(default_factory=list)
    notices: list[Notice] = Field(default_factory=list)
    dropped_events: int = 0

    @property
    def config(self) -> BotConfig | None:
        """What the bot trades by; None before the first valid version."""
        return self.carried.config

    @property
    def instrument(self) -> Instrument | None:
        """The market it trades; None before the first valid version."""
        return self.carried.instrument

    @property
    def levels(self) -> ExitLevels:
        """The prices at which the position is left between candles; none without one."""
        config, position = self.carried.config, self.carried.book.position
        if config is None or position is None:
            return ExitLevels()
        return exit_levels(config, position, self.carried.exit_state, guarding=self.guarding)

    @property
    def ordering(self) -> bool:
        """Whether an order is on its way, and does not only rest."""
        return self.carried.in_flight is not None and self.resting is None

    @property
    def resting(self) -> InFlight | None:
        """The limit order that rests, if one does."""
        in_flight = self.carried.in_flight
        return in_flight if in_flight is not None and in_flight.phase == "resting" else None

    @property
    def resting_orders(self) -> tuple[RestingOrder, ...]:
        """What rests, as a watch must know it: a limit order and a stop at most."""
        paper = self.config is None or self.config.account is None
        orders = (self.resting, self.carried.protection)
        return tuple(order.resting(paper=paper) for order in orders if order is not None)

    def sells_part(self, quantity: Quantity) -> bool:
        """Whether a sale of so much is that of the part which is to be sold next."""
        position, instrument = self.carried.book.position, self.carried.instrument
        take = next_take(position, self.carried.exit_state) if position is not None else None
        if position is None or take is None or instrument is None:
            return False
        return take_quantity(position, take, instrument) == quantity

    @property
    def exit_blocked(self) -> bool:
        """Whether nothing may be sold, because an order that nobody can tell of may have sold it."""
        unknown = self.carried.unknown
        return unknown is not None and unknown.intent.side == "sell"

    @classmethod
    def newborn(cls, row: BotRow, options: WatchOptions) -> "BotState":
        """Return the state of a bot that begins a life; its books come with the row when that is read."""
        return cls(row=row.bare(), options=options, enabled=row.enabled, paused=row.desired_paused)

    def carry(self, **changes: Any) -> None:
        """Change what is carried."""
        self.carried = self.carried.model_copy(update=changes)


class BotStart(Model):
    """The input of a bot's workflow.

    Attributes:
        continued: the state is that of the run before, and is the truth. Otherwise the bot begins a life: its row is
            read before anything else is done, as the snapshot that started it may be older than its last life.
    """

    state: BotState
    continued: bool = False


class Reconfigure(Model):
    """A desired state, from the fleet (`row`) or from a person (`config`); empty: read the row again.

    Attributes:
        rewatch: the worker that watched this bot is gone: watch anew.
    """

    row: BotRow | None = None
    config: dict[str, Any] | None = None
    options: WatchOptions | None = None
    rewatch: bool = False
