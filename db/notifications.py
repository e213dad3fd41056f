"""The first channel for messages to people: the log, with a row of `notifications` for each message."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.health import StoreHealth
from db.tables import Notification, TradingBot
from db.values import clean
from domain.journal import Notice

_CHANNEL = "log"
_REMEMBERED = 10_000


class LogNotifier:
    """Writes each message to the log at once, and to the database when that is there."""

    def __init__(self, engine: AsyncEngine, health: StoreHealth | None = None) -> None:
        """Write by an engine; see `JournalRepository`."""
        self._engine = engine
        self._health = health or StoreHealth(engine)
        self._log = structlog.get_logger("notifications")
        self._shown: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def deliver(self, notices: Sequence[Notice]) -> None:
        """Deliver messages; delivering them again shows nothing new and changes nothing.

        Raises:
            StoreUnavailable: the messages are in the log, but not in the database: deliver them again.
        """
        if not notices:
            return
        for notice in notices:
            self._show(notice)
        with self._health.writing():
            await self._keep(notices)

    async def _keep(self, notices: Sequence[Notice]) -> None:
        async with transaction(self._engine) as connection:
            ids = {notice.bot_id for notice in notices}
            found = await connection.execute(select(TradingBot.id, TradingBot.uid).where(TradingBot.id.in_(ids)))
            uids = {row.id: row.uid for row in found}
            rows = [_row(notice, uids.get(notice.bot_id)) for notice in notices]
            await connection.execute(insert(Notification).on_conflict_do_nothing(), rows)

    def _show(self, notice: Notice) -> None:
        key = (notice.bot_id, notice.n)
        if key in self._shown:
            return
        self._shown[key] = None
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        say = {"info": self._log.info, "warning": self._log.warning, "error": self._log.error}[notice.severity]
        say(notice.title, bot=notice.bot_id, kind=notice.kind, text=notice.text, at=notice.at.isoformat())


def _row(notice: Notice, uid: UUID | None) -> dict[str, object]:
    return {
        "bot_id": None if uid is None else notice.bot_id,
        # The bot was deleted: its last words are kept under a name of their own, the same at each delivery.
        "bot_uid": uid or uuid5(NAMESPACE_URL, f"bot:{notice.bot_id}"),
        "owner_id": notice.owner_id,
        "n": notice.n,
        "channel": _CHANNEL,
        "kind": notice.kind,
        "severity": notice.severity,
        "title": clean(notice.title),
        "payload": notice.model_dump(mode="json"),
        "state": "delivered",
        "attempts": 1,
        "created_at": notice.at,
    }
