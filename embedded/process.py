"""One child process: what to run, starting it, waiting until it serves, stopping it."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.account import Account
from embedded.errors import EmbeddedError
from embedded.guard import KEEP_ACCOUNT
from embedded.logs import ChildLog

GUARD = Path(__file__).with_name("guard.py")
PROBE_INTERVAL = 0.03


class NotReadyError(Exception):
    """Raised by a probe while the child does not serve yet; the message says why."""


Probe = Callable[[], Awaitable[None]]
"""Returns once the child serves; raises NotReadyError before, EmbeddedError when it never will."""

BeforeStart = Callable[[], Awaitable[None]]
"""Called before each start."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process to be kept running. Times are in seconds.

    Attributes:
        argv: absolute path of the program, then its arguments.
        env: the whole environment; None passes on our own.
        stop_signal: asks it to finish its work; after `stop_timeout` SIGKILL follows.
        death_signal: what the kernel sends when we die without stopping it (Linux).
        account: the account to run under when we are root.
        explain: finds in the child's last log lines the sentence for a cause that is known.
    """

    name: str
    argv: Sequence[str]
    log_path: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready: Probe | None = None
    ready_timeout: float = 30.0
    before_start: BeforeStart | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None
    explain: Callable[[str], str | None] | None = None


class RunningChild:
    """A child that was started. In a session of its own, so that Ctrl-C in the terminal reaches only its parent."""

    def __init__(self, child: Child, process: Process, log: ChildLog) -> None:
        self.child = child
        self.pid = process.pid
        self.started = time.monotonic()
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, child: Child, log: ChildLog) -> "RunningChild":
        """Start it.

        Raises:
            EmbeddedError: the program does not exist.
        """
        if not os.access(child.argv[0], os.X_OK):
            raise EmbeddedError(f"{child.name} cannot start: there is no program {child.argv[0]}")
        with log.open_for_child() as output:
            process = await asyncio.create_subprocess_exec(
                *guarded(child.argv, child.death_signal, child.account),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=child.env,
                cwd=child.cwd,
                start_new_session=True,
            )
        return cls(child, process, log)

    @property
    def lived(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started

    @property
    def returncode(self) -> int | None:
        """None while it runs; the exit status, or minus the number of the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end, and end what it left behind in its process group."""
        code = await self._process.wait()
        _signal_group(self.pid, signal.SIGKILL)
        return code

    async def wait_ready(self) -> None:
        """Wait until its probe is content.

        Raises:
            EmbeddedError: it ended before, or was not ready within its `ready_timeout`.
        """
        if self.child.ready is None:
            return
        reason = "its probe gave no answer"
        try:
            async with asyncio.timeout(self.child.ready_timeout):
                while self.returncode is None:
                    try:
                        await self.child.ready()
                    except NotReadyError as error:
                        reason = str(error)
                    else:
                        return
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._process.wait(), PROBE_INTERVAL)
        except TimeoutError:
            raise self._failure(f"was not ready within {self.child.ready_timeout:g} s ({reason})") from None
        raise self._failure(f"{describe_exit(self.returncode)} before it was ready")

    async def stop(self) -> bool:
        """Ask it to stop, kill it after its timeout. Returns whether it went by itself."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.child.stop_signal)
        try:
            await asyncio.wait_for(self.wait(), self.child.stop_timeout)
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """Kill it and everything in its process group."""
        _signal_group(self.pid, signal.SIGKILL)
        await self.wait()

    def _failure(self, what: str) -> EmbeddedError:
        tail = self._log.tail()
        explain = self.child.explain
        if explain is not None and (cause := explain(tail)) is not None:
            return EmbeddedError(f"{self.child.name} cannot start: {cause}")
        lines = f"; last lines of {self._log.path}:\n{tail}" if tail else f"; its log {self._log.path} is empty"
        return EmbeddedError(f"{self.child.name} {what}{lines}")


def guarded(argv: Sequence[str], death_signal: signal.Signals, account: Account | None) -> list[str]:
    """Return the command that runs `argv` under `account`, and ends it by `death_signal` when we end (Linux)."""
    who = f"{account.uid}:{account.gid}" if account else KEEP_ACCOUNT
    return [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(int(death_signal)), who, *argv]


def describe_exit(code: int | None) -> str:
    """Return how a process ended, in words."""
    if code is not None and code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"
    return f"ended with status {code}"


def _signal_group(pid: int, number: signal.Signals) -> None:
    # macOS answers EPERM for a group of which only the unreaped leader is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
