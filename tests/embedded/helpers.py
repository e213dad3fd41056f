"""Helpers of the tests of the embedded stack: recorded events, a stand-in worker, waiting."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from embedded.ports import Ports
from embedded.supervisor import Backoff, ChildEvent

ANY_PORTS = Ports(postgres=0, temporal=0, ui=0, health=0)
QUICK = Backoff(first=0.05, longest=1.0, reset_after=10.0)

# Serves /health as the worker does, notes what it is told, and ends at SIGTERM.
STAND_IN_WORKER = """
import http.server, os, signal, sys
print("database", os.environ["STEADYHAND_DATABASE_URL"], flush=True)
print("temporal", os.environ["TEMPORAL_ADDRESS"], os.environ["TEMPORAL_NAMESPACE"], flush=True)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *arguments):
        pass
def drain(*_):
    print("drained", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
http.server.HTTPServer(("127.0.0.1", int(os.environ["STEADYHAND_HEALTH_PORT"])), Health).serve_forever()
"""


@dataclass
class Recorder:
    """Notes the events and log lines of a supervisor."""

    events: list[tuple[str, ChildEvent, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def on_event(self, name: str, event: ChildEvent, detail: str) -> None:
        self.events.append((name, event, detail))

    def on_line(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def names_with(self, event: ChildEvent) -> list[str]:
        return [name for name, found, _ in self.events if found == event]


async def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `condition` holds; fail when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        await asyncio.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process runs; zombies do not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
