"""What the processes of this machine use of the patience of an address, known to all of them.

Each process writes a small file of its own and reads those of the others, so nobody waits for a lock, and one that is
killed or frozen holds nothing. What it had under way counts until it must have ended.
"""

import logging
import os
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

# A venue counts by the minutes of its clock. One that does not tell the time with its report is taken to be so late.
_LAG_SECONDS = 1.0
# Requests end within their timeout; what was under way so long ago belongs to a process that is gone.
_LONGEST_SECONDS = 30.0
_LAYOUT = struct.Struct("<6d")


class _Record(NamedTuple):
    """What one process knows. Times are seconds of the wall clock.

    Attributes:
        under_way: weight of the requests that it waits for.
        reported: what the venue said was used in its minute, by everybody at the address.
        told_at: when it said so, by its own clock, rounded down.
        alone_until: the venue wants to be left alone until then.
    """

    written_at: float = 0.0
    under_way: float = 0.0
    reported: float = 0.0
    heard_at: float = 0.0
    told_at: float = 0.0
    alone_until: float = 0.0


class AddressBudget:
    """Adds up what all processes use of one address in this minute.

    Args:
        folder: where the processes of this machine meet; None for a process that has nobody to share with.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._own = _Record()
        self._alone_until = 0.0
        self._well = True
        if folder is not None:
            self._prepare(folder)

    @contextmanager
    def spending(self, weight: float) -> Iterator[None]:
        """Count a request while it is under way; afterwards the venue's report has it."""
        self._write(under_way=self._own.under_way + weight)
        try:
            yield
        finally:
            self._write(under_way=self._own.under_way - weight)

    def hear(self, used: float, *, told_at: float | None = None) -> None:
        """Take in what the venue says was used in its minute.

        Args:
            told_at: when it says so, seconds of its clock, rounded down; None if it does not tell.
        """
        now = time.time()
        self._write(reported=used, heard_at=now, told_at=now - _LAG_SECONDS if told_at is None else told_at)

    def leave_alone(self, seconds: float) -> None:
        """Have nobody ask anything for so long."""
        self._alone_until = max(self._alone_until, time.monotonic() + seconds)
        self._write()

    def reported(self) -> float:
        """Return the weight used in this minute by the venue's newest report; 0 before the first."""
        return _reported(_newest(self._records()), time.time())

    def used(self) -> float:
        """Return the most that can have been used in this minute: what is reported, and what is under way."""
        now, records = time.time(), self._records()
        under_way = sum(each.under_way for each in records if now - each.written_at < _LONGEST_SECONDS)
        return _reported(_newest(records), now) + under_way

    def alone_for(self) -> float:
        """Return for how many seconds the venue wants to be left alone; 0 or less: it may be asked."""
        own, others = self._alone_until - time.monotonic(), self._records()[1:]
        return max([own, *(record.alone_until - time.time() for record in others)])

    def renewed_in(self) -> float:
        """Return the seconds until the venue's next minute."""
        return 60.0 - _venue_time(_newest(self._records()), time.time()) % 60.0

    def _records(self) -> list[_Record]:
        if self._folder is None:
            return [self._own]
        # What claims to be written later than now is of a clock that was put back since, and says nothing.
        latest = time.time() + _LAG_SECONDS
        return [self._own, *(record for _, record in self._others(self._folder) if record.written_at < latest)]

    def _others(self, folder: Path) -> list[tuple[Path, _Record]]:
        try:
            with os.scandir(folder) as entries:
                told = [(Path(entry), Path(entry).read_bytes()) for entry in entries if entry.name != self._name]
        except OSError as error:
            self._warn_once(error)
            return []
        return [(path, _Record(*_LAYOUT.unpack(record))) for path, record in told if len(record) == _LAYOUT.size]

    def _write(self, **changes: float) -> None:
        now = time.time()
        # By the steady clock, whatever becomes of the one on the wall.
        alone_until = now + self._alone_until - time.monotonic()
        self._own = self._own._replace(written_at=now, alone_until=alone_until, **changes)
        if self._folder is None:
            return
        try:
            # Opened anew, since another process may have swept the file away; written at once, so never read by halves.
            file = os.open(self._folder / self._name, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.write(file, _LAYOUT.pack(*self._own))
            finally:
                os.close(file)
        except OSError as error:
            self._warn_once(error)

    def _prepare(self, folder: Path) -> None:
        """Make the folder, and sweep away what processes have left that are long gone."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path, record in self._others(folder):
                if max(record.written_at + 3_600, record.alone_until) < time.time():
                    path.unlink(missing_ok=True)
        except OSError as error:
            self._warn_once(error)

    def _warn_once(self, error: OSError) -> None:
        """Say that this process counts alone for now; it is no reason to stop."""
        if self._well:
            log.warning("the budget in %s cannot be shared: %s", self._folder, error.strerror or error)
        self._well = False


def _newest(records: list[_Record]) -> _Record:
    return max(records, key=lambda record: record.heard_at)


def _reported(newest: _Record, now: float) -> float:
    return newest.reported if _venue_time(newest, now) // 60 == newest.told_at // 60 else 0.0


def _venue_time(newest: _Record, now: float) -> float:
    """Return what the venue's clock shows, or a little less: so its minute is not taken to be over before it is."""
    return now - newest.heard_at + newest.told_at
