"""What a look at the market may say: conditions that explain themselves, and decisions that carry numbers only."""

from typing import Any, Literal, TypeAlias

from pydantic import Field, FiniteFloat, SerializerFunctionWrapHandler, model_serializer

from domain.model import Milliseconds, Model, Price, Quantity, Sparse

Comparison: TypeAlias = Literal["<", "<=", ">", ">=", "crosses_above", "crosses_below"]
LevelRule: TypeAlias = Literal["stop", "target", "last_stop", "take", "limit_buy", "limit_sell"]
"""Which of `ExitLevels` a price has reached."""

# JSON knows no NaN and no infinity: a strategy that yields one fails itself, not the bot that reads its answer.
Scalar: TypeAlias = FiniteFloat | int | bool | str | None

STOP_LOSS = "stop_loss"
TAKE_PROFIT = "take_profit"
LAST_STOP = "last_stop"
MANUAL_CLOSE = "manual_close"
MANUAL_OPEN = "manual_open"
BOT_STOPPED = "bot_stopped"
EXCHANGE_STOP = "exchange_stop"
SOLD_BY_HAND = "sold_by_hand"
PARTIAL_TAKE = "partial_take"


class Condition(Model):
    """One comparison of a rule on one candle, with the values that were compared."""

    name: str
    left: FiniteFloat
    op: Comparison
    right: FiniteFloat
    holds: bool

    def __str__(self) -> str:
        mark = "✓" if self.holds else "✗"
        return f"{mark} {self.name}: {self.left:.8g} {self.op} {self.right:.8g}"


class Take(Model):
    """A partial sale at a profit: `share`, in (0, 1], of the quantity first bought, once the price is at `level`."""

    level: FiniteFloat
    share: FiniteFloat


class ExitState(Model):
    """What an exit logic remembers of an open position: a pure fold of closed candles over its first state.

    `logic` names the exit logic (with its parameters) that made it; another logic must not go on from it.
    `folded` is the open time of the last candle that is part of it. Nothing that only a tick has seen is in it.
    """

    logic: str
    folded: Milliseconds
    values: dict[str, Scalar] = Field(default_factory=dict)
    stop: FiniteFloat | None = None
    """The level that protects the position should the strategy fail; in quote per unit of base."""
    by_price: bool = False
    """The stop is watched on the price between candles, always."""
    takes: tuple[Take, ...] = ()
    """All levels at which a part is sold, lowest first, whether taken or not; fixed once they are known."""

    @model_serializer(mode="wrap")
    def _as_before_where_it_can(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what most exits have not: the states of running bots stay as they were."""
        written: dict[str, Any] = write(self)
        for key in ("by_price", "takes"):
            if not written[key]:
                del written[key]
        return written


class ExitLevels(Sparse):
    """The prices that are waited for between candles. None: not watched.

    Attributes:
        stop, target: where the position is left at a loss or a profit.
        last_stop: the exit logic's last stop, watched by price where the logic asks for it, while its code cannot be
            run, and where a stop rests at the exchange.
        take: where the next part of the position is sold at a profit.
        limit_buy, limit_sell: where an order on paper that rests is filled.
    """

    stop: Price | None = None
    target: Price | None = None
    last_stop: Price | None = None
    take: Price | None = None
    limit_buy: Price | None = None
    limit_sell: Price | None = None

    @property
    def lower(self) -> Price | None:
        """The first of the levels that a falling price reaches."""
        below = (self.stop, self.last_stop, self.limit_buy)
        return max((level for level in below if level is not None), default=None)

    @property
    def upper(self) -> Price | None:
        """The first of the levels that a rising price reaches."""
        above = (self.target, self.take, self.limit_sell)
        return min((level for level in above if level is not None), default=None)


class Decision(Model):
    """To enter or to exit, once: the numbers of the moment, so that every retry acts alike.

    Attributes:
        key: identity of the decision; the workflow acts on each key once.
        reason: the rule that fired, such as `ATRExitMixin` or `stop_loss`.
        price: reference price: the open of the candle after `candle_time`, or the level that the price crossed.
        candle_time: open time of the closed candle that was judged, or of the running one for a price decision.
        decided_at: the venue's time of the decision, in milliseconds UTC.
        config_version: version of the configuration it was made under.
        urgent: it goes to the market at once, whatever kind of order the configuration prefers.
        quantity: base to buy for an entry, or to sell for an exit of a part; None for an exit that closes all.
        exit_state: for an entry, the first state of the exit logic.
    """

    action: Literal["enter", "exit"]
    key: str
    reason: str
    price: Price
    candle_time: Milliseconds
    decided_at: Milliseconds
    config_version: int
    urgent: bool = False
    quantity: Quantity | None = None
    signal_close: Price | None = None
    exit_state: ExitState | None = None


def entry_key(candle_time: int) -> str:
    """Return the key of an entry: one per closed candle."""
    return f"enter:{candle_time}"


def candle_exit_key(position_id: str, candle_time: int, rule: str) -> str:
    """Return the key of an exit that a closed candle has decided."""
    return f"exit:{position_id}:{candle_time}:{rule}"


def price_exit_key(position_id: str, rule: str, leg: int = 0) -> str:
    """Return the key of an exit that a price between candles has decided."""
    return f"exit:{position_id}:{rule}:{leg}"
