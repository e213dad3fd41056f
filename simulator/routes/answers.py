"""Answers in JSON."""

import json
from collections.abc import Mapping

from aiohttp import web


def json_answer(body: str, headers: Mapping[str, str]) -> web.Response:
    """Return an answer whose body is JSON already."""
    return web.Response(body=body.encode(), headers=headers, content_type="application/json", charset="utf-8")


def answer(body: object, headers: Mapping[str, str]) -> web.Response:
    """Return an answer with this content."""
    return json_answer(json.dumps(body, separators=(",", ":")), headers)


def refusal(status: int, message: str) -> web.Response:
    """Return what the simulator's own endpoints say when they refuse."""
    return web.json_response({"error": message}, status=status)
