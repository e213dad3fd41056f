"""Which servers a command talks to: those that the environment names, else those of a running `up`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from cli.endpoints import Endpoints, read_endpoints
from cli.output import CliError
from domain.queues import workflow_id
from domain.state import WatchOptions
from settings import Settings
from temporal_client import DEFAULT_ADDRESS, NoTemporal, connect, temporal_options


@dataclass(frozen=True)
class Target:
    """The servers of a command.

    Attributes:
        temporal: how to connect to Temporal, as `Client.connect` takes it.
        ui_url: Temporal's Web UI, where we know it.
        health_url: the worker's, where we know it.
    """

    database_url: str = field(repr=False)
    temporal: dict[str, Any] = field(repr=False)
    watch: WatchOptions
    ui_url: str | None = None
    health_url: str | None = None

    @property
    def address(self) -> str:
        """Temporal's `host:port`."""
        return str(self.temporal["target_host"])

    @property
    def namespace(self) -> str:
        """Temporal's namespace."""
        return str(self.temporal.get("namespace") or "default")

    def link(self, bot_id: str) -> str | None:
        """Return the page of a bot in the Web UI, where we know that."""
        return f"{self.ui_url}/namespaces/{self.namespace}/workflows/{workflow_id(bot_id)}" if self.ui_url else None

    async def connect(self) -> Client:
        """Connect to Temporal.

        Raises:
            CliError: it does not answer.
        """
        try:
            return await connect(self.temporal)
        except NoTemporal as error:
            raise CliError(str(error)) from error


def find_target(data_dir: Path | None, *, database_url: str | None = None) -> Target:
    """Return the servers to talk to.

    What STEADYHAND_DATABASE_URL and TEMPORAL_ADDRESS (or a Temporal profile) name counts. Where they say nothing, or
    nothing else, it is the running stack of the data directory.

    Raises:
        CliError: nothing is named and nothing runs.
    """
    settings = Settings()
    named = database_url or (settings.database_url.get_secret_value() if settings.database_url else None)
    temporal = _temporal_environment()
    address = temporal.get("target_host")
    home = data_dir or settings.data_dir
    running = read_endpoints(home)
    if running and named in (None, running.database_url) and address in (None, running.temporal_address):
        return _of_stack(running, temporal)
    if named is None:
        if address:
            raise CliError(f"STEADYHAND_DATABASE_URL must be set too, since Temporal is named: {address}")
        raise CliError(f"nothing runs in {home}; start it with `python starter.py up`, or name another --data-dir")
    watch = WatchOptions(
        segment_seconds=settings.segment_seconds, heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds
    )
    return Target(named, {"target_host": DEFAULT_ADDRESS} | temporal, watch)


def _of_stack(running: Endpoints, environment: dict[str, Any]) -> Target:
    # An existing server that `up` was pointed to may need the environment's certificates and keys; the embedded none.
    extra = environment if environment.get("target_host") else {}
    temporal = extra | {"target_host": running.temporal_address, "namespace": running.namespace}
    return Target(running.database_url, temporal, running.watch, running.ui_url, running.health_url)


def _temporal_environment() -> dict[str, Any]:
    try:
        return temporal_options()
    except NoTemporal as error:
        raise CliError(str(error)) from error
