"""Writes the journal of bots: whole batches, each in one transaction, each as often as the sender likes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import transaction
from db.health import StoreHealth
from db.journal_rows import writes_of
from db.tables import TradingBot, TradingOrder
from db.values import clean
from domain.journal import BotEntry, DesiredEntry, ForgottenEntry, JournalBatch, JournalEntry, JournalReceipt

_TRADING = ("running", "paused")
_NOT_YET_TRADING = ("stopped", "starting")
_UNDER_WAY = ("pending", "open", "partially_filled")
_FORGOTTEN = "never sent: the bot's history went back to before it"


class JournalRepository:
    """The journal, in PostgreSQL."""

    def __init__(self, engine: AsyncEngine, health: StoreHealth | None = None) -> None:
        """Write by an engine.

        Args:
            health: told whether the database takes what is written; one of its own if None.
        """
        self._engine = engine
        self._health = health or StoreHealth(engine)

    async def write(self, batch: JournalBatch) -> JournalReceipt:
        """Write a batch in one transaction; writing it again, or a part of it, changes nothing.

        The books of a deleted bot, or of one that was deleted and made anew, are written all the same, under its uid.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        with self._health.writing():
            return await self._write(batch)

    async def _write(self, batch: JournalBatch) -> JournalReceipt:
        async with transaction(self._engine) as connection:
            row = await _locked(connection, batch)
            bot_id = batch.bot_id if row else None
            for write in writes_of(batch.entries, bot_id=bot_id, bot_uid=batch.uid):
                await connection.execute(write.statement, write.rows)
            for entry in batch.entries:
                if isinstance(entry.payload, ForgottenEntry):
                    await _end_forgotten(connection, batch.uid, entry, entry.payload.kept)
            if row is None:
                return JournalReceipt(orphaned=True)
            row = await _write_row(connection, row, batch.entries)
            # Asked of the row, not of what was done just now, so that a repetition gets the same answer. Only the bot
            # itself and its own commands ever move observed_version to the current one.
            return JournalReceipt(version=row.version, overtaken=not row.observed)


@dataclass(frozen=True)
class _BotRow:
    """What the entries of a batch make of the bot's own row."""

    bot_id: str
    version: int
    observed_version: int | None
    rejected_version: int | None
    journal_n: int
    status: str
    started_at: datetime | None
    current_balance: Decimal | None
    total_pnl: Decimal
    error_count: int
    last_error: str | None
    # None: as it is.
    carried: dict[str, Any] | None = None

    @property
    def observed(self) -> bool:
        return self.observed_version == self.version

    def reported(self, entry: JournalEntry, report: BotEntry, own: dict[int, int]) -> "_BotRow":
        """Apply a bot's report.

        Args:
            own: versions that this batch has made, by the version before. The bot wrote its report before it could
                know that its own command had made another one, which changes nothing else.
        """
        observed = report.observed_version
        while observed in own:
            observed = own[observed]
        begins = report.status in _TRADING and (self.status in _NOT_YET_TRADING or self.started_at is None)
        return replace(
            self,
            journal_n=entry.n,
            status=report.status,
            started_at=entry.at if begins else self.started_at,
            observed_version=observed,
            rejected_version=report.rejected_version,
            current_balance=report.current_balance,
            total_pnl=report.total_pnl,
            error_count=report.error_count,
            last_error=clean(report.last_error),
            carried=report.carried,
        )


async def _locked(connection: AsyncConnection, batch: JournalBatch) -> _BotRow | None:
    """Return the bot's row, which nobody else can change or delete until the end of the transaction."""
    bot = TradingBot
    found = (
        await connection.execute(
            select(
                bot.id.label("bot_id"),
                bot.version,
                bot.observed_version,
                bot.rejected_version,
                bot.journal_n,
                bot.status,
                bot.started_at,
                bot.current_balance,
                bot.total_pnl,
                bot.error_count,
                bot.last_error,
            )
            .where(bot.id == batch.bot_id, bot.uid == batch.uid)
            .with_for_update(key_share=True)
        )
    ).mappings()
    row = found.one_or_none()
    return None if row is None else _BotRow(**row)


async def _write_row(connection: AsyncConnection, row: _BotRow, entries: Sequence[JournalEntry]) -> _BotRow:
    """Apply commands and reports to the bot's row; return the row as it is then."""
    before = row
    own: dict[int, int] = {}
    for entry in entries:
        newer = entry.n > row.journal_n
        match entry.payload:
            case DesiredEntry() as desired if newer:
                version = await _command(connection, row.bot_id, desired)
                observed = version if row.observed else row.observed_version
                if row.observed and version != row.version:
                    own[row.version] = version
                row = replace(row, journal_n=entry.n, version=version, observed_version=observed)
            case BotEntry() as report if newer:
                row = row.reported(entry, report, own)
    if row != before:
        await _store(connection, row)
    return row


async def _command(connection: AsyncConnection, bot_id: str, desired: DesiredEntry) -> int:
    """Make the row say what the command says; return its version, a new one if that was a change."""
    values: dict[str, Any] = {}
    if desired.enabled is not None:
        values["enabled"] = desired.enabled
    if desired.desired_paused is not None:
        values["desired_paused"] = desired.desired_paused
    if desired.config is not None:
        # The command's own word on `enabled` counts more than that of the configuration which comes with it.
        explicit = {} if desired.enabled is None else {"enabled": desired.enabled}
        values["config"] = desired.config | explicit | {"id": bot_id}
    bot = TradingBot
    if not values:
        return (await connection.execute(select(bot.version).where(bot.id == bot_id))).scalar_one()
    await connection.execute(
        text("SELECT set_config('steadyhand.author', :author, true)"), {"author": clean(desired.author)}
    )
    statement = update(bot).where(bot.id == bot_id).values(values).returning(bot.version)
    return (await connection.execute(statement)).scalar_one()


async def _end_forgotten(connection: AsyncConnection, bot_uid: str, entry: JournalEntry, kept: Sequence[str]) -> None:
    """End the orders that an earlier entry calls under way, and that neither the bot nor its venue knows."""
    order = TradingOrder
    forgotten = (
        order.bot_uid == bot_uid,
        order.n < entry.n,
        order.status.in_(_UNDER_WAY),
        order.client_order_id.not_in(kept),
    )
    ended = {"status": "cancelled", "status_reason": _FORGOTTEN, "n": entry.n, "updated_at": entry.at}
    await connection.execute(update(order).where(*forgotten).values(ended))


async def _store(connection: AsyncConnection, row: _BotRow) -> None:
    bot = TradingBot
    values: dict[str, Any] = {
        "observed_version": row.observed_version,
        "rejected_version": row.rejected_version,
        "journal_n": row.journal_n,
        "status": row.status,
        "started_at": row.started_at,
        "current_balance": row.current_balance,
        "total_pnl": row.total_pnl,
        "error_count": row.error_count,
        "last_error": row.last_error,
        "updated_at": func.now(),
    }
    if row.carried is not None:
        values["carried"] = row.carried
    await connection.execute(update(bot).where(bot.id == row.bot_id).values(values))
