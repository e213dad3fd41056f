"""Keeps the trades of backtests beside those that bots have made, under a type of their own."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.journal_rows import Write, writes_of
from db.tables import TradingPerformanceMetrics, TradingTrade
from domain.journal import JournalEntry
from domain.state import BotRow

_BACKTEST = "backtest"


class BacktestRepository:
    """The rows of `trading_trades` and `trading_performance_metrics` that are of type `backtest`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def replace(self, bot: BotRow, symbol: str, interval: str, trades: Iterable[JournalEntry]) -> None:
        """Store the trades of a backtest, in the place of an earlier one of this bot, symbol and interval.

        The figures stored are those of the last entry; there are none without trades.

        Args:
            trades: entries with a `TradeEntry` of type `backtest` each.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        writes = writes_of(trades, bot_id=bot.bot_id, bot_uid=bot.uid)
        async with transaction(self._engine) as connection:
            for table in (TradingTrade, TradingPerformanceMetrics):
                earlier = (
                    table.bot_uid == UUID(bot.uid),
                    table.trade_type == _BACKTEST,
                    table.symbol == symbol,
                    table.interval == interval,
                )
                await connection.execute(delete(table).where(*earlier))
            for write in writes:
                await connection.execute(write.statement, _rows(write))


def _rows(write: Write) -> list[dict[str, object]]:
    """Return the rows to write: of the running figures, each would replace the one before."""
    is_figures = write.statement.table.name == TradingPerformanceMetrics.__tablename__
    return list(write.rows[-1:] if is_figures else write.rows)
