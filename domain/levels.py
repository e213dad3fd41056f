"""The prices at which a position is left, whatever its strategy says, and those at which orders rest."""

from collections.abc import Mapping
from decimal import Decimal

from domain.config import BotConfig
from domain.decisions import (
    LAST_STOP,
    PARTIAL_TAKE,
    STOP_LOSS,
    TAKE_PROFIT,
    ExitLevels,
    ExitState,
    LevelRule,
    Take,
)
from domain.instruments import Instrument, against_taker, floor_to
from domain.model import Price, Quantity, as_money, exact
from domain.orders import Side
from domain.positions import OpenPosition

_HUNDRED = Decimal(100)
# A stop at the exchange is moved when it is off by more than this share of its price: each move is two orders.
_WORTH_A_MOVE = Decimal("0.0005")
_REASONS: Mapping[LevelRule, str] = {
    "stop": STOP_LOSS,
    "last_stop": LAST_STOP,
    "target": TAKE_PROFIT,
    "take": PARTIAL_TAKE,
}


@exact()
def exit_levels(
    config: BotConfig, position: OpenPosition, exit_state: ExitState | None, *, guarding: bool
) -> ExitLevels:
    """Return the stop and target of a position, in quote per unit of base.

    stop = average price × (1 − stop_loss_pct / 100), target = average price × (1 + take_profit_pct / 100).

    Args:
        guarding: the strategy's code cannot be run: its last stop is watched by price instead, and no part is sold.
            With `risk_management.exchange_stop` it always is, as the exchange does so too.
    """
    risk, average = config.risk_management, position.avg_price
    stop = risk.stop_loss_pct and average * (_HUNDRED - risk.stop_loss_pct) / _HUNDRED
    target = risk.take_profit_pct and average * (_HUNDRED + risk.take_profit_pct) / _HUNDRED
    by_price = guarding or risk.exchange_stop or (exit_state is not None and exit_state.by_price)
    last_stop = exit_state.stop if by_price and exit_state is not None else None
    take = None if guarding else next_take(position, exit_state)
    return ExitLevels(
        stop=as_money(stop) if stop else None,
        target=as_money(target) if target else None,
        last_stop=Decimal(repr(last_stop)) if last_stop is not None and last_stop > 0 else None,
        take=Decimal(repr(take.level)) if take is not None else None,
    )


def level_reason(level: LevelRule, exit_state: ExitState | None) -> str:
    """Return the reason of an exit at a level. An exit logic's own stop has the logic's name."""
    if level == "last_stop" and exit_state is not None and exit_state.by_price:
        return exit_state.logic.partition(":")[0]
    return _REASONS[level]


def next_take(position: OpenPosition, exit_state: ExitState | None) -> Take | None:
    """Return where the next part of a position is to be sold at a profit, if its exit logic says so."""
    takes = exit_state.takes if exit_state is not None else ()
    return takes[position.takes] if position.takes < len(takes) else None


@exact()
def take_quantity(position: OpenPosition, take: Take, instrument: Instrument) -> Quantity:
    """Return the base to sell: the share of all that was bought, down to the lot step."""
    return instrument.floor_quantity(Decimal(repr(take.share)) * position.bought)


@exact()
def limit_price(config: BotConfig, instrument: Instrument, reference: Price, *, side: Side) -> Price:
    """Return the limit of an order: reference ∓ `trading.limit_offset_pct`, on a tick, never worse than that.

    A purchase is offered below the reference, rounded down; a sale above it, rounded up.
    """
    buying = side == "buy"
    offset = config.trading.limit_offset_pct
    offered = reference * (_HUNDRED - offset if buying else _HUNDRED + offset) / _HUNDRED
    return against_taker(offered, instrument.tick_size, buying=not buying)


def bid(config: BotConfig, instrument: Instrument, price: Price) -> Price:
    """Return the price that an entry at the market's price of now is made at: at a limit below it if so configured."""
    if config.trading.entry_order == "market":
        return price
    return limit_price(config, instrument, price, side="buy")


def protective_stop(levels: ExitLevels, config: BotConfig, instrument: Instrument) -> Price | None:
    """Return where a stop is to rest at the exchange, on a tick: the highest of the stops; None: nowhere."""
    stops = [level for level in (levels.stop, levels.last_stop) if level is not None]
    if not config.protected or not stops:
        return None
    return floor_to(max(stops), instrument.tick_size)


@exact()
def is_off(resting: Price | None, wanted: Price | None) -> bool:
    """Return whether a stop at the exchange is so far from where it should be that it has to be moved."""
    if resting is None or wanted is None:
        return resting != wanted
    return abs(wanted - resting) > resting * _WORTH_A_MOVE
