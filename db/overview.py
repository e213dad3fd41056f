"""What a list of bots shows, in one query."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from db.base import table_of
from db.tables import BotEvent, BrokerCredentials, TradingBot, TradingHalt, TradingPosition
from domain.journal import BotStatus
from domain.model import Model, Money, Price, Quantity


class BotOverview(Model):
    """A bot at a glance. Money in quote.

    Attributes:
        balance: its equity as last seen; None before its first valid configuration, which gives it its cash.
        name, symbol, type: as the configuration says, None where it does not.
        in_force: the version that it trades by; None before it has had a valid one.
        position_quantity, position_price: of the open position, in base and at its average price; None when flat.
        last_event, last_event_at: the newest event of the journal.
        last_candle_at: open time of the newest candle that its watch has seen.
        degraded: what its watch cannot reach; None when all is well.
        halted: why a person has forbidden entries; None while they are allowed.
        refused: in which words the venue refuses the keys of its account; None while it does not.
    """

    bot_id: str
    name: str | None
    symbol: str | None
    type: str | None
    status: BotStatus
    enabled: bool
    paused: bool
    version: int
    in_force: int | None
    observed_version: int | None
    rejected_version: int | None
    price: Price | None
    position_quantity: Quantity | None
    position_price: Price | None
    total_pnl: Money
    balance: Money | None
    last_event: str | None
    last_event_at: datetime | None
    last_candle_at: datetime | None
    last_heartbeat: datetime | None
    worker: str | None
    started_at: datetime | None
    error_count: int
    last_error: str | None
    degraded: str | None
    halted: str | None
    refused: str | None

    @property
    def newest_refused(self) -> bool:
        """Whether the newest version of its configuration is refused; it runs on by the last valid one, if any."""
        return self.rejected_version == self.version


async def read_overview(connection: AsyncConnection, *, bot_id: str | None = None) -> list[BotOverview]:
    """Return all bots by id, or the one asked for."""
    bot = TradingBot
    position = (
        select(TradingPosition.qty_open, TradingPosition.avg_price)
        .where(TradingPosition.bot_id == bot.id, TradingPosition.closed_at.is_(None))
        .order_by(TradingPosition.opened_at.desc())
        .limit(1)
        .lateral("position")
    )
    event = (
        select(BotEvent.message, BotEvent.at)
        .where(BotEvent.bot_id == bot.id)
        .order_by(BotEvent.n.desc())
        .limit(1)
        .lateral("event")
    )
    columns: list[ColumnElement[Any]] = [
        *_own_columns(),
        position.c.qty_open.label("position_quantity"),
        position.c.avg_price.label("position_price"),
        event.c.message.label("last_event"),
        event.c.at.label("last_event_at"),
        select(TradingHalt.reason).scalar_subquery().label("halted"),
        _refusal().label("refused"),
    ]
    statement = select(*columns).select_from(bot).outerjoin(position, true()).outerjoin(event, true()).order_by(bot.id)
    if bot_id is not None:
        statement = statement.where(bot.id == bot_id)
    return [BotOverview.model_validate(row._asdict()) for row in await connection.execute(statement)]


def _refusal() -> ColumnElement[str | None]:
    bot, keys = TradingBot, BrokerCredentials
    named = bot.config["broker"]["credentials"].astext
    return select(keys.refusal).where(bot.type == "live", keys.name == named).scalar_subquery()


def _own_columns() -> list[ColumnElement[Any]]:
    bot = TradingBot
    # A life that began with a refused version has observed none; it trades by what the life before carried over.
    in_force = func.coalesce(bot.observed_version, func.nullif(bot.carried["version"].as_integer(), 0))
    own = table_of(bot).c
    return [
        bot.id.label("bot_id"),
        bot.desired_paused.label("paused"),
        bot.last_price.label("price"),
        in_force.label("in_force"),
        case((in_force.is_not(None), bot.current_balance)).label("balance"),
        *(own[name] for name in BotOverview.model_fields if name in own),
    ]
