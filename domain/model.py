"""The base of all values that travel: through Temporal's history, the journal and the API."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Context, Decimal, getcontext, localcontext
from functools import wraps
from types import TracebackType
from typing import Annotated, Any, ParamSpec, TypeAlias, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

Money: TypeAlias = Decimal
"""An amount of quote currency."""

Price: TypeAlias = Decimal
"""Quote currency per unit of base."""

Quantity: TypeAlias = Decimal
"""Units of base."""

Utc: TypeAlias = Annotated[datetime, AwareDatetime]

ZERO = Decimal(0)

P = ParamSpec("P")
R = TypeVar("R")

_DIGITS = 60
_MONEY_STEP = Decimal("1e-18")

Milliseconds: TypeAlias = Annotated[int, Field(ge=0)]
"""A moment on a venue's clock: milliseconds since 1970, UTC."""


class exact:  # noqa: N801  it is used like a function: `@exact()`, `with exact():`
    """Compute with 60 digits instead of Decimal's 28; a decorator, and a context.

    The books keep 18 decimals, as the database does, so 28 digits round every sum from 10,000,000,000 on: a few
    bitcoins in rupiah. Inside another exact function it costs next to nothing: a backtest books in thousands.
    """

    _context: AbstractContextManager[Context]

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function as one that computes so."""

        @wraps(function)
        def computed(*args: P.args, **kwargs: P.kwargs) -> R:
            if getcontext().prec == _DIGITS:
                return function(*args, **kwargs)
            with localcontext(prec=_DIGITS):
                return function(*args, **kwargs)

        return computed

    def __enter__(self) -> None:
        self._context = localcontext(prec=_DIGITS)
        self._context.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)


@exact()
def as_money(value: Decimal) -> Money:
    """Return `value` with at most 18 decimals, as books and database keep it; unchanged if it has no more."""
    rounded = value.quantize(_MONEY_STEP)
    return value if rounded == value else rounded


class Model(BaseModel):
    """A frozen value. Unknown fields are ignored, so that a payload of newer code can be read by older code."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Sparse(Model):
    """A frozen value that writes only what there is: most of it is not, mostly."""

    @model_serializer(mode="wrap")
    def _what_there_is(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if value is not None}
