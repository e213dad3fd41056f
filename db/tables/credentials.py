"""The keys of accounts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import NOW, Base


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
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    rotated_at: Mapped[datetime | None]
    refused_since: Mapped[datetime | None]
    refusal: Mapped[str | None]
    refused_orders: Mapped[bool] = mapped_column(server_default=text("false"))
