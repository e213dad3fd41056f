"""What goes into a watch of the market and what comes out of it. Numbers only: candles never leave the worker."""

from typing import Literal

from domain.config import BotConfig
from domain.decisions import Condition, Decision, ExitLevels, ExitState
from domain.guards import Guards
from domain.instruments import Instrument
from domain.model import Milliseconds, Model, Price, Sparse
from domain.orders import OrderType, Side
from domain.positions import Book

Order = Literal["close", "open"]
Outcome = Literal[
    "decision",
    "segment",
    "shutdown",
    "failed",
    "recovered",
    "refused",
    "limited",
    "differs",
    "reached",
    "overdue",
    "unprotected",
]


class RestingOrder(Model):
    """An order that rests while the market is watched. Times are the venue's, in milliseconds UTC.

    Attributes:
        price: its limit, or the trigger of a stop.
        since: when it was decided on: what was before does not fill it.
        until: when it has rested long enough; None: it rests for as long as it is wanted.
        paper: there is no venue to fill it; the watch sees that the market trades through its price.
    """

    client_order_id: str
    side: Side
    type: OrderType
    price: Price
    since: Milliseconds
    until: Milliseconds | None = None
    paper: bool = False


class WatchRequest(Model):
    """All that a watch must know of its bot.

    Attributes:
        gate: why no entry may be made now (paused, stopping, …); None: entries are allowed.
        acted_candle: open time of the newest candle that an entry or exit acted on; no entry acts on it again.
        command: a person's wish to close or open at the current price; answered with a decision at once.
        command_reason: the reason that such a decision carries.
        guard_only: watch the levels without strategy code, which has just failed.
        recovering: return as soon as the strategy was evaluated once without failing.
        resting: orders of the bot that rest, a limit order and a stop at most.
        stop_tried: where a stop was last to be placed at the exchange, whether it rests there or was refused.
        adopted_run: see `activities.adoption.refuse_if_reset`.
        segment_seconds: real time after which the watch returns.
    """

    bot_id: str
    uid: str
    config: BotConfig
    config_version: int
    instrument: Instrument
    book: Book
    exit_state: ExitState | None = None
    guards: Guards = Guards()
    gate: str | None = None
    acted_candle: int = -1
    command: Order | None = None
    command_reason: str = ""
    guard_only: bool = False
    recovering: bool = False
    resting: tuple[RestingOrder, ...] = ()
    stop_tried: Price | None = None
    adopted_run: str | None = None
    segment_seconds: float

    @property
    def limit(self) -> RestingOrder | None:
        """The limit order that rests, if one does."""
        return next((order for order in self.resting if order.type == "limit"), None)

    @property
    def leaving(self) -> bool:
        """Whether an exit order rests, so that the position is watched for its stops only."""
        return self.limit is not None and self.limit.side == "sell"

    @property
    def levels_only(self) -> bool:
        """Whether the position is watched without its strategy."""
        return self.guard_only or self.leaving


class Sighting(Model):
    """What a watch sees: shown in the Web UI as heartbeat details, by `bots why`, and on the bot's page.

    Attributes:
        verdict: one sentence: why there is no order now.
        conditions: each condition of the entry or exit rule on the last closed candle.
        stale: the venue's newest candle is older than three intervals of the venue's clock.
    """

    venue_time: Milliseconds | None = None
    candle_time: Milliseconds | None = None
    price: Price | None = None
    verdict: str = "waiting for candles"
    conditions: tuple[Condition, ...] = ()
    levels: ExitLevels = ExitLevels()
    stale: bool = False
    exit_state: ExitState | None = None


class WatchResult(Sparse):
    """Why a watch ended. The exit state, when there is one, is newer than the request's.

    Attributes:
        outcome: `decision`; `segment`: its time was over; `shutdown`: the worker is stopping; `failed`: the strategy
            raised; `recovered`: a strategy that had failed did not; `refused`: a command could not be carried out;
            `limited`: a daily risk limit suppressed a signal, and nobody was told of it today; `differs`: the venue
            says something else than the books; `reached`: the market has traded through the limit of a paper order;
            `overdue`: a limit order has rested long enough, or entries were forbidden meanwhile; `unprotected`: the
            stop at the exchange is not where it should be.
        reason: why it failed, was refused, limited or forbidden, or how books and venue differ.
        reached_at: when the market has traded through the limit.
        lost_candles: candles that the exit logic has missed for good, because the venue keeps no more of them.
        plugins: which plugins the strategy is of, by the part that they play (`entry`, `exit`), with their versions.
    """

    outcome: Outcome
    decision: Decision | None = None
    exit_state: ExitState | None = None
    sighting: Sighting = Sighting()
    reason: str | None = None
    reached_at: Milliseconds | None = None
    lost_candles: int = 0
    plugins: dict[str, str] | None = None
