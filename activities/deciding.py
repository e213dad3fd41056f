"""The decisions of a watch: what each kind of them carries to the workflow. Pure."""

from decimal import Decimal
from typing import NamedTuple

from activities.glance import candle_price, running_candle
from domain.decisions import (
    MANUAL_OPEN,
    Decision,
    ExitState,
    LevelRule,
    candle_exit_key,
    entry_key,
    price_exit_key,
)
from domain.instruments import Instrument
from domain.levels import level_reason, next_take, take_quantity
from domain.model import Price, Quantity
from domain.ports import LevelHit, MarketView
from domain.positions import Position
from domain.watch import WatchRequest


class Rule(NamedTuple):
    """What has an exit made.

    Attributes:
        name: the reason that people read.
        urgent: it does not wait for a better price.
        quantity: the base to sell of a part; None: all.
    """

    name: str
    urgent: bool = False
    quantity: Quantity | None = None


def level_rule(level: LevelRule, position: Position, state: ExitState | None, instrument: Instrument) -> Rule:
    """Return the rule behind a level that was reached."""
    take = next_take(position, state) if level == "take" else None
    quantity = take_quantity(position, take, instrument) if take else None
    return Rule(level_reason(level, state), level != "target", quantity)


class Decisions:
    """Makes the decisions of one watch, all under the configuration that it was asked under."""

    def __init__(self, request: WatchRequest) -> None:
        self._interval = request.config.data.interval
        self._version = request.config_version
        self._command = request.command_reason

    def exit_at_level(self, position: Position, hit: LevelHit, rule: Rule) -> Decision:
        """Leave, or sell a part, at the level that a price between candles has reached."""
        return Decision(
            action="exit",
            key=price_exit_key(position.id, rule.name, position.takes if rule.quantity is not None else 0),
            reason=rule.name,
            price=hit.price,
            candle_time=hit.candle_time,
            decided_at=hit.at,
            config_version=self._version,
            urgent=rule.urgent,
            quantity=rule.quantity,
        )

    def exit_on_candle(self, position: Position, view: MarketView, rule: Rule, fired: int) -> Decision:
        """Leave, or sell a part, because a rule holds on a closed candle, the one that opened at `fired`."""
        return Decision(
            action="exit",
            key=candle_exit_key(position.id, fired, rule.name),
            reason=rule.name,
            price=candle_price(view),
            candle_time=int(view.candles.open_time[-1]),
            decided_at=view.now,
            config_version=self._version,
            urgent=rule.urgent,
            quantity=rule.quantity,
        )

    def exit_now(self, position: Position, view: MarketView, reason: str, price: Price) -> Decision:
        """Leave at the price of now, because somebody wants it."""
        return Decision(
            action="exit",
            key=price_exit_key(position.id, reason),
            reason=reason,
            price=price,
            candle_time=running_candle(view, self._interval),
            decided_at=view.now,
            config_version=self._version,
            urgent=True,
        )

    def enter(self, view: MarketView, rule: str, price: Price, quantity: Quantity, state: ExitState | None) -> Decision:
        """Buy because a rule holds on the newest closed candle."""
        newest = int(view.candles.open_time[-1])
        return Decision(
            action="enter",
            key=entry_key(newest),
            reason=rule,
            price=price,
            candle_time=newest,
            decided_at=view.now,
            config_version=self._version,
            quantity=quantity,
            signal_close=Decimal(repr(float(view.candles.close[-1]))),
            exit_state=state,
        )

    def enter_now(self, view: MarketView, price: Price, quantity: Quantity, state: ExitState | None) -> Decision:
        """Buy at the price of now, because a person wants it."""
        candle = running_candle(view, self._interval)
        return Decision(
            action="enter",
            key=f"{entry_key(candle)}:{self._command}",
            reason=MANUAL_OPEN,
            price=price,
            candle_time=candle,
            decided_at=view.now,
            config_version=self._version,
            urgent=True,
            quantity=quantity,
            signal_close=price,
            exit_state=state,
        )
