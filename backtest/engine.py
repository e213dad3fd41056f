"""One bot over history: the decisions of activities/watcher.py, filled and booked as workflows/books.py does.

A signal on a closed candle buys at the open of the next one. While a position is open its levels are watched from the
open of each candle on, and the exit logic judges its close; what the next candle opens at comes before that judgement,
as it does live. Entries are known for all candles beforehand, so flat stretches cost nothing.
"""

from bisect import bisect_right
from functools import partial

import numpy as np

from backtest.books import ClosedTrade, Ledger, Lot
from backtest.exits import STRIDE, ExitFinder, Walker, moves_levels
from backtest.history import History, NotTestable
from backtest.levels import Hit, Watch
from backtest.result import OpenPosition, Refused, Result
from backtest.units import Units, as_reference, read_reference
from domain.config import BotConfig
from domain.decisions import ExitLevels, ExitState, Take
from domain.guards import Guards
from domain.instruments import Instrument
from domain.levels import exit_levels, level_reason, next_take, take_quantity
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
        self._levels_move = risk.exchange_stop or moves_levels(strategy.exit_logic)
        self._has_levels = bool(risk.stop_loss_pct or risk.take_profit_pct)
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
        if self._levels_move:
            return self._ride(place, lot)
        end, candle, following = len(self._times), lot.entry_candle, place + 1
        tracker = self._finder.foreseen(place) or self._walker(place, lot, stride=STRIDE)
        watch = self._watch(lot) if self._has_levels else None
        while candle < end:
            added = following if lot.entries < self._most_entries and following < len(self._signals) else None
            fired, until = tracker.look(candle, end if added is None else self._signals[added] + 1)
            hit = watch.first(candle, until) if watch else None
            if hit is not None:
                return self._leave_at(hit, lot, None)
            if fired is not None:
                return self._leave_after(fired, lot)
            if added is not None and until > self._signals[added]:
                following = added + 1
                if self._enter(self._signals[added]) is not None:
                    tracker.entered(self._entry_point(place, lot.avg_price, lot))
                    watch = self._watch(lot) if self._has_levels else None
            candle = until
        return None

    def _ride(self, place: int, lot: Lot) -> None:
        """Follow a position whose levels move, or of which parts are sold, candle by candle.

        What opens next meets the levels as they were before a candle has moved them. A part that is sold there changes
        what the exit rule judges that candle by, and forbids an entry on it.
        """
        walker, following = self._walker(place, lot, stride=1), place + 1
        watch = self._watch(lot, walker)
        for candle in range(lot.entry_candle, len(self._times)):
            watch.move(walker.stop(), walker.take(lot.takes))
            for hit in watch.through(candle):
                if self._meet(hit, lot, walker.state()):
                    return None
                walker.entered(self._entry_point(place, lot.avg_price, lot))
                watch.hold(self._fixed_levels(lot))
                watch.move(walker.stop(), walker.take(lot.takes))
            fired, _ = walker.look(candle, candle + 1)
            if fired is not None:
                return self._leave_after(fired, lot)
            if following < len(self._signals) and self._signals[following] == candle:
                following += 1
                if lot.entries < self._most_entries and candle > self._acted and self._enter(candle) is not None:
                    walker.entered(self._entry_point(place, lot.avg_price, lot))
                    watch.hold(self._fixed_levels(lot))
        return None

    def _walker(self, place: int, lot: Lot, *, stride: int) -> Walker:
        """Return a tracker that walks: the exit rule begins with the price decided on, and goes on with that paid."""
        walker = self._finder.walker(place, self._entry_point(place, self._open(lot.entry_candle), lot), stride=stride)
        walker.entered(self._entry_point(place, lot.avg_price, lot))
        return walker

    def _watch(self, lot: Lot, walker: Walker | None = None) -> Watch:
        """Return the levels of a position as it stands; where they move, they are those of a walker's exit state."""
        if walker is None:
            return Watch(self._history, partial(self._fixed_levels, lot), self._fixed_levels(lot))

        def levels() -> ExitLevels:
            return exit_levels(self._config, lot, walker.state(), guarding=False)

        return Watch(self._history, levels, self._fixed_levels(lot))

    def _fixed_levels(self, lot: Lot) -> ExitLevels:
        """Return the levels that stay where they are until the position changes."""
        return exit_levels(self._config, lot, None, guarding=False)

    def _meet(self, hit: Hit, lot: Lot, state: ExitState) -> bool:
        """Sell what is to be sold at a level that was reached. Returns whether the position is left."""
        take = next_take(lot, state) if hit.rule == "take" else None
        if take is not None and self._sell_part(hit, lot, take):
            return False
        self._leave_at(hit, lot, state)
        return True

    def _sell_part(self, hit: Hit, lot: Lot, take: Take) -> bool:
        """Sell a part, unless the venue does not take so little. Returns whether what is left could be sold too."""
        units = self._units
        ticks = units.sells_at(as_reference(hit.price))
        part = units.part(lot.held, take_quantity(lot, take, self._instrument), ticks)
        if part:
            self._ledger.sell(lot, part, ticks)
        lot.takes += 1
        self._acted = max(self._acted, hit.candle)
        return units.sellable(lot.held, ticks) > 0

    def _leave_at(self, hit: Hit, lot: Lot, state: ExitState | None) -> None:
        """Leave at a level."""
        reason, candle = level_reason(hit.rule, state), hit.candle
        self._leave(lot, as_reference(hit.price), reason, candle, candle, at_open=hit.at_open)

    def _leave_after(self, fired: int, lot: Lot) -> None:
        """Leave at the open after the candle that the exit rule has fired on, if there is one to be sold in."""
        if (candle := fired + 1) < len(self._times):
            self._leave(lot, read_reference(self._opens.item(candle)), self._exit_name, candle, fired)

    def _leave(self, lot: Lot, reference: int, reason: str, candle: int, acted: int, *, at_open: bool = True) -> None:
        """Sell all that the venue takes, order after order; what is left is dust."""
        ledger, units, opened = self._ledger, self._units, self._times.item(candle)
        ticks = units.sells_at(reference)
        while quantity := units.sellable(lot.held, ticks):
            ledger.sell(lot, quantity, ticks)
        ledger.close()
        self._trades.append(ClosedTrade(lot, candle=candle, at=opened, reason=reason))
        self._acted = max(self._acted, acted)
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
