"""The process that runs a plugin: what it is given, how it is asked, and how it is ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.errors import PluginFailed
from plugins.wire import Wire

# All of the environment that a plugin sees. No address of a database, no key, no token is among it.
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# One thread for each core, of each plugin, would take the machine from the bots.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_REAPING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plugin may use.

    Attributes:
        memory_mb: of data, in mebibytes; the interpreter with numpy takes about 100 of them.
        call_seconds: real time for one answer.
        start_seconds: real time for the start of its process, and for the import of its module.
    """

    memory_mb: int = 512
    call_seconds: float = 2.0
    start_seconds: float = 20.0

    @property
    def patience_seconds(self) -> float:
        """How long a question waits for its turn before its bot is better guarded without an answer."""
        return 10 * self.call_seconds


class Process:
    """A running child. Not for two threads at once."""

    def __init__(self, limits: Limits) -> None:
        """Start the child, and wait until it listens.

        Raises:
            PluginFailed: processes of plugins cannot be made here, or this one did not begin.
        """
        if sys.platform == "win32":
            raise PluginFailed("plugins need Linux or macOS: here their processes could not be limited")
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                [sys.executable, "-P", "-m", "plugins.child", str(theirs.fileno()), str(limits.memory_mb)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a group of its own: what it starts itself is ended with it
            )
        self._wire = Wire(ours)
        self.loaded: set[str] = set()
        self.served: set[str] = set()
        try:
            self._wire.receive(limit=0, deadline=time.monotonic() + limits.start_seconds)
        except (TimeoutError, EOFError, OSError) as error:
            raise PluginFailed(f"the process for a plugin did not begin: {self.end()}") from error

    @property
    def pid(self) -> int:
        """Its process id, and that of its group."""
        return self._child.pid

    def ask(self, question: bytes, body: bytes, *, seconds: float, limit: int) -> tuple[bytes, bytearray]:
        """Send a question and return the answer.

        Raises:
            TimeoutError: there was none in time.
            EOFError, OSError: the child is gone.
            WireBroken: what came is no answer.
        """
        deadline = time.monotonic() + seconds
        self._wire.send(question, body, deadline=deadline)
        return self._wire.receive(limit=limit, deadline=deadline)

    def end(self) -> str:
        """Kill it, with all that it has started; returns how it stood before, in words."""
        self._wire.close()
        try:
            # One that hangs up by itself is about to have an exit code.
            code = self._child.wait(0.05)
        except subprocess.TimeoutExpired:
            code = None
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait(_REAPING_SECONDS)
        return _ended(code)


def _environment() -> Mapping[str, str]:
    # It finds the same modules as this process does, wherever this one was told to look.
    path = os.pathsep.join(str(Path(entry or ".").resolve()) for entry in sys.path)
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _ended(code: int | None) -> str:
    if code is None:
        return "it was killed"
    return f"it exited with code {code}" if code >= 0 else f"it died of {signal.Signals(-code).name}"
