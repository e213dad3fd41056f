"""One bot over history: the decisions of activities/watcher.py, filled and booked as workflows/books.py does.

A signal on a closed candle buys at the open of the next one. While a position is open its levels are watched from the
open of each candle on, and the exit logic judges its close; what the next candle opens at comes before that judgement,
as it does live. Entries are known for all candles beforehand, so flat stretches cost nothing.
"""

from bisect import bisect_right

import numpy as np

from backtest.books import ClosedTrade, Ledger, Lot
from backtest.exits import STRIDE, ExitFinder, Tracker
from backtest.history import History, NotTestable
from backtest.levels import Watch
from backtest.result import OpenPosition, Refused, Result
from backtest.units import Units, as_reference, read_reference
from domain.config import BotConfig
from domain.decisions import ExitLevels
from domain.guards import Guards
from domain.instruments import Instrument
from domain.levels import exit_levels
from domain.model import Price, as_money, exact
from risk.limits import Refusal, entry_refusal, has_memory, sized_entry
from strategies.arrays import Flags
from strategies.custom import CustomStrategy
from strategies.exit_logic import EntryPoint


@exact()
def backtest(
    config: BotConfig,
    instrument: Instrument,
    strategy: CustomStrategy,
    history: History,
    *,
    signals: Flags | None = None,
) -> Result:
    """Return the trades that a paper bot with this configuration makes of these candles.

    Args:
        signals: the strategy's entry signals on all candles, where they are known already.

    Raises:
        NotTestable: the configuration wants limit orders, whose fills candles do not show.
    """
    trading = config.trading
    if "limit" in (trading.entry_order, trading.exit_order):
        raise NotTestable("candles do not show which limit orders are filled; a backtest needs market orders")
    found = strategy.signals(history.candles) if signals is None else signals
    return _Run(config, instrument, strategy, history, found).run()


class _Run:
    """The state of one backtest."""

    def __init__(
        self, config: BotConfig, instrument: Instrument, strategy: CustomStrategy, history: History, signals: Flags
    ) -> None:
        self._config, self._instrument, self._history = config, instrument, history
        self._exit_name = strategy.exit_logic.name
        self._times, self._opens = history.candles.open_time, history.candles.open
        usable = signals & history.fresh()
        usable[: history.begin - 1] = False
        places = np.flatnonzero(usable)
        self._signals: list[int] = places.tolist()
        self._finder = ExitFinder(strategy.exit_logic, strategy.exit_logic.prepare(history.candles), places)
        self._units = Units(config, instrument)
        self._ledger = Ledger(config.broker.cash, self._units)
        self._most_entries = config.trading.max_positions
        risk = config.risk_management
        self._levels_move = risk.exchange_stop
        self._has_levels = bool(risk.stop_loss_pct or risk.take_profit_pct or self._levels_move)
        self._guards = Guards() if has_memory(config) else None
        self._acted = -1
        self._trades: list[ClosedTrade] = []
        self._refused: list[Refused] = []

    def run(self) -> Result:
        """Go from signal to signal."""
        place, count = 0, len(self._signals)
        while place < count:
            lot = self._enter(self._signals[place])
            if lot is None:
                place += 1
                continue
            self._hold(place, lot)
            if self._ledger.position is not None:
                break
            place = bisect_right(self._signals, self._acted, lo=place)
        return Result(
            config=self._config,
            instrument=self._instrument,
            history=self._history,
            trades=tuple(self._trades),
            refused=tuple(self._refused),
            cash=self._ledger.cash,
            held=self._ledger.holding,
            open=self._open_position(),
        )

    def _enter(self, signal: int) -> Lot | None:
        """Buy at the open after a signal; return the position, None if something stood in the way."""
        candle = signal + 1
        moment, opening = self._times.item(candle), self._opens.item(candle)
        limit = self._limit(candle)
        purchase = None if limit else self._ledger.affordable(read_reference(opening))
        if purchase is None:
            self._refused.append(Refused(moment, limit or self._shortfall(candle)))
            return None
        self._acted = signal
        if self._guards is not None:
            self._guards = self._guards.after_entry(moment)
        return self._ledger.buy(purchase, candle=candle, at=moment)

    def _limit(self, candle: int) -> str | None:
        """Return which limit forbids an entry at the open of a candle, if any."""
        if self._guards is None:
            return None
        opening, moment = self._open(candle), self._times.item(candle)
        refusal = entry_refusal(self._config, self._ledger, self._guards, price=opening, moment=moment)
        return refusal.reason if refusal else None

    def _shortfall(self, candle: int) -> str:
        """Return in words why an entry at the open of a candle makes no sense at the venue."""
        sized = sized_entry(self._config, self._ledger, self._instrument, self._open(candle))
        if isinstance(sized, Refusal):
            return sized.reason
        raise AssertionError(f"whole numbers refuse what a live bot buys, {sized:f} at {self._open(candle):f}")

    def _hold(self, place: int, lot: Lot) -> None:
        """Follow the position that the signal at `place` has opened, until it is left or the candles end."""
        end, candle, following = len(self._times), lot.entry_candle, place + 1
        tracker = (None if self._levels_move else self._finder.foreseen(place)) or self._walker(place, lot)
        watch = self._watch(lot, tracker) if self._has_levels else None
        while candle < end:
            if watch and self._levels_move:
                watch.move(tracker.stop())
            added = self._next_signal(lot, following)
            fired, until = tracker.look(candle, end if added is None else self._signals[added] + 1)
            hit = watch.first(candle, until) if watch else None
            if hit is not None:
                return self._leave(lot, as_reference(hit.price), hit.rule, hit.candle, hit.candle, at_open=hit.at_open)
            if fired is not None:
                if until < end:
                    self._leave(lot, read_reference(self._opens.item(until)), self._exit_name, until, fired)
                return None  # at the end, no candle has begun in which it could be sold
            if added is not None and until > self._signals[added]:
                following = added + 1
                if self._enter(self._signals[added]) is not None:
                    tracker.entered(self._entry_point(place, lot.avg_price, lot))
                    watch = self._watch(lot, tracker) if self._has_levels else None
            candle = until
        return None

    def _walker(self, place: int, lot: Lot) -> Tracker:
        """Return a tracker that walks: the exit rule begins with the price decided on, and goes on with that paid."""
        stride = 1 if self._levels_move else STRIDE
        walker = self._finder.walker(place, self._entry_point(place, self._open(lot.entry_candle), lot), stride=stride)
        walker.entered(self._entry_point(place, lot.avg_price, lot))
        return walker

    def _next_signal(self, lot: Lot, following: int) -> int | None:
        """Return the place of the next signal that may add to the position, None if there is none."""
        return following if lot.entries < self._most_entries and following < len(self._signals) else None

    def _watch(self, lot: Lot, tracker: Tracker) -> Watch:
        """Return the levels of a position as it stands, watched as the exit state before each candle has them."""

        def levels() -> ExitLevels:
            state = tracker.state() if self._levels_move else None
            return exit_levels(self._config, lot, state, guarding=False)

        return Watch(self._history, levels, exit_levels(self._config, lot, None, guarding=False))

    def _leave(self, lot: Lot, reference: int, rule: str, candle: int, acted: int, *, at_open: bool = True) -> None:
        """Sell all that the venue takes, order after order; what is left is dust."""
        ledger, units, opened = self._ledger, self._units, self._times.item(candle)
        ticks = units.sells_at(reference)
        while quantity := units.sellable(lot.held, ticks):
            ledger.sell(lot, quantity, ticks)
        ledger.close()
        self._trades.append(ClosedTrade(lot, candle=candle, at=opened, reason=rule))
        self._acted = acted
        if self._guards is not None:
            # A cooldown counts from the last moment at which the level may have been reached: it is never too short.
            moment = opened if at_open else self._history.span(candle)[1] - 1
            self._guards = self._guards.after_exit(moment, lot.net_pnl)

    def _open(self, i: int) -> Price:
        return self._history.price(self._opens, i)

    def _entry_point(self, place: int, price: Price, lot: Lot) -> EntryPoint:
        signal = self._signals[place]
        close, time = self._history.candles.close.item(signal), self._times.item(signal)
        return EntryPoint(signal_time=time, signal_close=close, price=float(price), opened_at=lot.opened_at)

    def _open_position(self) -> OpenPosition | None:
        lot = self._ledger.position
        if lot is None:
            return None
        last = self._history.price(self._history.candles.close, -1)
        return OpenPosition(
            entry_candle=lot.entry_candle,
            entry_time=lot.opened_at,
            entry_price=as_money(lot.avg_price),
            size=lot.quantity,
            commission=lot.commission,
            price=last,
            unrealized_pnl=lot.unrealized_pnl(last),
        )
