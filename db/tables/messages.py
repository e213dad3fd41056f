"""What has happened to bots, and what people were told of it."""

from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, Identity, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import NOW, ZERO, Base, Json, OfBot, one_of
from domain.journal import Severity

NotificationState = Literal["pending", "delivered", "failed"]


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
    attempts: Mapped[int] = mapped_column(server_default=ZERO)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
