"""The base of all values that travel: through Temporal's history, the journal and the API."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Money: TypeAlias = Decimal
"""An amount of quote currency."""

Price: TypeAlias = Decimal
"""Quote currency per unit of base."""

Quantity: TypeAlias = Decimal
"""Units of base."""

Utc: TypeAlias = Annotated[datetime, AwareDatetime]

ZERO = Decimal(0)

Milliseconds: TypeAlias = Annotated[int, Field(ge=0)]
"""A moment on a venue's clock: milliseconds since 1970, UTC."""


class Model(BaseModel):
    """A frozen value. Unknown fields are ignored, so that a payload of newer code can be read by older code."""

    model_config = ConfigDict(frozen=True, extra="ignore")
