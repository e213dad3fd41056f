"""What a fault does to a connection, or answers instead of the exchange."""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Mapping
from http.client import responses
from math import ceil

from aiohttp import web

# Close by reset, without waiting for what was not sent yet.
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_POLL_SECONDS = 0.05

TIMEOUT = (-1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.")


def reset(request: web.Request) -> web.Response:
    """Reset the connection of a request. What is returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()
    return web.Response()


async def hang(request: web.Request, seconds: float) -> None:
    """Wait so many seconds of real time, or until the caller has gone."""
    for _ in range(ceil(seconds / _POLL_SECONDS)):
        if request.transport is None or request.transport.is_closing():
            break
        await asyncio.sleep(_POLL_SECONDS)


def error_answer(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error as the venue itself words it."""
    body = json.dumps({"code": code, "msg": message})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


def page(status: int) -> web.Response:
    """Return an error as a load balancer in front of the venue words it: a page that is not JSON."""
    title = f"{status} {responses.get(status, 'Error')}"
    text = f"<html>\n<head><title>{title}</title></head>\n<body><center><h1>{title}</h1></center></body>\n</html>\n"
    return web.Response(status=status, text=text, content_type="text/html")
