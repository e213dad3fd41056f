"""Reading a bot's books: the newest first, as the command line and the demo show them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    RowMapping,
    Select,
    Text,
    Uuid,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.tables import BotEvent, TradeType, TradingBot, TradingFill, TradingOrder, TradingTrade
from domain.account_sides import RESTING, JournaledOrder, Standing
from domain.journal import Severity
from domain.model import ZERO, Model, Money, Price, Quantity
from domain.orders import OrderStatus, OrderType, Side

_ModelT = TypeVar("_ModelT", bound=Model)
_LIMIT = 50


class OrderRecord(Model):
    """An order intent as it stands. `reason` is why it was decided, `status_reason` why it stands so."""

    client_order_id: str
    sequence: int
    leg: int
    decision_key: str
    config_version: int
    symbol: str
    side: Side
    type: OrderType
    quantity: Quantity
    price: Price | None
    reference_price: Price
    filled_quantity: Quantity
    average_price: Price | None
    status: OrderStatus
    venue_order_id: str | None
    reason: str
    status_reason: str | None
    candle_time: datetime
    created_at: datetime
    updated_at: datetime


class FillRecord(Model):
    """A part of an order that was executed."""

    client_order_id: str
    trade_id: str
    price: Price
    quantity: Quantity
    fee: Quantity
    fee_currency: str
    filled_at: datetime


class TradeRecord(Model):
    """A round trip. `size` in base; prices, values, commission and profits in quote; `pnl_percentage` in percent.

    `plugins` says which plugin was the `entry` and which the `exit`, with their versions; None: none was.
    """

    position_id: str
    trade_type: TradeType
    strategy: str
    entry_logic_name: str
    exit_logic_name: str
    symbol: str
    interval: str
    entry_time: datetime
    entry_price: Price
    entry_value: Money
    exit_time: datetime | None
    exit_price: Price | None
    exit_value: Money | None
    size: Quantity
    commission: Money
    gross_pnl: Money
    net_pnl: Money
    pnl_percentage: Decimal
    exit_reason: str | None
    orders: tuple[str, ...]
    plugins: dict[str, str] | None = None


class EventRecord(Model):
    """Something that happened."""

    n: int
    at: datetime
    type: str
    severity: Severity
    message: str
    data: dict[str, Any]
    correlation_id: str | None


class BotSummary(Model):
    """What a bot has done so far. Money in quote.

    Attributes:
        wins: trades with a net profit.
    """

    bot_id: str
    name: str | None
    orders: int = 0
    filled_orders: int = 0
    trades: int = 0
    wins: int = 0
    commission: Money = ZERO
    net_pnl: Money = ZERO


class Reads:
    """Read models of the books. Every method raises StoreUnavailable while the database cannot be reached.

    A bot that does not exist has no orders, fills, trades or events.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def orders(self, bot_id: str, *, limit: int = _LIMIT) -> Sequence[OrderRecord]:
        """Return the newest orders."""
        table = TradingOrder
        newest = (table.created_at.desc(), table.sequence.desc(), table.leg.desc())
        return await self._records(OrderRecord, select(table).where(table.bot_id == bot_id).order_by(*newest), limit)

    async def fills(self, bot_id: str, *, limit: int = _LIMIT) -> Sequence[FillRecord]:
        """Return the newest fills."""
        table = TradingFill
        newest = (table.filled_at.desc(), table.n.desc())
        return await self._records(FillRecord, select(table).where(table.bot_id == bot_id).order_by(*newest), limit)

    async def trades(self, bot_id: str, *, limit: int = _LIMIT) -> Sequence[TradeRecord]:
        """Return the trades that were closed last; those of backtests are none of the bot's."""
        table = TradingTrade
        newest = (table.exit_time.desc(), table.n.desc())
        made = select(table).where(table.bot_id == bot_id, table.trade_type != "backtest")
        return await self._records(TradeRecord, made.order_by(*newest), limit)

    async def events(self, bot_id: str, *, limit: int = _LIMIT) -> Sequence[EventRecord]:
        """Return the newest events."""
        table = BotEvent
        statement = select(table).where(table.bot_id == bot_id).order_by(table.n.desc())
        return await self._records(EventRecord, statement, limit)

    async def standings(self, *, ids: Collection[str], uids: Collection[str]) -> Sequence[JournaledOrder]:
        """Return how orders stand: those of these ids, whosever they are, and what bots believe to rest.

        Args:
            uids: of the bots.
        """
        order, fill = TradingOrder, TradingFill
        fills = select(fill.trade_id).where(fill.client_order_id == order.client_order_id).order_by(fill.n)
        columns = (
            *(order.client_order_id, order.symbol, order.side, order.quantity, order.status, order.filled_quantity),
            func.array(fills.scalar_subquery(), type_=ARRAY(Text())).label("fills"),
        )
        named = order.client_order_id == any_(literal([*ids], ARRAY(Text())))
        theirs = order.bot_uid == any_(literal([*map(UUID, uids)], ARRAY(Uuid())))
        statement = select(*columns).where(named | (theirs & order.status.in_(RESTING)))
        async with transaction(self._engine) as connection:
            return [_journaled(row) for row in (await connection.execute(statement)).mappings()]

    async def summary(self) -> Sequence[BotSummary]:
        """Return what each bot has done so far, by id."""
        orders, trades = _order_counts(), _trade_sums()
        columns: list[ColumnElement[Any]] = [TradingBot.id.label("bot_id"), TradingBot.name.label("name")]
        columns += [func.coalesce(c, 0).label(c.name) for c in (*orders.c, *trades.c) if c.name != "bot_id"]
        statement = (
            select(*columns)
            .select_from(TradingBot)
            .outerjoin(orders, orders.c.bot_id == TradingBot.id)
            .outerjoin(trades, trades.c.bot_id == TradingBot.id)
            .order_by(TradingBot.id)
        )
        async with transaction(self._engine) as connection:
            return [BotSummary.model_validate(row._asdict()) for row in await connection.execute(statement)]

    async def _records(self, model: type[_ModelT], statement: Select[Any], limit: int) -> list[_ModelT]:
        async with transaction(self._engine) as connection:
            rows = await connection.execute(statement.limit(limit))
            return [model.model_validate(row._asdict()) for row in rows]


def _journaled(row: RowMapping) -> JournaledOrder:
    standing = Standing(status=row["status"], filled=row["filled_quantity"], fills=row["fills"])
    return JournaledOrder.model_validate({**row, "standing": standing})


def _order_counts() -> CTE:
    order = TradingOrder
    return (
        select(
            order.bot_id,
            func.count().label("orders"),
            func.count().filter(order.status == "filled").label("filled_orders"),
        )
        .group_by(order.bot_id)
        .cte("orders")
    )


def _trade_sums() -> CTE:
    trade = TradingTrade
    return (
        select(
            trade.bot_id,
            func.count().label("trades"),
            func.count().filter(trade.net_pnl > 0).label("wins"),
            func.sum(trade.commission).label("commission"),
            func.sum(trade.net_pnl).label("net_pnl"),
        )
        .where(trade.trade_type != "backtest")
        .group_by(trade.bot_id)
        .cte("trades")
    )
