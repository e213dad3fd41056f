"""TCP ports on 127.0.0.1: chosen, or remembered from the last start, or free."""

import errno
import json
import random
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from embedded.errors import EmbeddedError

HOST = "127.0.0.1"
# Below the ranges from which systems take the local ports of outgoing connections: there, a client that keeps trying
# to reach a server that is being restarted can be given the server's own port.
FREE_PORTS = range(20_000, 30_000)
ATTEMPTS = 200


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Ports to listen on. None: as last time, else the usual one, else a free one. 0: any free one. Else exactly this.

    The usual ports are 7233 and 8233 for Temporal and its Web UI, 9464 for the worker's /health and /metrics.
    """

    postgres: int | None = None
    temporal: int | None = None
    ui: int | None = None
    health: int | None = None


USUAL = Ports(temporal=7233, ui=8233, health=9464)


class PortBook:
    """Chooses ports and remembers them in a file of the data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chosen: dict[str, int] = {}

    def choose(self, name: str, wanted: int | None) -> int:
        """Return the port for `name`, one of the fields of Ports.

        Raises:
            EmbeddedError: a certain port is wanted and it is taken, or not allowed.
        """
        if wanted:
            _require_free(name, wanted)
            port = wanted
        else:
            candidates = [] if wanted == 0 else [self._remembered().get(name), getattr(USUAL, name)]
            port = self._first_free([port for port in candidates if port])
        self._chosen[name] = port
        return port

    def save(self) -> None:
        """Remember the chosen ports for the next start."""
        self._path.write_text(json.dumps(self._remembered() | self._chosen))

    def _first_free(self, preferred: list[int]) -> int:
        for port in (*preferred, *random.sample(FREE_PORTS, ATTEMPTS)):
            if port not in self._chosen.values() and _bind_error(port) is None:
                return port
        raise EmbeddedError(f"no free TCP port found on {HOST} in {ATTEMPTS} attempts from {FREE_PORTS[0]} upwards")

    def _remembered(self) -> dict[str, int]:
        try:
            found = json.loads(self._path.read_text())
        except (OSError, ValueError):
            # A convenience: without it, ports are chosen anew.
            return {}
        return {k: v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}


def holder_of(port: int) -> str | None:
    """Return who listens on `port`, as `process 123 (name)`; None where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return None


def _require_free(name: str, port: int) -> None:
    error = _bind_error(port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(port) or "another process"
        raise EmbeddedError(f"port {port} for {name} is taken by {holder}; end it or choose another port")
    raise EmbeddedError(f"port {port} for {name} cannot be used: {error.strerror or error}; choose another port")


def _bind_error(port: int) -> OSError | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: connections of an earlier server that are still closing do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError as error:
        return error
    except OverflowError:
        return OSError(errno.EINVAL, "it must be between 1 and 65535")
    return None
