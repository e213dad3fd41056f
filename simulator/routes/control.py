"""The simulator's own endpoints under /sim: is it well, what time is it there, go on to a later moment."""

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.clock import ManualClock, SimulatedClock
from simulator.exchange import Exchange
from simulator.routes.answers import refusal


class ControlRoutes:
    """What the real venue does not have."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        return [
            web.get("/sim/health", self.health),
            web.get("/sim/clock", self.clock),
            web.post("/sim/clock", self.advance),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """Answer 200 while the exchange serves."""
        return web.json_response({"status": "ok", "symbols": list(self._exchange.markets), **self._time()})

    async def clock(self, _request: web.Request) -> web.Response:
        """Answer with the exchange's time and how it passes."""
        return web.json_response(self._time())

    async def advance(self, request: web.Request) -> web.Response:
        """Move a manual clock on: {"advance_to": milliseconds UTC}. 409 for a clock that runs by itself."""
        clock = self._exchange.clock
        if not isinstance(clock, ManualClock):
            return refusal(409, "only a manual clock can be moved; this one runs by itself")
        try:
            body = await request.json()
        except json.JSONDecodeError:
            body = None
        moment = body.get("advance_to") if isinstance(body, dict) else None
        if type(moment) is not int:
            return refusal(400, 'expected {"advance_to": milliseconds UTC}')
        try:
            clock.advance_to(moment)
        except ValueError as error:
            return refusal(400, str(error))
        return web.json_response(self._time())

    def _time(self) -> dict[str, Any]:
        clock = self._exchange.clock
        now = clock.now_ms()
        return {
            "now_ms": now,
            "now": datetime.fromtimestamp(now / 1_000, tz=UTC).isoformat(timespec="milliseconds"),
            "clock": "manual" if isinstance(clock, ManualClock) else "running",
            "speed": clock.speed if isinstance(clock, SimulatedClock) else None,
        }
