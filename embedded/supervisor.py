"""Keeps child processes running: started in order, restarted when they die, stopped in reverse order."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.leftovers import PidFiles
from embedded.logs import ChildLog
from embedded.process import Child, RunningChild, describe_exit

logger = logging.getLogger(__name__)
FOLLOW_INTERVAL = 0.1


class ChildEvent(StrEnum):
    """What happens to a child, for display."""

    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    RESTARTING = "restarting"
    FAILED = "failed"
    KILLED = "killed"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CLEANED = "cleaned"


OnEvent = Callable[[str, ChildEvent, str], None]
"""Called with the child's name, the event and a detail for people (may be empty)."""
OnLine = Callable[[str, str], None]
"""Called with the child's name and a new line of its log."""


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Seconds from a death to the next start: doubled each time, the first again after a life of `reset_after`."""

    first: float = 0.2
    longest: float = 30.0
    reset_after: float = 10.0


@dataclass
class _Entry:
    child: Child
    log: ChildLog
    running: RunningChild | None = None
    keeper: asyncio.Task[None] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Starts children and keeps them running until closed."""

    def __init__(
        self,
        run_dir: Path,
        *,
        on_event: OnEvent | None = None,
        on_line: OnLine | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._entries: dict[str, _Entry] = {}
        self._pid_files = PidFiles(run_dir)
        self._on_event = on_event
        self._on_line = on_line
        self._backoff = backoff or Backoff()
        self._follower: asyncio.Task[None] | None = None

    async def end_leftovers(self) -> None:
        """End what an earlier supervisor of the same run directory left running when it was killed."""
        for who in await self._pid_files.end_leftovers():
            self._emit(
                who.split()[0],
                ChildEvent.CLEANED,
                f"ended {who}, left over from a parent that was killed",
            )

    async def start(self, child: Child) -> None:
        """Start a child, wait until it is ready, and keep it running from then on.

        Raises:
            EmbeddedError: it ended, or did not get ready in time. It is then not kept.
        """
        if child.name in self._entries:
            raise ValueError(f"a child named {child.name} is already kept")
        entry = self._entries[child.name] = _Entry(child, ChildLog(child.log_path))
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow())
        try:
            await self._launch(entry)
        except BaseException:
            await self._discard(entry)
            del self._entries[child.name]
            raise
        entry.keeper = asyncio.create_task(self._keep(entry))

    async def stop(self, name: str) -> None:
        """Stop a child: its stop signal, SIGKILL after its timeout. It is then no longer kept."""
        entry = self._entries[name]
        if entry.keeper is not None:
            entry.keeper.cancel()
            await asyncio.wait([entry.keeper])
        self._emit(name, ChildEvent.STOPPING)
        drained = entry.running is None or await entry.running.stop()
        self._pid_files.remove(name)
        self._show_new_lines(entry)
        del self._entries[name]
        self._emit(
            name,
            ChildEvent.STOPPED,
            "" if drained else f"killed after {entry.child.stop_timeout:g} s",
        )

    async def close(self) -> None:
        """Stop all children, the last started first. Those that are still to be stopped are kept running meanwhile."""
        for name in reversed(list(self._entries)):
            await self.stop(name)
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.wait([self._follower])
            self._follower = None

    def pid(self, name: str) -> int | None:
        """Return the process id of a child; None while it is down."""
        running = self._entries[name].running
        return running.pid if running is not None and running.returncode is None else None

    def kill(self, name: str) -> int:
        """Send SIGKILL to a child, as a demonstration; it will be restarted. Returns its process id.

        Raises:
            EmbeddedError: it is down at this moment.
        """
        pid = self.pid(name)
        if pid is None:
            raise EmbeddedError(f"{name} is not running")
        self._entries[name].ready.clear()
        os.kill(pid, signal.SIGKILL)
        self._emit(name, ChildEvent.KILLED, f"kill -9 {pid}")
        return pid

    async def wait_ready(self, name: str) -> None:
        """Wait until a child that died is back and ready."""
        await self._entries[name].ready.wait()

    async def _launch(self, entry: _Entry) -> None:
        child = entry.child
        self._emit(child.name, ChildEvent.STARTING)
        if child.before_start is not None:
            await child.before_start()
        entry.running = await RunningChild.start(child, entry.log)
        self._pid_files.write(child, entry.running.pid)
        await entry.running.wait_ready()
        entry.ready.set()
        self._emit(
            child.name,
            ChildEvent.READY,
            f"process {entry.running.pid}, after {entry.running.lived:.1f} s",
        )

    async def _keep(self, entry: _Entry) -> None:
        delay = self._backoff.first
        while True:
            running = entry.running
            if running is not None:
                code = await running.wait()
                entry.ready.clear()
                self._emit(
                    entry.child.name,
                    ChildEvent.DIED,
                    f"process {running.pid} {describe_exit(code)}",
                )
                if running.lived >= self._backoff.reset_after:
                    delay = self._backoff.first
            self._emit(entry.child.name, ChildEvent.RESTARTING, f"in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._backoff.longest)
            try:
                await self._launch(entry)
            except (EmbeddedError, OSError) as error:
                self._emit(entry.child.name, ChildEvent.FAILED, str(error))
                await self._discard(entry)
            except Exception:
                # A hook or probe that raises what it should not must not end the supervision.
                logger.exception("%s: unexpected error at a restart", entry.child.name)
                await self._discard(entry)

    async def _discard(self, entry: _Entry) -> None:
        if entry.running is not None:
            await entry.running.kill()
            entry.running = None
        self._pid_files.remove(entry.child.name)

    async def _follow(self) -> None:
        while True:
            for entry in list(self._entries.values()):
                self._show_new_lines(entry)
                with contextlib.suppress(OSError):
                    entry.log.bound()
            await asyncio.sleep(FOLLOW_INTERVAL)

    def _show_new_lines(self, entry: _Entry) -> None:
        if self._on_line is not None:
            for line in entry.log.new_lines():
                self._on_line(entry.child.name, line)

    def _emit(self, name: str, event: ChildEvent, detail: str = "") -> None:
        level = logging.WARNING if event in (ChildEvent.DIED, ChildEvent.FAILED) else logging.INFO
        logger.log(level, "%s: %s%s", name, event, f" ({detail})" if detail else "")
        if self._on_event is not None:
            self._on_event(name, event, detail)
