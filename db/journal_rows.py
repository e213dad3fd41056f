"""Entries of the journal as rows, and the statements that write rows so that writing them again changes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.dialects.postgresql import Insert, insert

from db.base import Base, table_of
from db.tables import (
    BotEvent,
    TradingFill,
    TradingOrder,
    TradingPerformanceMetrics,
    TradingPosition,
    TradingTrade,
)
from db.values import clean, from_ms
from domain.journal import EventEntry, FillEntry, JournalEntry, OrderEntry, PositionEntry, TradeEntry
from domain.positions import Position, Trade

Row: TypeAlias = dict[str, Any]
_RUNNING_PERIOD = "all"


@dataclass(frozen=True)
class Write:
    """Rows for one table, oldest first; the statement is executed for each of them, in one go."""

    statement: Insert
    rows: Sequence[Row]


def writes_of(entries: Iterable[JournalEntry], *, bot_id: str | None, bot_uid: str) -> list[Write]:
    """Return what the entries write besides the bot's own row, in the order of the tables' meaning.

    Args:
        bot_id: None when the bot's row is gone.
    """
    rows: dict[type[Base], list[Row]] = {table: [] for table in _STATEMENTS}
    for entry in entries:
        for table, row in _rows_of(entry):
            rows[table].append({"bot_id": bot_id, "bot_uid": bot_uid, "n": entry.n} | row)
    return [Write(statement, rows[table]) for table, statement in _STATEMENTS.items() if rows[table]]


def _rows_of(entry: JournalEntry) -> list[tuple[type[Base], Row]]:
    match entry.payload:
        case OrderEntry() as order:
            return [(TradingOrder, _order(order, entry.at))]
        case FillEntry() as fill:
            return [(TradingFill, _fill(fill))]
        case PositionEntry(position=position, closed_at=closed_at):
            return [(TradingPosition, _position(position, closed_at, entry.at))]
        case TradeEntry() as closed:
            return [(TradingTrade, _trade(closed, entry.at)), (TradingPerformanceMetrics, _metrics(closed, entry.at))]
        case EventEntry() as event:
            return [(BotEvent, _event(event, entry.at))]
        case _:
            return []


def _order(entry: OrderEntry, at: datetime) -> Row:
    intent = entry.intent
    return {
        "client_order_id": intent.client_order_id,
        "sequence": intent.sequence,
        "leg": intent.leg,
        "decision_key": intent.decision_key,
        "config_version": intent.config_version,
        "symbol": intent.symbol,
        "side": intent.side,
        "type": intent.type,
        "quantity": intent.quantity,
        "price": intent.price,
        "reference_price": intent.reference_price,
        "filled_quantity": entry.filled_quantity,
        "average_price": entry.average_price,
        "status": entry.status,
        "venue_order_id": entry.venue_order_id,
        "reason": clean(intent.reason),
        "status_reason": clean(entry.reason),
        "candle_time": from_ms(intent.candle_time),
        "created_at": from_ms(intent.decided_at),
        "updated_at": at,
    }


def _fill(entry: FillEntry) -> Row:
    fill = entry.fill
    return {
        "client_order_id": entry.client_order_id,
        "trade_id": fill.trade_id,
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee_currency": fill.fee_currency,
        "filled_at": from_ms(fill.at),
    }


def _position(position: Position, closed_at: int | None, at: datetime) -> Row:
    return {
        "id": position.id,
        "symbol": position.symbol,
        "direction": "long",
        "qty_open": position.qty_open,
        "cost": position.cost,
        "entries": position.entries,
        "realized_pnl": position.realized_pnl,
        "commission": position.commission,
        "exit_quantity": position.exit_quantity,
        "exit_value": position.exit_value,
        "released_cost": position.released_cost,
        "config_version": position.config_version,
        "signal_time": from_ms(position.signal_time),
        "signal_close": position.signal_close,
        "orders": list(position.orders),
        "opened_at": from_ms(position.opened_at),
        "closed_at": None if closed_at is None else from_ms(closed_at),
        "updated_at": at,
    }


def _trade(entry: TradeEntry, at: datetime) -> Row:
    trade: Trade = entry.trade
    return {
        "position_id": trade.position_id,
        "trade_type": entry.trade_type,
        "strategy": entry.strategy,
        "entry_logic_name": entry.entry_logic,
        "entry_logic_params": entry.entry_params,
        "exit_logic_name": entry.exit_logic,
        "exit_logic_params": entry.exit_params,
        "symbol": trade.symbol,
        "interval": entry.interval,
        "direction": "long",
        "entry_time": from_ms(trade.entry_time),
        "entry_price": trade.entry_price,
        "entry_value": trade.entry_value,
        "exit_time": from_ms(trade.exit_time),
        "exit_price": trade.exit_price,
        "exit_value": trade.exit_value,
        "size": trade.size,
        "commission": trade.commission,
        "gross_pnl": trade.gross_pnl,
        "net_pnl": trade.net_pnl,
        "pnl_percentage": trade.pnl_percentage,
        "exit_reason": clean(trade.exit_reason),
        "status": "closed",
        "orders": list(trade.orders),
        "updated_at": at,
        "plugins": entry.plugins,
    }


def _metrics(entry: TradeEntry, at: datetime) -> Row:
    return {
        "trade_type": entry.trade_type,
        "symbol": entry.trade.symbol,
        "interval": entry.interval,
        "period": _RUNNING_PERIOD,
        "metrics": entry.metrics,
        "calculated_at": at,
    }


def _event(entry: EventEntry, at: datetime) -> Row:
    return {
        "at": at,
        "type": entry.type,
        "severity": entry.severity,
        "message": clean(entry.message),
        "data": entry.data,
        "correlation_id": entry.correlation_id,
    }


def _once(table: type[Base]) -> Insert:
    return insert(table).on_conflict_do_nothing()


def _newer_wins(table: type[Base]) -> Insert:
    """Insert, or update if the entry is newer than the one that wrote the row. Whose row it is never changes."""
    statement = insert(table)
    columns = table_of(table).columns
    kept = {"bot_id", "bot_uid"} | {c.name for c in columns if c.primary_key or c.computed is not None}
    changed = {c.name: statement.excluded[c.name] for c in columns if c.name not in kept}
    return statement.on_conflict_do_update(
        index_elements=[c for c in columns if c.primary_key],
        set_=changed,
        where=statement.excluded.n > columns.n,
    )


_STATEMENTS: Mapping[type[Base], Insert] = {
    TradingOrder: _newer_wins(TradingOrder),
    TradingFill: _once(TradingFill),
    TradingPosition: _newer_wins(TradingPosition),
    TradingTrade: _newer_wins(TradingTrade),
    TradingPerformanceMetrics: _newer_wins(TradingPerformanceMetrics),
    BotEvent: _once(BotEvent),
}
