"""The rows of bots: what activities read of them, and what people change in them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import server_message, sqlstate, transaction
from db.errors import BotExists, RowRefused, VersionConflict
from db.overview import BotOverview, read_overview
from db.tables import ConfigVersion, TradingBot
from db.values import clean
from domain.errors import UnknownBot
from domain.model import Model
from domain.state import BotRow

_UNIQUE_VIOLATION = "23505"
_COLUMNS = (
    TradingBot.id.label("bot_id"),
    TradingBot.uid,
    TradingBot.owner_id,
    TradingBot.version,
    TradingBot.enabled,
    TradingBot.desired_paused,
    TradingBot.config,
    TradingBot.status,
    TradingBot.observed_version,
    TradingBot.rejected_version,
    TradingBot.last_error,
    TradingBot.carried,
)


class ConfigRecord(Model):
    """A configuration that a bot has had, from this version on."""

    version: int
    config: dict[str, Any]
    author: str
    created_at: datetime


class BotRepository:
    """`trading_bots`, in PostgreSQL. Every method raises StoreUnavailable while the database cannot be reached."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, bot_id: str) -> BotRow:
        """Return a row.

        Raises:
            UnknownBot: there is none.
        """
        async with transaction(self._engine) as connection:
            found = await connection.execute(select(*_COLUMNS).where(TradingBot.id == bot_id))
            row = found.mappings().one_or_none()
        if row is None:
            raise _unknown(bot_id)
        return _bot_row(row)

    async def all_enabled(self) -> Sequence[BotRow]:
        """Return all rows whose bots should run, by id."""
        async with transaction(self._engine) as connection:
            statement = select(*_COLUMNS).where(TradingBot.enabled).order_by(TradingBot.id)
            return [_bot_row(row) for row in (await connection.execute(statement)).mappings()]

    async def live(self) -> Sequence[BotRow]:
        """Return all rows whose bots trade with real money, or whose books are of such, running or not; by id."""
        bot = TradingBot
        booked = bot.carried["config"]["broker"]["trading_mode"].astext == "live"
        statement = select(*_COLUMNS).where(or_(bot.type == "live", booked)).order_by(bot.id)
        async with transaction(self._engine) as connection:
            return [_bot_row(row) for row in (await connection.execute(statement)).mappings()]

    async def sharing(self, credentials: str) -> Sequence[BotRow]:
        """Return the enabled live bots that trade by these keys, oldest first."""
        bot = TradingBot
        named = bot.config["broker"]["credentials"].astext == credentials
        statement = select(*_COLUMNS).where(bot.enabled, bot.type == "live", named).order_by(bot.created_at, bot.id)
        async with transaction(self._engine) as connection:
            return [_bot_row(row) for row in (await connection.execute(statement)).mappings()]

    async def refuse(self, bot_id: str, version: int, problem: str) -> None:
        """Mark a version as rejected, with the reason; a bot that never had a valid version is in `error`.

        Nothing happens when the row has moved on to another version, or is gone.
        """
        bot = TradingBot
        values = {
            "rejected_version": version,
            "last_error": clean(problem),
            "status": case((bot.observed_version.is_(None), "error"), else_=bot.status),
            "updated_at": func.now(),
        }
        async with transaction(self._engine) as connection:
            await connection.execute(update(bot).where(bot.id == bot_id, bot.version == version).values(values))

    async def create(
        self,
        bot_id: str,
        config: Mapping[str, Any],
        *,
        owner: str = "local",
        author: str | None = None,
        description: str | None = None,
    ) -> BotRow:
        """Make a bot; it is enabled or not as `config` says.

        Args:
            author: who made it, for the history of its configurations; the database user if None.

        Raises:
            BotExists: there is a bot of that id.
            RowRefused: the id is no slug, or not that of `config`, or `config.enabled` is neither true nor false.
        """
        values = {"id": bot_id, "config": dict(config), "owner_id": owner, "description": clean(description)}
        with _refusals(bot_id):
            async with transaction(self._engine, author=author) as connection:
                made = await connection.execute(insert(TradingBot).values(values).returning(*_COLUMNS))
                return _bot_row(made.mappings().one())

    async def update_config(
        self, bot_id: str, config: Mapping[str, Any], *, author: str | None = None, expected_version: int | None = None
    ) -> int:
        """Replace the configuration; return the version, a new one if that changed anything.

        Raises:
            UnknownBot: there is no such bot.
            VersionConflict: the row is not at `expected_version`.
            RowRefused: as for `create`.
        """
        return await self._change(bot_id, {"config": dict(config)}, author, expected_version)

    async def set_enabled(self, bot_id: str, enabled: bool, *, author: str | None = None) -> int:
        """Have the bot run or not; return the version.

        Raises:
            UnknownBot: there is no such bot.
        """
        return await self._change(bot_id, {"enabled": enabled}, author)

    async def set_paused(self, bot_id: str, paused: bool, *, author: str | None = None) -> int:
        """Forbid the bot new entries or allow them again; return the version.

        Raises:
            UnknownBot: there is no such bot.
        """
        return await self._change(bot_id, {"desired_paused": paused}, author)

    async def delete(self, bot_id: str) -> None:
        """Delete the row. The bot's books stay, under its uid.

        Raises:
            UnknownBot: there is no such bot.
        """
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(TradingBot).where(TradingBot.id == bot_id).returning(TradingBot.id))
            if gone.one_or_none() is None:
                raise _unknown(bot_id)

    async def list_overview(self) -> Sequence[BotOverview]:
        """Return all bots at a glance, by id."""
        async with transaction(self._engine) as connection:
            return await read_overview(connection)

    async def overview(self, bot_id: str) -> BotOverview:
        """Return one bot at a glance.

        Raises:
            UnknownBot: there is no such bot.
        """
        async with transaction(self._engine) as connection:
            found = await read_overview(connection, bot_id=bot_id)
        if not found:
            raise _unknown(bot_id)
        return found[0]

    async def versions(self, bot_id: str) -> Sequence[ConfigRecord]:
        """Return every configuration that the bot has had, newest first; versions that only paused it have none.

        Raises:
            UnknownBot: there is no such bot.
        """
        version = ConfigVersion
        columns = (version.version, version.config, version.author, version.created_at)
        statement = select(*columns).where(version.bot_id == bot_id).order_by(version.version.desc())
        async with transaction(self._engine) as connection:
            records = [ConfigRecord(**row) for row in (await connection.execute(statement)).mappings()]
        if not records:
            raise _unknown(bot_id)
        return records

    async def _change(
        self, bot_id: str, values: Mapping[str, Any], author: str | None, expected_version: int | None = None
    ) -> int:
        bot = TradingBot
        with _refusals(bot_id):
            async with transaction(self._engine, author=author) as connection:
                # Locked first, so that the version which is judged is the one that is changed.
                locked = select(bot.version).where(bot.id == bot_id).with_for_update(key_share=True)
                found = (await connection.execute(locked)).scalar_one_or_none()
                if found is None:
                    raise _unknown(bot_id)
                if expected_version not in (None, found):
                    raise VersionConflict(f"bot {bot_id} is at version {found}; expected version {expected_version}")
                changed = update(bot).where(bot.id == bot_id).values(values).returning(bot.version)
                return (await connection.execute(changed)).scalar_one()


@contextmanager
def _refusals(bot_id: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if sqlstate(error) == _UNIQUE_VIOLATION:
            raise BotExists(f"there is a bot {bot_id} already; choose another id or edit that bot") from error
        raise RowRefused(f"bot {bot_id} was refused: {server_message(error)}") from error


def _bot_row(row: RowMapping) -> BotRow:
    return BotRow.model_validate({**row, "uid": str(row["uid"])})


def _unknown(bot_id: str) -> UnknownBot:
    return UnknownBot(f"there is no bot {bot_id}")
