"""Running performance of a bot, folded trade by trade, so that no metric needs the whole list of trades. Pure.

Ratios of the daily series use the realised profit of each UTC day divided by the equity before it, days without a
trade included, sample deviations and 365 days a year. Source: W. F. Sharpe, The Sharpe Ratio (1994);
F. Sortino, R. van der Meer, Downside Risk (1991).
"""

import math

from domain.intervals import DAY_MS
from domain.model import ZERO, Milliseconds, Model, Money, exact
from domain.positions import Trade

_DAYS_PER_YEAR = 365
_RESIDUE = 1e-12


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

    @exact()
    def after(self, trade: Trade) -> "Performance":
        """Return the performance with one more closed trade."""
        rolled = self._on_day(trade.exit_time // DAY_MS)
        equity = self.equity + trade.net_pnl
        peak = max(self.peak, equity)
        win = trade.net_pnl > ZERO
        return rolled.model_copy(
            update={
                "equity": equity,
                "peak": peak,
                "trades": self.trades + 1,
                "wins": self.wins + win,
                "gross_win": self.gross_win + (trade.net_pnl if win else ZERO),
                "gross_loss": self.gross_loss + (ZERO if win else -trade.net_pnl),
                "max_drawdown": max(self.max_drawdown, float((peak - equity) / peak) if peak else 0.0),
                "held_ms": self.held_ms + trade.exit_time - trade.entry_time,
                "last_exit": trade.exit_time,
                "today_pnl": rolled.today_pnl + trade.net_pnl,
            }
        )

    @property
    @exact()
    def total_pnl(self) -> Money:
        """Net profit of all closed trades, in quote."""
        return self.gross_win - self.gross_loss

    def report(self) -> dict[str, float | int | None]:
        """Return the figures of `trading_performance_metrics`; None where a figure has no meaning yet.

        Rates, returns, drawdown and exposure are fractions (0.25 is 25 %); expectancy and avg_trade are in quote.
        """
        closed = self._on_day(self.today + 1)
        average = float(self.total_pnl) / self.trades if self.trades else None
        elapsed = self.last_exit - self.started
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

    def _on_day(self, day: int) -> "Performance":
        if day <= self.today:
            return self
        before = self.equity - self.today_pnl
        gained = float(self.today_pnl / before) if before else 0.0
        return self.model_copy(
            update={
                "today": day,
                "today_pnl": ZERO,
                "days": self.days + day - self.today,
                "sum_returns": self.sum_returns + gained,
                "sum_squares": self.sum_squares + gained * gained,
                "sum_downside": self.sum_downside + min(gained, 0.0) ** 2,
            }
        )


def _deviation(sums: Performance) -> float:
    if sums.days < 2:
        return 0.0
    spread = sums.sum_squares - sums.sum_returns**2 / sums.days
    # Equal returns leave a residue of rounding here, which would make an absurd ratio.
    return math.sqrt(spread / (sums.days - 1)) if spread > _RESIDUE * sums.sum_squares else 0.0


def _downside_deviation(sums: Performance) -> float:
    return math.sqrt(sums.sum_downside / sums.days) if sums.days else 0.0


def _annual_ratio(sums: Performance, deviation: float) -> float | None:
    if sums.days < 2 or deviation <= 0:
        return None
    return sums.sum_returns / sums.days / deviation * math.sqrt(_DAYS_PER_YEAR)
