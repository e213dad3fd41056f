"""Where a running `up` listens: a file in its data directory, so that other commands find it."""

import contextlib
import os
from pathlib import Path

import psutil
from pydantic import Field, ValidationError

from domain.model import Model
from domain.state import WatchOptions

# Seconds. A clock that is adjusted shifts the time that the system reports.
_STARTED_TOLERANCE = 2.0
_FILE = "run/endpoints.json"


class Endpoints(Model):
    """Addresses of a running stack, and the process that keeps it: both are needed to tell a stale file."""

    pid: int
    process_started: float
    database_url: str = Field(repr=False)
    temporal_address: str
    namespace: str
    ui_url: str | None
    health_url: str
    watch: WatchOptions


def own_process() -> dict[str, float]:
    """Return this process as the fields of Endpoints say it."""
    return {"pid": os.getpid(), "process_started": psutil.Process().create_time()}


def write_endpoints(data_dir: Path, endpoints: Endpoints) -> None:
    """Write the file, readable for its owner alone, because it holds the database's password."""
    path = data_dir / _FILE
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(endpoints.model_dump_json(indent=2))
    unfinished.replace(path)


def remove_endpoints(data_dir: Path) -> None:
    """Remove the file."""
    (data_dir / _FILE).unlink(missing_ok=True)


def read_endpoints(data_dir: Path) -> Endpoints | None:
    """Return where the stack of a data directory listens; None when none runs."""
    with contextlib.suppress(OSError, ValidationError):
        endpoints = Endpoints.model_validate_json((data_dir.expanduser() / _FILE).read_text(encoding="utf-8"))
        if _runs(endpoints):
            return endpoints
    return None


def _runs(endpoints: Endpoints) -> bool:
    try:
        started = psutil.Process(endpoints.pid).create_time()
    except psutil.Error:
        return False
    return bool(abs(started - endpoints.process_started) < _STARTED_TOLERANCE)
