"""Faults of which an error or nothing comes back, and nothing was carried out."""

import time
from collections.abc import Mapping
from typing import Literal

from aiohttp import web
from pydantic import Field

from simulator.errors import too_much_weight
from simulator.faults.connection import TIMEOUT, error_answer, hang, page, reset
from simulator.faults.fault import Fault, Proceed
from simulator.routes.answers import answer
from simulator.weight import LIMIT_PER_MINUTE

_STATUS_PATH = "/sapi/v1/system/status"
_BODIES: Mapping[int, tuple[int, str]] = {
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1000, "Unknown error, please check your request or try again later."),
    504: TIMEOUT,
}


class HttpError(Fault):
    """An error of the venue; without `code` and `msg` its usual words for that status, or a page if it has none."""

    kind: Literal["http_error"] = "http_error"
    status: int = Field(default=500, ge=400, le=599)
    code: int | None = None
    msg: str | None = None
    html: bool = False

    async def around(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """Answer at once."""
        code, message = _BODIES.get(self.status, (self.code, self.msg))
        code, message = self.code or code, self.msg or message
        if self.html or code is None or message is None:
            return page(self.status)
        return error_answer(self.status, code, message)


class RateLimit(Fault):
    """Too many requests (429), or banned for them (418)."""

    kind: Literal["rate_limit"] = "rate_limit"
    status: Literal[429, 418] = 429
    retry_after: int = Field(default=1, ge=0)

    async def around(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """Answer at once, with Retry-After in seconds."""
        refusal = too_much_weight(LIMIT_PER_MINUTE, self.retry_after)
        message = refusal.message
        if self.status == 418:
            until = int((time.time() + self.retry_after) * 1_000)
            message = (
                f"Way too much request weight used; IP banned until {until}."
                " Please use WebSocket Streams for live updates to avoid bans."
            )
        return error_answer(self.status, refusal.code, message, {"Retry-After": str(self.retry_after)})


class Maintenance(Fault):
    """Nobody is at home; only the system status says so in words."""

    kind: Literal["maintenance"] = "maintenance"

    async def around(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """Answer 503, or status 1 to who asks for the status."""
        if request.path == _STATUS_PATH:
            return answer({"status": 1, "msg": "system_maintenance"}, {})
        return page(503)


class Reset(Fault):
    """The connection breaks before the exchange has read the request."""

    kind: Literal["reset"] = "reset"

    async def around(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """Break the connection."""
        return reset(request)


class Hang(Fault):
    """No answer for so many seconds of real time, then a reset; the request is never carried out."""

    kind: Literal["hang"] = "hang"
    seconds: float = Field(default=3_600, gt=0)

    async def around(self, request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """Wait, and break the connection."""
        await hang(request, self.seconds)
        return reset(request)
