"""The machine: Python, the data directory, programs and ports of the local stack."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.checks.check import Check, fail, ok, warn
from embedded.cluster import find_binaries
from embedded.directory import MIN_FREE_BYTES
from embedded.errors import EmbeddedError
from embedded.ports import USUAL, PortBook
from embedded.temporal import find_temporal

_OLDEST = (3, 11)


def check_machine(data_dir: Path, *, stack_runs: bool) -> Iterator[Check]:
    """Judge what the local stack needs of this machine; its ports are its own while it runs."""
    yield _python()
    yield _data_dir(data_dir)
    yield _program("temporal program", find_temporal)
    yield _program("PostgreSQL programs", find_binaries)
    if stack_runs:
        yield ok("ports", "in use by the running stack")
    else:
        yield from _ports(data_dir)


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info < _OLDEST:
        return fail("Python", version, "run it with Python 3.11 or newer")
    return ok("Python", version)


def _data_dir(data_dir: Path) -> Check:
    place = data_dir.expanduser().absolute()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    if not existing.is_dir():
        return fail("data directory", f"{existing} is a file", "move it away, or choose another --data-dir")
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return fail("data directory", f"{existing} is not writable for this user", "choose another --data-dir")
    free = shutil.disk_usage(existing).free
    found = f"{place}, {free // 2**20:,} MB free"
    if free < MIN_FREE_BYTES:
        return fail("data directory", found, f"free some space: {MIN_FREE_BYTES // 2**20} MB are needed at least")
    return ok("data directory", found)


def _program(name: str, find: Callable[[], Path]) -> Check:
    try:
        return ok(name, str(find()))
    except EmbeddedError as error:
        return fail(name, "not found", str(error))


def _ports(data_dir: Path) -> Iterator[Check]:
    # A book that is never saved: only its judgement is wanted.
    book = PortBook(data_dir / "ports.json")
    for name, port in (("temporal", USUAL.temporal), ("ui", USUAL.ui), ("health", USUAL.health)):
        try:
            book.choose(name, port)
        except EmbeddedError as error:
            yield warn(f"port {port}", str(error).partition(";")[0], "`up` takes another one")
        else:
            yield ok(f"port {port}", f"free for {name}")
