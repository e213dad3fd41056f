"""What tables have in common: names of constraints, types of columns, defaults, and the bot that a row belongs to."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias, get_args
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json: TypeAlias = dict[str, Any]

NOW = text("now()")
ZERO = text("0")
EMPTY_OBJECT = text("'{}'::jsonb")


class Base(DeclarativeBase):
    """Names of constraints, and what Python's types are in PostgreSQL."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        bool: Boolean(),
        int: Integer(),
        str: Text(),
        bytes: LargeBinary(),
        Decimal: Numeric(38, 18),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        Json: JSONB(),
        list[str]: ARRAY(Text()),
    }


class OfBot:
    """What every row says of the bot that it belongs to."""

    bot_id: Mapped[str | None] = mapped_column(ForeignKey("trading_bots.id", ondelete="SET NULL"))
    bot_uid: Mapped[UUID]


def one_of(column: str, literal: object) -> CheckConstraint:
    """Return the constraint that a column holds one of the values of a Literal."""
    values = ", ".join(f"'{value}'" for value in get_args(literal))
    return CheckConstraint(f"{column} IN ({values})", name=column)


def table_of(entity: type[Base]) -> Table:
    """Return the table behind a class."""
    return Base.metadata.tables[entity.__tablename__]
