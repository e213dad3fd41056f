"""The books of bots: orders, fills, positions, round trips and figures.

There is no foreign key between a fill and its order, or a trade and its position: the journal writes them in order, but
a database that was restored from an older backup must still take a fill whose order it has forgotten. `n` is the
journal's stamp.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import BigInteger, Computed, Index, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, OfBot, one_of
from domain.orders import OrderStatus, OrderType, Side

TradeType = Literal["paper", "live", "backtest"]
TradeStatus = Literal["open", "closed"]
Direction = Literal["long"]


class TradingOrder(OfBot, Base):
    """An order intent as it stands. `reason` is why it was decided, `status_reason` why it stands so.

    `price` is a limit order's; `reference_price` is what the decision saw. `created_at` is the venue's time of the
    decision, `updated_at` the workflow's time of the last change.
    """

    __tablename__ = "trading_orders"
    __table_args__ = (
        one_of("side", Side),
        one_of("type", OrderType),
        one_of("status", OrderStatus),
        Index(None, "bot_id", "created_at"),
    )

    client_order_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int]
    leg: Mapped[int]
    decision_key: Mapped[str]
    config_version: Mapped[int]
    symbol: Mapped[str]
    side: Mapped[str]
    type: Mapped[str]
    quantity: Mapped[Decimal]
    price: Mapped[Decimal | None]
    reference_price: Mapped[Decimal]
    filled_quantity: Mapped[Decimal]
    average_price: Mapped[Decimal | None]
    status: Mapped[str]
    venue_order_id: Mapped[str | None]
    reason: Mapped[str]
    status_reason: Mapped[str | None]
    candle_time: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TradingFill(OfBot, Base):
    """A part of an order that was executed, under the venue's trade id. Never changes."""

    __tablename__ = "trading_fills"
    __table_args__ = (PrimaryKeyConstraint("client_order_id", "trade_id"), Index(None, "bot_id", "filled_at"))

    client_order_id: Mapped[str]
    trade_id: Mapped[str]
    n: Mapped[int] = mapped_column(BigInteger)
    price: Mapped[Decimal]
    quantity: Mapped[Decimal]
    fee: Mapped[Decimal]
    fee_currency: Mapped[str]
    filled_at: Mapped[datetime]


class TradingPosition(OfBot, Base):
    """A position as it stands; `id` is the client order id of its first entry."""

    __tablename__ = "trading_positions"
    __table_args__ = (one_of("direction", Direction), Index(None, "bot_id", "opened_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    symbol: Mapped[str]
    direction: Mapped[str]
    qty_open: Mapped[Decimal]
    cost: Mapped[Decimal]
    avg_price: Mapped[Decimal | None] = mapped_column(Computed("cost / NULLIF(qty_open, 0::numeric)", persisted=True))
    entries: Mapped[int]
    realized_pnl: Mapped[Decimal]
    commission: Mapped[Decimal]
    exit_quantity: Mapped[Decimal]
    exit_value: Mapped[Decimal]
    released_cost: Mapped[Decimal]
    config_version: Mapped[int]
    signal_time: Mapped[datetime]
    signal_close: Mapped[Decimal]
    orders: Mapped[list[str]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class TradingTrade(OfBot, Base):
    """A round trip. `size` in base; prices, values, commission and profits in quote; `pnl_percentage` in percent.

    `plugins` says which plugin was the `entry` and which the `exit`, with their versions; NULL: the catalogue was both.
    """

    __tablename__ = "trading_trades"
    __table_args__ = (
        one_of("trade_type", TradeType),
        one_of("direction", Direction),
        one_of("status", TradeStatus),
        Index(None, "bot_id", "exit_time"),
    )

    position_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    trade_type: Mapped[str]
    strategy: Mapped[str]
    entry_logic_name: Mapped[str]
    entry_logic_params: Mapped[Json]
    exit_logic_name: Mapped[str]
    exit_logic_params: Mapped[Json]
    symbol: Mapped[str]
    interval: Mapped[str]
    direction: Mapped[str]
    entry_time: Mapped[datetime]
    entry_price: Mapped[Decimal]
    entry_value: Mapped[Decimal]
    exit_time: Mapped[datetime | None]
    exit_price: Mapped[Decimal | None]
    exit_value: Mapped[Decimal | None]
    size: Mapped[Decimal]
    commission: Mapped[Decimal]
    gross_pnl: Mapped[Decimal]
    net_pnl: Mapped[Decimal]
    pnl_percentage: Mapped[Decimal]
    exit_reason: Mapped[str | None]
    status: Mapped[str]
    orders: Mapped[list[str]]
    updated_at: Mapped[datetime]
    plugins: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class TradingPerformanceMetrics(OfBot, Base):
    """Figures of a bot over a period; `all` is the running one, renewed with each closed trade."""

    __tablename__ = "trading_performance_metrics"
    __table_args__ = (
        PrimaryKeyConstraint("bot_uid", "trade_type", "symbol", "interval", "period"),
        one_of("trade_type", TradeType),
        Index(None, "bot_id"),
    )

    trade_type: Mapped[str]
    symbol: Mapped[str]
    interval: Mapped[str]
    period: Mapped[str]
    n: Mapped[int] = mapped_column(BigInteger)
    metrics: Mapped[Json]
    calculated_at: Mapped[datetime]
