"""A live paper bot in one thread: its watcher, paper broker and books, called in the order of a service without delay.

At each candle's open the levels are asked first, as they stood before; then the closed candle is judged; then the new
levels are asked. Inside a candle the price comes to the low, then to the high. What `workflows.books` says of exits,
and of parts of a position, is said here again in short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from activities.watcher import Watcher
from backtest.books import ClosedTrade
from domain.candles import Candles
from domain.config import BotConfig
from domain.decisions import Decision, ExitState
from domain.guards import Guards
from domain.instruments import Instrument
from domain.model import ZERO, Price, Quantity
from domain.orders import OrderIntent, OrderReport, OrderRequest, Side
from domain.paper import paper_report, paper_terms, taker_price
from domain.ports import LevelHit, MarketView
from domain.positions import Book, Trade, book_entry, book_exit, close_position, sellable_quantity
from domain.watch import WatchRequest, WatchResult
from market.levels import crossing
from strategies.arrays import Floats
from strategies.custom import CustomStrategy


@dataclass
class LiveBot:
    """What the workflow of a bot carries.

    Attributes:
        window: how many candles the strategy sees; None: all.
        late: milliseconds after a candle's end at which it is judged.
    """

    config: BotConfig
    instrument: Instrument
    strategy: CustomStrategy
    candles: Candles
    book: Book
    guards: Guards = field(default_factory=Guards)
    exit_state: ExitState | None = None
    window: int | None = None
    late: int = 0
    acted: int = -1
    orders: int = 0
    trades: list[Trade] = field(default_factory=list)

    def run(self, begin: int) -> list[Trade]:
        """Live from the open of candle `begin` to the end of the last one."""
        times = self.candles.open_time
        for i in range(begin, len(times)):
            opened, span = int(times[i]), self._span
            self._see(self.candles.open, i, at=opened + self.late, opening=True)
            self._judge(i)
            self._see(self.candles.open, i, at=opened + self.late, opening=True)
            self._see(self.candles.low, i, at=opened + span // 3)
            self._see(self.candles.high, i, at=opened + 2 * span // 3)
        return self.trades

    @property
    def _span(self) -> int:
        times = self.candles.open_time
        return int((times[1:] - times[:-1]).min())

    def _judge(self, i: int) -> None:
        watcher = self._watcher()
        self._act(watcher.on_candle(self._view(i, now=int(self.candles.open_time[i]) + self.late)))
        if self.exit_state is not None and self.book.position is not None:
            self.exit_state = watcher.result("segment").exit_state or self.exit_state

    def _see(self, prices: Floats, i: int, *, at: int, opening: bool = False) -> None:
        """Look which levels a price has reached, one after the other, as the feed does."""
        price = _exactly(prices, i)
        while self.book.position is not None:
            watcher = self._watcher()
            found = crossing(watcher.levels, price)
            if found is None:
                return
            hit = LevelHit(found.rule, price if opening else found.level, int(self.candles.open_time[i]), at)
            self._act(watcher.on_level(self._view(i, now=at), hit))

    def _act(self, result: WatchResult | None) -> None:
        decision = result.decision if result else None
        if decision is None:
            return
        self.acted = max(self.acted, decision.candle_time)
        if decision.action == "enter":
            self._enter(decision)
        else:
            self._leave(decision)

    def _enter(self, decision: Decision) -> None:
        assert decision.quantity is not None
        assert decision.signal_close is not None
        first = self.book.position is None
        intent, report = self._order(decision, "buy", decision.quantity)
        assert report.status == "filled", report.reason
        self.book = book_entry(self.book, intent, report.fills[0], self.instrument, signal_close=decision.signal_close)
        self.guards = self.guards.after_entry(report.fills[0].at)
        if first:
            self.exit_state = decision.exit_state

    def _leave(self, decision: Decision) -> None:
        left = decision.quantity
        while (quantity := self._sellable(decision.price, left)) > ZERO:
            intent, report = self._order(decision, "sell", quantity)
            assert report.status == "filled", report.reason
            self.book = book_exit(self.book, intent, report.fills[0], self.instrument)
            left = None if left is None else left - quantity
        position = self.book.position
        if position is not None and left is not None and self._sellable(decision.price, None):
            taken = position.model_copy(update={"takes": position.takes + 1})
            self.book = self.book.model_copy(update={"position": taken})
        else:
            self._close(decision)

    def _sellable(self, reference: Price, part: Quantity | None) -> Quantity:
        """Return what the venue takes of a part, or of everything."""
        price = taker_price(reference, paper_terms(self.config), tick=self.instrument.tick_size, side="sell")
        there = sellable_quantity(self.book, self.instrument, price)
        wanted = there if part is None else min(there, part)
        return ZERO if self.instrument.refusal(wanted, price) else wanted

    def _close(self, decision: Decision) -> None:
        self.book, trade = close_position(self.book, exit_time=decision.decided_at, exit_reason=decision.reason)
        self.guards = self.guards.after_exit(trade.exit_time, trade.net_pnl)
        self.exit_state = None
        self.trades.append(trade)

    def _order(self, decision: Decision, side: Side, quantity: Quantity) -> tuple[OrderIntent, OrderReport]:
        self.orders += 1
        intent = OrderIntent(
            client_order_id=f"order-{self.orders}",
            sequence=self.orders,
            symbol=self.instrument.symbol,
            side=side,
            quantity=quantity,
            reference_price=decision.price,
            reason=decision.reason,
            decision_key=decision.key,
            decided_at=decision.decided_at,
            candle_time=decision.candle_time,
            config_version=1,
        )
        request = OrderRequest(
            bot_id="bot",
            intent=intent,
            instrument=self.instrument,
            paper=paper_terms(self.config),
            cash=self.book.cash,
            holding=self.book.holding,
        )
        return intent, paper_report(request)

    def _watcher(self) -> Watcher:
        request = WatchRequest(
            bot_id="bot",
            uid="uid",
            config=self.config,
            config_version=1,
            instrument=self.instrument,
            book=self.book,
            exit_state=self.exit_state,
            guards=self.guards,
            acted_candle=self.acted,
            segment_seconds=60,
        )
        return Watcher(request, self.strategy, cached=None)

    def _view(self, i: int, *, now: int) -> MarketView:
        opening = _exactly(self.candles.open, i)
        opened = int(self.candles.open_time[i])
        seen = self.candles[0 if self.window is None else max(i - self.window, 0) : i]
        return MarketView(seen, opened, opening, opening, opened, now, stale=False)


def told_live(bot: LiveBot) -> list[tuple[object, ...]]:
    """Return of each trade what `told` tells of a backtest's."""
    times = bot.candles.open_time
    candles = [
        [int(times[times.searchsorted(moment, side="right") - 1]) for moment in (trade.entry_time, trade.exit_time)]
        for trade in bot.trades
    ]
    return [(*when, *_figures(trade)) for when, trade in zip(candles, bot.trades, strict=True)]


def told(trades: Sequence[ClosedTrade]) -> list[tuple[object, ...]]:
    """Return when each trade's candles opened, and all its figures."""
    return [(trade.entry_time, trade.exit_time, *_figures(trade)) for trade in trades]


def _figures(trade: Trade | ClosedTrade) -> tuple[object, ...]:
    return (
        *(trade.entry_price, trade.entry_value, trade.exit_price, trade.exit_value),
        *(trade.size, trade.commission, trade.gross_pnl, trade.net_pnl, trade.exit_reason),
    )


def _exactly(prices: Floats, i: int) -> Price:
    return Decimal(repr(float(prices[i])))
