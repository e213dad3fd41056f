"""What a backtest found: trades, what is still open, what was refused, and the figures of it all."""

from dataclasses import dataclass
from typing import NamedTuple

from backtest.books import ClosedTrade
from backtest.history import History
from domain.config import BotConfig
from domain.instruments import Instrument
from domain.metrics import Performance
from domain.model import Milliseconds, Money, Price, Quantity, exact


class Refused(NamedTuple):
    """An entry signal that a limit or the venue's minimum stood in the way of, when, and why."""

    time: Milliseconds
    reason: str


class OpenPosition(NamedTuple):
    """The position that is open at the end, valued at `price`, the last close; no figure but the equity counts it."""

    entry_candle: int
    entry_time: Milliseconds
    entry_price: Price
    size: Quantity
    commission: Money
    price: Price
    unrealized_pnl: Money


@dataclass(frozen=True, slots=True)
class Result:
    """A backtest. `cash` and `held` (base, dust included) are what the books hold at the end."""

    config: BotConfig
    instrument: Instrument
    history: History
    trades: tuple[ClosedTrade, ...]
    refused: tuple[Refused, ...]
    cash: Money
    held: Quantity
    open: OpenPosition | None

    @property
    def started(self) -> Milliseconds:
        """When it began: the open of the first candle that was lived through."""
        return self.history.span(self.history.begin)[0]

    @property
    def ended(self) -> Milliseconds:
        """When it ended: the end of the last candle."""
        return self.history.span(-1)[1]

    @exact()
    def equity(self) -> Money:
        """Return cash plus holdings at the last close, in quote."""
        return self.cash + self.held * self.history.price(self.history.candles.close, -1)

    def performance(self) -> Performance:
        """Return the running performance after the last trade, as the live bot folds it."""
        begun = Performance.begin(started=self.started, equity=self.config.broker.cash)
        return begun.after_all(self.trades)

    def metrics(self) -> dict[str, float | int | None]:
        """Return the figures of `trading_performance_metrics`, over the whole time of the backtest."""
        return self.performance().report(until=self.ended)
