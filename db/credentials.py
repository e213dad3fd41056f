"""Stored credentials, encrypted by whoever brings them: the database never sees a secret or a key."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ARRAY, ColumnElement, Text, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.base import table_of
from db.engine import transaction
from db.errors import CredentialsExist, CredentialsInUse
from db.tables import BrokerCredentials, TradingBot
from db.telling import tell_bots
from db.values import clean
from domain.accounts import KeyState
from domain.credentials import SealedCredentials
from domain.errors import UnknownCredentials
from domain.model import Model

_SEALED = (
    BrokerCredentials.name,
    BrokerCredentials.venue,
    BrokerCredentials.api_key_hint,
    BrokerCredentials.key_id,
    BrokerCredentials.ciphertext,
)


# What is known of keys that the venue refuses, or does not, as far as anybody has heard.
_STANDING: Mapping[bool, Mapping[str, object]] = {
    True: {"refused_since": func.now()},
    False: {"refused_since": None, "refusal": None, "refused_orders": False},
}


class CredentialsRecord(Model):
    """Stored credentials as people see them.

    Attributes:
        api_key_hint: the ends of the API key.
        key_id: the key of ours that they are encrypted under.
        rotated_at: when the secret was last replaced, None if never.
        bots: the enabled bots whose configuration names them.
    """

    name: str
    owner_id: str
    venue: str
    api_key_hint: str
    key_id: str
    created_at: datetime
    updated_at: datetime
    rotated_at: datetime | None
    bots: tuple[str, ...]


class CredentialsRepository:
    """`broker_credentials`, in PostgreSQL. Every method raises StoreUnavailable while the database is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, sealed: SealedCredentials, *, owner: str = "local") -> None:
        """Store credentials under a new name.

        Raises:
            CredentialsExist: the name is taken.
        """
        values = {**sealed.model_dump(), "owner_id": owner}
        try:
            async with transaction(self._engine) as connection:
                await connection.execute(insert(BrokerCredentials).values(values))
        except IntegrityError as error:
            raise CredentialsExist(
                f"there are credentials {sealed.name} already; choose another name, or replace their secret with "
                f"`credentials rotate {sealed.name}`"
            ) from error

    async def get(self, name: str) -> SealedCredentials:
        """Return the credentials of a name.

        Raises:
            UnknownCredentials: there are none.
        """
        async with transaction(self._engine) as connection:
            found = await connection.execute(select(*_SEALED).where(BrokerCredentials.name == name))
            row = found.mappings().one_or_none()
        if row is None:
            raise _unknown(name)
        return SealedCredentials.model_validate(dict(row))

    async def list_records(self) -> Sequence[CredentialsRecord]:
        """Return all credentials by name, without their ciphertext."""
        columns = [table_of(BrokerCredentials).c[name] for name in CredentialsRecord.model_fields if name != "bots"]
        statement = select(*columns, _bots().label("bots")).order_by("name")
        async with transaction(self._engine) as connection:
            return [
                CredentialsRecord.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()
            ]

    async def rotate(self, sealed: SealedCredentials) -> None:
        """Replace the secret of a name.

        Raises:
            UnknownCredentials: there are none of this name and venue.
        """
        row = BrokerCredentials
        changed = update(row).where(row.name == sealed.name, row.venue == sealed.venue).returning(row.name)
        values = {**_contents(sealed), "rotated_at": func.now(), **_STANDING[False]}
        async with transaction(self._engine) as connection:
            if (await connection.execute(changed.values(values))).one_or_none() is None:
                raise _unknown(sealed.name)

    async def note(self, name: str, state: KeyState) -> str | None:
        """Note whether the venue refuses the keys, and tell their bots.

        Returns:
            Whose keys they are, if that was not known; None if it was, or was refused to an order and is accepted of
            a read only.
        """
        row, refused = BrokerCredentials, state.refused is not None
        values = {"refusal": clean(state.refused), "refused_orders": state.orders} if refused else {}
        changed = update(row).where(row.name == name).values({**_STANDING[refused], **values})
        changed = changed.where(row.refused_since.is_(None) if refused else row.refused_since.is_not(None))
        if not (refused or state.orders):
            changed = changed.where(~row.refused_orders)
        async with transaction(self._engine) as connection:
            owner = (await connection.execute(changed.returning(row.owner_id))).scalar_one_or_none()
            if owner is not None and refused:
                message = f"the venue refuses the keys {name}, no entries: {state.refused}"
                await tell_bots(connection, "account_refused", message, severity="error", account=name)
            elif owner is not None:
                message = f"the venue accepts the keys {name} again"
                await tell_bots(connection, "account_accepted", message, severity="info", account=name)
        return owner

    async def reseal(self, before: SealedCredentials, after: SealedCredentials) -> bool:
        """Put the same secret under another key; return False, and change nothing, if the row is not as `before`."""
        row = BrokerCredentials
        changed = update(row).where(row.name == before.name, row.ciphertext == before.ciphertext).returning(row.name)
        async with transaction(self._engine) as connection:
            return (await connection.execute(changed.values(_contents(after)))).one_or_none() is not None

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Delete credentials.

        Args:
            force: even while enabled bots name them.

        Raises:
            UnknownCredentials: there are none.
            CredentialsInUse: enabled bots name them.
        """
        row = BrokerCredentials
        async with transaction(self._engine) as connection:
            found = await connection.execute(delete(row).where(row.name == name).returning(_bots()))
            bots = found.scalar_one_or_none()
            if bots is None:
                raise _unknown(name)
            if bots and not force:
                # Raised inside the transaction, which takes the deletion back.
                raise CredentialsInUse(
                    f"credentials {name} are used by enabled bots: {', '.join(bots)}; disable these first, or force it"
                )


def _bots() -> ColumnElement[list[str]]:
    bot = TradingBot
    named = bot.config["broker"]["credentials"].astext
    ids = select(bot.id).where(bot.enabled, named == BrokerCredentials.name).order_by(bot.id).scalar_subquery()
    return func.array(ids, type_=ARRAY(Text()))


def _contents(sealed: SealedCredentials) -> dict[str, object]:
    contents = sealed.model_dump(include={"api_key_hint", "key_id", "ciphertext"})
    return {**contents, "updated_at": func.now()}


def _unknown(name: str) -> UnknownCredentials:
    return UnknownCredentials(f"there are no credentials {name}; `credentials list` shows those there are")
