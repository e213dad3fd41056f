"""Faults on the way: requests and answers that come late, and answers that never come although it was carried out."""

import asyncio
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from simulator.faults.connection import TIMEOUT, error_answer, page, reset
from simulator.faults.fault import PLACING, Endpoint, Fault, Proceed

Milliseconds = Annotated[int, Field(ge=0)]


class Delay(Fault):
    """The request takes longer to arrive, or its answer to come back; milliseconds of real time.

    A request that was delayed is carried out whether or not somebody still waits for the answer, unless its
    deadline has passed by then.
    """

    kind: Literal["delay"] = "delay"
    before_ms: Milliseconds = 0
    after_ms: Milliseconds = 0

    async def around(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Wait on either side."""
        # As if it was still on its way: the body is read now, and judged after the wait.
        await request.read()
        await asyncio.sleep(self.before_ms / 1_000)
        response = await proceed()
        await asyncio.sleep(self.after_ms / 1_000)
        return response


class DropAnswer(Fault):
    """The request is carried out and the connection breaks before the answer is sent."""

    kind: Literal["drop_answer"] = "drop_answer"
    endpoint: Endpoint = PLACING

    async def around(self, request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Carry it out and break the connection."""
        await proceed()
        return reset(request)


class Accept504(Fault):
    """The request is carried out and the answer is a timeout: in the venue's words, or as a page."""

    kind: Literal["accept_504"] = "accept_504"
    endpoint: Endpoint = PLACING
    html: bool = False

    async def around(self, _request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Carry it out and deny that anything is known about it."""
        await proceed()
        return page(504) if self.html else error_answer(504, *TIMEOUT)


class Garbage(Fault):
    """The request is carried out and the answer is a 200 that is not JSON."""

    kind: Literal["garbage"] = "garbage"
    body: str = "<html><body>OK</body></html>"

    async def around(self, _request: web.Request, proceed: Proceed, /) -> web.StreamResponse:
        """Carry it out and answer nonsense."""
        await proceed()
        return web.Response(text=self.body, content_type="text/html")
