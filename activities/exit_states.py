"""Where the exit rule of a position begins, and which of two states of it is the newer one. Pure."""

from activities.glance import running_candle
from domain.decisions import ExitState
from domain.model import Price
from domain.ports import MarketView
from domain.positions import Position
from strategies.custom import AnyStrategy
from strategies.exit_logic import EntryPoint


def newest(first: ExitState | None, second: ExitState | None) -> ExitState | None:
    """Return the state that has folded more candles; of different rules the first one."""
    if first is None or second is None:
        return first or second
    return second if second.logic == first.logic and second.folded > first.folded else first


def entry_point(position: Position) -> EntryPoint:
    """Return where a position began."""
    return EntryPoint(
        signal_time=position.signal_time,
        signal_close=float(position.signal_close),
        price=float(position.avg_price),
        opened_at=position.opened_at,
    )


def first_state(view: MarketView, strategy: AnyStrategy, price: Price) -> ExitState:
    """Start the exit rule at the newest closed candle, whose signal is acted on at `price`."""
    return _started(view, strategy, price, signal_close=float(view.candles.close[-1]))


def midway_state(view: MarketView, strategy: AnyStrategy, price: Price, interval: str) -> ExitState:
    """Start the exit rule inside a candle: from the price, with what the newest closed candle says.

    The running candle counts as folded, because its extremes may be older than the position.
    """
    state = _started(view, strategy, price, signal_close=float(price))
    return state.model_copy(update={"folded": running_candle(view, interval)})


def _started(view: MarketView, strategy: AnyStrategy, price: Price, *, signal_close: float) -> ExitState:
    candle = int(view.candles.open_time[-1])
    entry = EntryPoint(signal_time=candle, signal_close=signal_close, price=float(price), opened_at=view.now)
    return strategy.start_exit(view.candles, entry)
