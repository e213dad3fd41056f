"""Pid files: what a parent that was killed left running is found and ended at the next start."""

import asyncio
import contextlib
import json
import os
import signal
import time
from pathlib import Path

import psutil

from embedded.process import Child

# A pid is taken for ours when the process was created when we noted it; clocks that were adjusted since shift the
# time that the system reports a little.
CREATED_TOLERANCE = 2.0
POLL = 0.02


class PidFiles:
    """One file per running child: its pid, the time that it was created, how to stop it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, child: Child, pid: int) -> None:
        """Note a child that was just started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            created = psutil.Process(pid).create_time()
            note = {
                "pid": pid,
                "created": created,
                "signal": int(child.stop_signal),
                "timeout": child.stop_timeout,
            }
            self._path(child.name).write_text(json.dumps(note))

    def remove(self, name: str) -> None:
        """Forget a child that has ended."""
        self._path(name).unlink(missing_ok=True)

    async def end_leftovers(self) -> list[str]:
        """End the children of an earlier parent that still run, the youngest first; return who they were."""
        ended = []
        for path in sorted(
            self._folder.glob("*.pid"),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        ):
            note = _read_note(path)
            process = _process_of(note)
            if process is not None:
                await end_process(process, signal.Signals(int(note["signal"])), note["timeout"])
                ended.append(f"{path.stem} (process {process.pid})")
            path.unlink()
        return ended

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.pid"


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie that nobody collects does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def end_process(process: psutil.Process, number: signal.Signals, seconds: float) -> None:
    """Ask a process that is not our child to stop; kill its group after `seconds`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
    if await wait_gone(process, seconds):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await wait_gone(process, seconds)


async def wait_gone(process: psutil.Process, seconds: float) -> bool:
    """Wait at most `seconds` for the end of a process that is not our child; return whether it came."""
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL)
    return True


def _read_note(path: Path) -> dict[str, float]:
    try:
        note = json.loads(path.read_text())
        return {key: float(note[key]) for key in ("pid", "created", "signal", "timeout")}
    except (OSError, ValueError, KeyError, TypeError):
        # Written by halves when the power went: then nothing of that time runs any more.
        return {}


def _process_of(note: dict[str, float]) -> psutil.Process | None:
    if not note:
        return None
    try:
        process = psutil.Process(int(note["pid"]))
        same = abs(process.create_time() - note["created"]) < CREATED_TOLERANCE
    except psutil.NoSuchProcess:
        return None
    return process if same and is_alive(process) else None
