"""Running performance of a bot, folded trade by trade, so that no metric needs the whole list of trades. Pure.

Ratios of the daily series use the realised profit of each UTC day divided by the equity before it, days without a
trade included, sample deviations and 365 days a year. Source: W. F. Sharpe, The Sharpe Ratio (1994);
F. Sortino, R. van der Meer, Downside Risk (1991).
"""

import math
from collections.abc import Iterable
from typing import Protocol

from domain.intervals import DAY_MS
from domain.model import ZERO, Milliseconds, Model, Money, exact

_DAYS_PER_YEAR = 365
_RESIDUE = 1e-12


class RoundTrip(Protocol):
    """What the figures read of a closed trade. Times are milliseconds UTC."""

    @property
    def entry_time(self) -> int:
        """When it was begun."""

    @property
    def exit_time(self) -> int:
        """When it was closed."""

    @property
    def net_pnl(self) -> Money:
        """Profit after all fees, in quote."""


class Performance(Model):
    """Sums over all closed trades of one bot. Money in quote; `started` is when the bot first ran.

    The daily sums cover finished days; the running day is `today`, with its profit so far in `today_pnl`.
    """

    started: Milliseconds
    initial_equity: Money
    equity: Money
    peak: Money
    trades: int = 0
    wins: int = 0
    gross_win: Money = ZERO
    gross_loss: Money = ZERO
    max_drawdown: float = 0.0
    held_ms: int = 0
    last_exit: Milliseconds = 0
    today: int = 0
    today_pnl: Money = ZERO
    days: int = 0
    sum_returns: float = 0.0
    sum_squares: float = 0.0
    sum_downside: float = 0.0

    @classmethod
    def begin(cls, *, started: int, equity: Money) -> "Performance":
        """Return the performance of a bot that has not traded yet."""
        return cls(
            started=started,
            initial_equity=equity,
            equity=equity,
            peak=equity,
            today=started // DAY_MS,
            last_exit=started,
        )

    def after(self, trade: RoundTrip) -> "Performance":
        """Return the performance with one more closed trade."""
        return self.after_all((trade,))

    @exact()
    def after_all(self, trades: Iterable[RoundTrip]) -> "Performance":
        """Return the performance with more closed trades, oldest first."""
        sums = _Sums(self)
        for trade in trades:
            sums.add(trade.exit_time // DAY_MS, trade.net_pnl, trade.exit_time - trade.entry_time)
            sums.last_exit = trade.exit_time
        return self.model_copy(update=sums.__dict__)

    @property
    @exact()
    def total_pnl(self) -> Money:
        """Net profit of all closed trades, in quote."""
        return self.gross_win - self.gross_loss

    @exact()
    def report(self, *, until: int | None = None) -> dict[str, float | int | None]:
        """Return the figures of `trading_performance_metrics`; None where a figure has no meaning yet.

        Rates, returns, drawdown and exposure are fractions (0.25 is 25 %); expectancy and avg_trade are in quote.

        Args:
            until: when the time ends that the figures are of, milliseconds UTC; with the last exit if None.
        """
        closed, end = _Sums(self), self.last_exit if until is None else until
        closed.roll(max(self.today, (end - 1) // DAY_MS) + 1)
        average = float(self.total_pnl) / self.trades if self.trades else None
        elapsed = end - self.started
        return {
            "total_trades": self.trades,
            "win_rate": self.wins / self.trades if self.trades else None,
            "profit_factor": float(self.gross_win / self.gross_loss) if self.gross_loss else None,
            "sharpe_ratio": _annual_ratio(closed, _deviation(closed)),
            "sortino_ratio": _annual_ratio(closed, _downside_deviation(closed)),
            "max_drawdown": self.max_drawdown,
            "total_return": float(self.total_pnl / self.initial_equity) if self.initial_equity else None,
            "expectancy": average,
            "avg_trade": average,
            "exposure": min(1.0, self.held_ms / elapsed) if elapsed > 0 else None,
        }


class _Sums:
    """The sums of a performance while they change: a backtest adds thousands of trades at once."""

    def __init__(self, performance: Performance) -> None:
        self.equity = performance.equity
        self.peak = performance.peak
        self.trades = performance.trades
        self.wins = performance.wins
        self.gross_win = performance.gross_win
        self.gross_loss = performance.gross_loss
        self.max_drawdown = performance.max_drawdown
        self.held_ms = performance.held_ms
        self.last_exit = performance.last_exit
        self.today = performance.today
        self.today_pnl = performance.today_pnl
        self.days = performance.days
        self.sum_returns = performance.sum_returns
        self.sum_squares = performance.sum_squares
        self.sum_downside = performance.sum_downside

    def add(self, day: int, net_pnl: Money, held_ms: int) -> None:
        """Add a trade that was closed on a day."""
        self.roll(day)
        self.equity += net_pnl
        self.trades += 1
        self.held_ms += held_ms
        self.today_pnl += net_pnl
        if net_pnl > ZERO:
            self.wins += 1
            self.gross_win += net_pnl
            self.peak = max(self.peak, self.equity)
        else:
            self.gross_loss -= net_pnl
            if self.peak:
                self.max_drawdown = max(self.max_drawdown, float((self.peak - self.equity) / self.peak))

    def roll(self, day: int) -> None:
        """End the running day, and all before `day`."""
        if day <= self.today:
            return
        before = self.equity - self.today_pnl
        gained = float(self.today_pnl / before) if before else 0.0
        self.days += day - self.today
        self.today = day
        self.today_pnl = ZERO
        self.sum_returns += gained
        self.sum_squares += gained * gained
        self.sum_downside += min(gained, 0.0) ** 2


def _deviation(sums: _Sums) -> float:
    if sums.days < 2:
        return 0.0
    spread = sums.sum_squares - sums.sum_returns**2 / sums.days
    # Equal returns leave a residue of rounding here, which would make an absurd ratio.
    return math.sqrt(spread / (sums.days - 1)) if spread > _RESIDUE * sums.sum_squares else 0.0


def _downside_deviation(sums: _Sums) -> float:
    return math.sqrt(sums.sum_downside / sums.days) if sums.days else 0.0


def _annual_ratio(sums: _Sums, deviation: float) -> float | None:
    if sums.days < 2 or deviation <= 0:
        return None
    return sums.sum_returns / sums.days / deviation * math.sqrt(_DAYS_PER_YEAR)
