"""What all faults have in common: where they happen, how often, and that they wrap the handling of a request."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

Proceed = Callable[[], Awaitable[web.StreamResponse]]

PLACING = "POST /api/v3/order"
Endpoint = Annotated[str, Field(pattern=r"^(\*|([A-Z]+ )?/\S*)$")]


class Fault(BaseModel):
    """What may go wrong, where, and how often.

    Args:
        endpoint: `METHOD /path` or `/path` for any method, with `*` for any characters; `*` is all of the venue.
        probability: with which it happens to a request, in [0, 1].
        seed: of the draws; the same requests in the same order meet the same faults.
        count: it happens so many times at most; None for no end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Endpoint = "*"
    probability: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0
    count: int | None = Field(default=None, ge=1)

    def concerns(self, method: str, path: str) -> bool:
        """Whether it may happen to such a request."""
        return fnmatchcase(f"{method} {path}" if " " in self.endpoint else path, self.endpoint)

    def begin(self, _now: int, /) -> Self:
        """Return the fault as it is from now on, milliseconds UTC of the exchange."""
        return self

    @abstractmethod
    async def around(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Handle a request that it happens to; `proceed` is what would be done without it."""
