"""The prices at which a position is left, whatever its strategy says."""

from decimal import Decimal

from domain.config import BotConfig
from domain.decisions import ExitLevels, ExitState
from domain.model import as_money, exact
from domain.positions import Position

_HUNDRED = Decimal(100)


@exact()
def exit_levels(config: BotConfig, position: Position, exit_state: ExitState | None, *, guarding: bool) -> ExitLevels:
    """Return the stop and target of a position, in quote per unit of base.

    stop = average price × (1 − stop_loss_pct / 100), target = average price × (1 + take_profit_pct / 100).

    Args:
        guarding: the strategy's code cannot be run: its last stop is watched by price instead.
    """
    risk, average = config.risk_management, position.avg_price
    stop = risk.stop_loss_pct and average * (_HUNDRED - risk.stop_loss_pct) / _HUNDRED
    target = risk.take_profit_pct and average * (_HUNDRED + risk.take_profit_pct) / _HUNDRED
    last_stop = exit_state.stop if guarding and exit_state is not None else None
    return ExitLevels(
        stop=as_money(stop) if stop else None,
        target=as_money(target) if target else None,
        last_stop=Decimal(repr(last_stop)) if last_stop is not None and last_stop > 0 else None,
    )
