"""Decides which faults happen to which requests, by seeded draws, and counts them."""

import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Middleware

from simulator.clock import Clock
from simulator.faults.fault import Fault, Proceed

# The simulator's own endpoints work whatever the venue does.
_OWN = ("/sim/", "/ledger")


class ArmedFault:
    """A fault that is set, and what came of it so far."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._random = random.Random(fault.seed)

    def happens_to(self, method: str, path: str) -> bool:
        """Draw whether it happens to a request; True counts as having happened."""
        if not self.fault.concerns(method, path):
            return False
        self.seen += 1
        spent = self.fault.count is not None and self.fired >= self.fault.count
        happens = self._random.random() < self.fault.probability and not spent
        self.fired += happens
        return happens


class Injector:
    """The faults of one exchange; set and taken back at any time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: list[ArmedFault] = []

    @property
    def armed(self) -> list[ArmedFault]:
        """What is set, the outermost first."""
        return list(self._armed)

    def arm(self, faults: Iterable[Fault]) -> None:
        """Set these faults instead of those before; counters start anew.

        When several happen to one request, the first of them is the outermost: it sees what the others answer.
        """
        now = self._clock.now_ms()
        self._armed = [ArmedFault(fault.begin(now)) for fault in faults]

    def middleware(self) -> Middleware:
        """Return what lets faults happen to the requests of an application."""

        @web.middleware
        async def inject(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            proceed: Proceed = partial(handler, request)
            if not request.path.startswith(_OWN):
                happening = [armed.fault for armed in self._armed if armed.happens_to(request.method, request.path)]
                for fault in reversed(happening):
                    proceed = partial(fault.around, request, proceed)
            return await proceed()

        return inject
