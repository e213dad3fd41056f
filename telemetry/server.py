"""`/metrics` and `/health` of a process, over HTTP."""

import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from domain.errors import SteadyhandError


class CannotServe(SteadyhandError):
    """The address cannot be listened at; the message says which and why."""


Probe = Callable[[], Awaitable[str | None]]
"""Returns what is wrong, or None when all is well."""


class TelemetryServer:
    """Serves the metrics of a registry and the verdicts of probes; runs inside its `async with` block.

    `/health` answers 200 while every probe is well, else 503, with each probe's verdict as JSON.
    """

    def __init__(self, registry: CollectorRegistry, probes: Mapping[str, Probe], *, host: str, port: int) -> None:
        """Describe a server; port 0 takes any free one."""
        self._registry = registry
        self._probes = dict(probes)
        self._host = host
        self._port = port
        self._started = time.monotonic()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens, once it does."""
        if self._runner is None:
            return ""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> "TelemetryServer":
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            place = f"{self._host}:{self._port}"
            raise CannotServe(f"/health and /metrics cannot be served at {place}: {error.strerror or error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _health(self, _: web.Request) -> web.Response:
        verdicts = {name: await probe() for name, probe in self._probes.items()}
        well = not any(verdicts.values())
        body = {
            "status": "ok" if well else "unwell",
            "checks": {name: verdict or "ok" for name, verdict in verdicts.items()},
            "uptime_seconds": round(time.monotonic() - self._started, 1),
        }
        return web.json_response(body, status=200 if well else 503)
