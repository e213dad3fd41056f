"""The data directory: where everything of a local stack lies, and the lock that keeps a second stack out."""

import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import TextIO

from embedded.errors import EmbeddedError

MIN_FREE_BYTES = 200 * 1024 * 1024


class DataDirectory:
    """Paths of one data directory, and its exclusive lock while open."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.postgres = self.path / "postgres"
        self.postgres_password = self.path / "postgres.password"
        self.temporal_db = self.path / "temporal.db"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.ports = self.path / "ports.json"
        self._lock_path = self.path / "lock"
        self._lock: TextIO | None = None

    def open(self) -> None:
        """Create the directory where needed, check that it can be used, and lock it.

        Raises:
            EmbeddedError: it is no folder, not writable, its disk is full, or another process has it locked.
        """
        # May be passed through, not listed: under root, PostgreSQL has another account. What is in it is private.
        _make_folder(self.path, 0o711)
        for folder in (self.logs, self.run):
            _make_folder(folder, 0o700)
        free = shutil.disk_usage(self.path).free
        if free < MIN_FREE_BYTES:
            needed = MIN_FREE_BYTES // 2**20
            raise EmbeddedError(f"the disk of {self.path} has {free // 2**20} MB left; at least {needed} are needed")
        self._acquire_lock()

    def close(self) -> None:
        """Give the directory free."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _acquire_lock(self) -> None:
        try:
            # Not truncated on opening: it names the process that holds the lock.
            lock = self._lock_path.open("a+", encoding="utf-8")
        except OSError as error:
            raise _folder_error(self.path, error) from error
        try:
            # Bound to the open file, so the kernel gives it free however this process ends; not inherited by children.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedError(
                f"data directory {self.path} is in use by process {holder}; "
                "stop that one first or choose another --data-dir"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock


def _make_folder(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise _folder_error(folder, error) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _folder_error(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _folder_error(folder: Path, error: OSError) -> EmbeddedError:
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return EmbeddedError(f"data directory {folder} cannot be a folder: there is a file in its place")
    if isinstance(error, PermissionError):
        return EmbeddedError(f"data directory {folder} is not writable for this user; choose another --data-dir")
    return EmbeddedError(f"data directory {folder} cannot be used: {error.strerror or error}")
