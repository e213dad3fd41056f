"""Faults under /sim/faults: set them, see how often they happened, take them back."""

from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from simulator.faults.injector import ArmedFault, Injector
from simulator.faults.kinds import AnyFault
from simulator.routes.answers import answer, refusal
from simulator.trading.accounts import first_problem

_FAULTS: TypeAdapter[list[AnyFault]] = TypeAdapter(list[AnyFault])


class FaultRoutes:
    """The switchboard of the faults."""

    def __init__(self, faults: Injector) -> None:
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        return [
            web.get("/sim/faults", self.show),
            web.put("/sim/faults", self.arm),
            web.delete("/sim/faults", self.disarm),
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """Answer with the faults that are set, how many requests each has seen, and to how many it happened."""
        return answer([_shown(armed) for armed in self._faults.armed], {})

    async def arm(self, request: web.Request) -> web.Response:
        """Set a list of faults instead of those before. 400 names the first mistake, and changes nothing."""
        try:
            faults = _FAULTS.validate_json(await request.read())
        except ValidationError as error:
            return refusal(400, first_problem(error))
        self._faults.arm(faults)
        return await self.show(request)

    async def disarm(self, request: web.Request) -> web.Response:
        """Take all faults back."""
        self._faults.arm(())
        return await self.show(request)


def _shown(armed: ArmedFault) -> dict[str, Any]:
    return {**armed.fault.model_dump(mode="json"), "seen": armed.seen, "fired": armed.fired}
