"""The journal: what a bot reports to the database, in order, behind trading.

Every entry carries a stamp `n`, strictly growing within a bot and never repeated: microseconds of the workflow's
clock. It goes on growing when a history is reset or restored, so that what happens afterwards is written too.
Writing an entry twice changes nothing: orders, fills, positions and trades have their natural keys, events have
`(bot, n)`, and a row is changed only by an entry with a newer `n` than the one that changed it last.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from domain.model import Milliseconds, Model, Money, Sparse, Utc
from domain.orders import Fill, OrderIntent, OrderStatus
from domain.positions import Position, Trade

BotStatus = Literal["stopped", "starting", "running", "paused", "stopping", "error", "tripped"]
Severity = Literal["info", "warning", "error"]


class OrderEntry(Model):
    """An order intent as it stands now."""

    kind: Literal["order"] = "order"
    intent: OrderIntent
    status: OrderStatus
    venue_order_id: str | None = None
    reason: str | None = None
    filled_quantity: Money
    average_price: Money | None = None


class FillEntry(Model):
    """One fill of an order, by the venue's trade id."""

    kind: Literal["fill"] = "fill"
    client_order_id: str
    fill: Fill


class PositionEntry(Model):
    """A position as it stands now; `closed_at` once it is flat or dust."""

    kind: Literal["position"] = "position"
    position: Position
    closed_at: Milliseconds | None = None


class TradeEntry(Sparse):
    """A round trip that was closed, with the strategy that made it and the performance after it.

    Attributes:
        plugins: which plugins its entry and exit came from, with their versions; None: from none.
    """

    kind: Literal["trade"] = "trade"
    trade: Trade
    trade_type: Literal["paper", "live", "backtest"]
    interval: str
    strategy: str
    entry_logic: str
    entry_params: dict[str, Any]
    exit_logic: str
    exit_params: dict[str, Any]
    metrics: dict[str, float | int | None]
    plugins: dict[str, str] | None = None


class EventEntry(Model):
    """Something that happened, for people: a row of `bot_events`."""

    kind: Literal["event"] = "event"
    type: str
    message: str
    severity: Severity = "info"
    data: dict[str, Any] = Field(default_factory=dict)
    correlation_id: str | None = None


class BotEntry(Model):
    """The bot's own row: what it observed, how it is, and the state from which it can be started anew."""

    kind: Literal["bot"] = "bot"
    status: BotStatus
    observed_version: int | None
    rejected_version: int | None
    current_balance: Money
    total_pnl: Money
    error_count: int
    last_error: str | None
    carried: dict[str, Any]


class ForgottenEntry(Model):
    """The bot's history has gone back, and the venue's orders are adopted: what else is under way never was sent.

    Attributes:
        kept: client order ids that the bot knows to be under way.
    """

    kind: Literal["forgotten"] = "forgotten"
    kept: tuple[str, ...] = ()


class DesiredEntry(Model):
    """A person's command that reached the bot directly: the row must say the same, or the fleet would undo it."""

    kind: Literal["desired"] = "desired"
    enabled: bool | None = None
    desired_paused: bool | None = None
    config: dict[str, Any] | None = None
    author: str = "signal"


JournalPayload = Annotated[
    OrderEntry | FillEntry | PositionEntry | TradeEntry | EventEntry | BotEntry | ForgottenEntry | DesiredEntry,
    Field(discriminator="kind"),
]


class JournalEntry(Model):
    """One thing to write. `at` is the workflow's time."""

    n: int
    at: Utc
    payload: JournalPayload


class JournalBatch(Model):
    """Up to 100 entries of one bot, oldest first, written in one transaction."""

    bot_id: str
    uid: str
    entries: tuple[JournalEntry, ...]


class JournalReceipt(Model):
    """What the database answered.

    Attributes:
        version: the row's version now; None when the row is gone. Only the database numbers versions.
        overtaken: the bot has not observed that version, and not made it by a command either: somebody else has
            changed the row as well, or the bot counts otherwise than the database.
        orphaned: the row is gone (deleted); nothing of the batch could be written, and nothing ever can.
    """

    version: int | None = None
    overtaken: bool = False
    orphaned: bool = False


class Notice(Model):
    """A message for people. `(bot_id, n)` is its identity: delivering it twice shows it once."""

    bot_id: str
    owner_id: str
    n: int
    at: Utc
    kind: str
    severity: Severity
    title: str
    text: str
