"""A backtest as JSON, as tables for people, and as entries of the journal."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from backtest.books import ClosedTrade
from backtest.history import Gap, gaps
from backtest.result import Result
from cli.bots.tables import number, price, signed
from domain.journal import JournalEntry, TradeEntry
from domain.positions import Trade

_NEWEST, _SHOWN_GAPS = 10, 3


def as_document(result: Result, rules: str) -> dict[str, Any]:
    """Return a backtest for programs: money as text, times in ISO 8601."""
    held = result.open
    return {
        "metrics": result.metrics(),
        "trades": [_trade_document(trade) for trade in result.trades],
        "open_position": held
        and {
            "entry_time": _moment(held.entry_time),
            "entry_price": held.entry_price,
            "size": held.size,
            "commission": held.commission,
            "price": held.price,
            "unrealized_pnl": held.unrealized_pnl,
        },
        "period": {
            "from": _moment(result.started),
            "to": _moment(result.ended),
            "interval": result.history.interval,
            "candles": len(result.history.candles) - result.history.begin,
            "missing_candles": sum(gap.missing for gap in gaps(result.history)),
            "refused_entries": len(result.refused),
        },
        "market": {
            "symbol": result.instrument.symbol,
            "lot": result.instrument.lot_step,
            "tick": result.instrument.tick_size,
            "min_notional": result.instrument.min_notional,
            "rules": rules,
        },
    }


def figures_table(result: Result) -> Table:
    """Return the figures of a backtest for people."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in figures(result):
        table.add_row(name, value)
    return table


def figures(result: Result) -> list[tuple[str, str]]:
    """Return the figures of a backtest in words, in the order in which people ask for them."""
    found, quote = result.metrics(), result.instrument.quote
    return [
        ("trades", f"{found['total_trades']}"),
        ("total return", _percent(found["total_return"])),
        ("net profit", f"{result.performance().total_pnl:+,.2f} {quote}"),
        ("equity at the end", f"{result.equity():,.2f} {quote}"),
        ("win rate", _percent(found["win_rate"])),
        ("profit factor", _ratio(found["profit_factor"])),
        ("average trade", "–" if found["avg_trade"] is None else f"{found['avg_trade']:+,.4f} {quote}"),
        ("max drawdown", _percent(found["max_drawdown"])),
        ("Sharpe ratio", _ratio(found["sharpe_ratio"])),
        ("Sortino ratio", _ratio(found["sortino_ratio"])),
        ("exposure", _percent(found["exposure"])),
    ]


def newest_trades(result: Result) -> Table:
    """Return the last trades of a backtest."""
    table = Table(box=box.SIMPLE, title=f"the last of {len(result.trades)} trades", title_style="dim")
    for name in ("entry", "exit", "size", "bought at", "sold at", "fees", "net P&L"):
        table.add_column(name, justify="left" if name in ("entry", "exit") else "right", no_wrap=True)
    table.add_column("exit reason")
    for trade in result.trades[-_NEWEST:]:
        table.add_row(
            f"{_moment(trade.entry_time):%Y-%m-%d %H:%M}",
            f"{_moment(trade.exit_time):%Y-%m-%d %H:%M}",
            number(trade.size),
            price(trade.entry_price),
            price(trade.exit_price),
            number(trade.commission, places=4),
            signed(trade.net_pnl),
            Text(trade.exit_reason),
        )
    return table


def remarks(result: Result, rules: str) -> list[str]:
    """Return what a person should know of how the figures came about."""
    market, history = result.instrument, result.history
    begun, ended = f"{_moment(result.started):%Y-%m-%d %H:%M}", f"{_moment(result.ended):%Y-%m-%d %H:%M}"
    lived = f"{len(history.candles) - history.begin} candles, {history.begin} before them to warm up"
    steps = f"lot {market.lot_step.normalize():f}, tick {market.tick_size.normalize():f}"
    least = f"least notional {market.min_notional.normalize():f} {market.quote}"
    told = [
        f"{market.symbol} {history.interval}, {begun} to {ended} UTC: {lived}",
        f"{steps}, {least} ({rules})",
    ]
    if result.refused:
        first = result.refused[0]
        when = f"{_moment(first.time):%Y-%m-%d %H:%M}"
        told.append(f"{len(result.refused)} entry signals were refused; the first, {when}: {first.reason}")
    if held := result.open:
        told.append(
            f"open since {_moment(held.entry_time):%Y-%m-%d %H:%M}: {held.size.normalize():f} {market.base} at "
            f"{held.entry_price:.8g}, {held.unrealized_pnl:+.4f} at the last close; the figures leave it out"
        )
    return told + _gap_remarks(list(gaps(history)))


def as_entries(result: Result) -> Sequence[JournalEntry]:
    """Return a backtest as journal entries, one for each trade; the last carries the figures of the whole."""
    stamp, at = time.time_ns() // 1000, datetime.now(UTC)
    (entry, exit_), figures_ = result.config.strategy.logics, result.metrics()
    return [
        JournalEntry(
            n=stamp + number_,
            at=at,
            payload=TradeEntry(
                trade=_journaled(trade, result, f"backtest-{result.config.id}-{stamp}-{number_}"),
                trade_type="backtest",
                interval=result.history.interval,
                strategy=result.config.strategy.type,
                entry_logic=entry.name,
                entry_params=entry.params,
                exit_logic=exit_.name,
                exit_params=exit_.params,
                metrics=figures_,
            ),
        )
        for number_, trade in enumerate(result.trades)
    ]


def _journaled(trade: ClosedTrade, result: Result, position_id: str) -> Trade:
    return Trade(
        position_id=position_id,
        symbol=result.instrument.symbol,
        entry_time=trade.entry_time,
        exit_time=trade.exit_time,
        entry_price=trade.entry_price,
        entry_value=trade.entry_value,
        exit_price=trade.exit_price,
        exit_value=trade.exit_value,
        size=trade.size,
        commission=trade.commission,
        gross_pnl=trade.gross_pnl,
        net_pnl=trade.net_pnl,
        exit_reason=trade.exit_reason,
        orders=(),
    )


def _trade_document(trade: ClosedTrade) -> dict[str, Any]:
    return {
        "entry_time": _moment(trade.entry_time),
        "entry_price": trade.entry_price,
        "size": trade.size,
        "exit_time": _moment(trade.exit_time),
        "exit_price": trade.exit_price,
        "commission": trade.commission,
        "gross_pnl": trade.gross_pnl,
        "net_pnl": trade.net_pnl,
        "exit_reason": trade.exit_reason,
    }


def _gap_remarks(found: list[Gap]) -> list[str]:
    if not found:
        return []
    shown = ", ".join(f"{gap.missing} after {_moment(gap.after):%Y-%m-%d %H:%M}" for gap in found[:_SHOWN_GAPS])
    more = f" and {len(found) - _SHOWN_GAPS} more gaps" if len(found) > _SHOWN_GAPS else ""
    return [f"{sum(gap.missing for gap in found)} candles are missing, and not filled in: {shown}{more}"]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.2f} %"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
