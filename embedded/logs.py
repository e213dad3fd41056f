"""Log files of child processes: the child appends to the file itself, we bound its size and read what is new."""

import shutil
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10 * 1024 * 1024
READ_BYTES = 256 * 1024


class ChildLog:
    """One child's log file and the place up to which it was shown.

    The child holds the file itself (no pipe), so it can go on writing when its parent is gone or slow.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._shown = self._size()
        self._started = self._shown
        self._partial = b""

    def open_for_child(self) -> BinaryIO:
        """Open the file for appending, and remember where this run of the child begins."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.bound()
        self._started = self._size()
        return self.path.open("ab")

    def bound(self) -> None:
        """Keep one older file and begin anew once the log is longer than MAX_BYTES.

        Copied and truncated, not renamed, because a running child holds it open; since it appends, its next line
        goes to the new beginning. A line written between copy and truncation is lost.
        """
        if self._size() <= MAX_BYTES:
            return
        shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
        with self.path.open("r+b") as file:
            file.truncate(0)
        self._shown = self._started = 0

    def new_lines(self) -> list[str]:
        """Return the complete lines that were written since the last call."""
        if self._size() < self._shown:
            self._shown = 0
        chunk = self._partial + self._read(self._shown, READ_BYTES)
        self._shown += len(chunk) - len(self._partial)
        *lines, self._partial = chunk.split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def tail(self, lines: int = 8) -> str:
        """Return the last lines of the current run of the child, as text."""
        start = max(self._started, self._size() - READ_BYTES)
        text = self._read(start, READ_BYTES).decode(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def _read(self, offset: int, count: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                return file.read(count)
        except FileNotFoundError:
            return b""

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
