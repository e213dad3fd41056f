"""The tables. The migrations make them; a test proves that both agree, down to the last constraint.

The books of a bot outlive its row: `bot_id` becomes NULL when the row is deleted, `bot_uid` stays. There is no foreign
key between a fill and its order, or a trade and its position: the journal writes them in order, but a database that
was restored from an older backup must still take a fill whose order it has forgotten. `n` is the journal's stamp.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, OfBot, one_of
from domain.journal import BotStatus, Severity
from domain.orders import OrderStatus, OrderType, Side

TradeType = Literal["paper", "live", "backtest"]
TradeStatus = Literal["open", "closed"]
NotificationState = Literal["pending", "delivered", "failed"]
Direction = Literal["long"]

metadata = Base.metadata

_NOW = text("now()")
_ZERO = text("0")
_EMPTY_OBJECT = text("'{}'::jsonb")


class TradingBot(Base):
    """A bot: what is wanted of it, and what was last seen of it.

    Triggers keep `version`, `config_versions` and the pairs `id` and `enabled` of column and `config`; see the
    migrations. Columns from `last_heartbeat` to `degraded` are written in batches while a bot is watched. Pages are
    filled less than half, and long values kept out of line, so that all rows of a page can be written anew within it,
    which touches no index.
    """

    __tablename__ = "trading_bots"
    __table_args__ = (
        CheckConstraint("id ~ '^[a-z0-9_-]{1,64}$'", name="id"),
        CheckConstraint("jsonb_typeof(config) = 'object'", name="config"),
        CheckConstraint("version >= 1", name="version"),
        one_of("status", BotStatus),
        UniqueConstraint("uid"),
        Index(None, "owner_id"),
        {"postgresql_with": {"fillfactor": 45, "toast_tuple_target": 256}},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    uid: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    owner_id: Mapped[str] = mapped_column(server_default=text("'local'::text"))
    config: Mapped[Json]
    name: Mapped[str | None] = mapped_column(Computed("config ->> 'name'::text", persisted=True))
    symbol: Mapped[str | None] = mapped_column(Computed("config ->> 'symbol'::text", persisted=True))
    type: Mapped[str | None] = mapped_column(
        # An unknown mode is the configuration's problem, to be shown with the others: it must not refuse the row.
        Computed(
            "CASE (config -> 'broker'::text) ->> 'trading_mode'::text WHEN 'paper'::text THEN 'paper'::text "
            "WHEN 'live'::text THEN 'live'::text ELSE NULL::text END",
            persisted=True,
        )
    )
    enabled: Mapped[bool]
    desired_paused: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    status: Mapped[str] = mapped_column(server_default=text("'stopped'::text"))
    observed_version: Mapped[int | None]
    rejected_version: Mapped[int | None]
    journal_n: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    carried: Mapped[Json | None]
    started_at: Mapped[datetime | None]
    total_pnl: Mapped[Decimal] = mapped_column(server_default=_ZERO)
    error_count: Mapped[int] = mapped_column(server_default=_ZERO)
    last_error: Mapped[str | None]
    last_heartbeat: Mapped[datetime | None]
    worker: Mapped[str | None]
    current_balance: Mapped[Decimal | None]
    last_price: Mapped[Decimal | None]
    last_candle_at: Mapped[datetime | None]
    degraded: Mapped[str | None]
    description: Mapped[str | None]
    extra_metadata: Mapped[Json] = mapped_column(server_default=_EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class ConfigVersion(OfBot, Base):
    """A configuration that a bot has had. A trigger writes these; versions without one changed `desired_paused`."""

    __tablename__ = "config_versions"
    __table_args__ = (PrimaryKeyConstraint("bot_uid", "version"), Index(None, "bot_id"))

    version: Mapped[int]
    config: Mapped[Json]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)


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
    """A round trip. `size` in base; prices, values, commission and profits in quote; `pnl_percentage` in percent."""

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


class BotEvent(OfBot, Base):
    """Something that happened to a bot, for people."""

    __tablename__ = "bot_events"
    __table_args__ = (PrimaryKeyConstraint("bot_uid", "n"), one_of("severity", Severity), Index(None, "bot_id", "n"))

    n: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    type: Mapped[str]
    severity: Mapped[str]
    message: Mapped[str]
    data: Mapped[Json]
    correlation_id: Mapped[str | None]


class Notification(OfBot, Base):
    """A message to people by one channel, and what became of it. `payload` is the whole message."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("bot_uid", "n", "channel"),
        one_of("severity", Severity),
        one_of("state", NotificationState),
        Index(None, "bot_id", "n"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    owner_id: Mapped[str]
    n: Mapped[int] = mapped_column(BigInteger)
    channel: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    title: Mapped[str]
    payload: Mapped[Json]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=_ZERO)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class BrokerCredentials(Base):
    """Keys of an account at a venue, encrypted outside of the database: nothing here opens them.

    `key_id` names the key of ours that they are encrypted under, `api_key_hint` is for people to tell keys apart,
    `rotated_at` is when the secret was last replaced, NULL if never. `refused_since` and `refusal` say that the venue
    refuses them, `refused_orders` that it does so to orders, whatever it says to reads.
    """

    __tablename__ = "broker_credentials"
    __table_args__ = (CheckConstraint("name ~ '^[a-z0-9_-]{1,64}$'", name="name"), Index(None, "owner_id"))

    name: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(server_default=text("'local'::text"))
    venue: Mapped[str]
    api_key_hint: Mapped[str]
    key_id: Mapped[str]
    ciphertext: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    rotated_at: Mapped[datetime | None]
    refused_since: Mapped[datetime | None]
    refusal: Mapped[str | None]
    refused_orders: Mapped[bool] = mapped_column(server_default=text("false"))


class TradingHalt(Base):
    """While the row is there, no bot makes an entry. A trigger tells every worker of a change at once."""

    __tablename__ = "trading_halts"
    __table_args__ = (CheckConstraint("scope = 'fleet'::text", name="scope"),)

    scope: Mapped[str] = mapped_column(primary_key=True, server_default=text("'fleet'::text"))
    reason: Mapped[str]
    author: Mapped[str] = mapped_column(server_default=text("CURRENT_USER"))
    since: Mapped[datetime] = mapped_column(server_default=_NOW)
