"""The bots themselves, and every configuration that they have had."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import EMPTY_OBJECT, NOW, ZERO, Base, Json, OfBot, one_of
from domain.journal import BotStatus


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
    journal_n: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    carried: Mapped[Json | None]
    started_at: Mapped[datetime | None]
    total_pnl: Mapped[Decimal] = mapped_column(server_default=ZERO)
    error_count: Mapped[int] = mapped_column(server_default=ZERO)
    last_error: Mapped[str | None]
    last_heartbeat: Mapped[datetime | None]
    worker: Mapped[str | None]
    current_balance: Mapped[Decimal | None]
    last_price: Mapped[Decimal | None]
    last_candle_at: Mapped[datetime | None]
    degraded: Mapped[str | None]
    description: Mapped[str | None]
    extra_metadata: Mapped[Json] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ConfigVersion(OfBot, Base):
    """A configuration that a bot has had. A trigger writes these; versions without one changed `desired_paused`."""

    __tablename__ = "config_versions"
    __table_args__ = (PrimaryKeyConstraint("bot_uid", "version"), Index(None, "bot_id"))

    version: Mapped[int]
    config: Mapped[Json]
    author: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class TradingHalt(Base):
    """While the row is there, no bot makes an entry. A trigger tells every worker of a change at once."""

    __tablename__ = "trading_halts"
    __table_args__ = (CheckConstraint("scope = 'fleet'::text", name="scope"),)

    scope: Mapped[str] = mapped_column(primary_key=True, server_default=text("'fleet'::text"))
    reason: Mapped[str]
    author: Mapped[str] = mapped_column(server_default=text("CURRENT_USER"))
    since: Mapped[datetime] = mapped_column(server_default=NOW)
