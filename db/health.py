"""Whether the database takes what a process writes: told in the log once when it stops, and once when it does again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from domain.errors import StoreUnavailable

log = structlog.get_logger(__name__)

# Seconds without a failure after which all is well. Longer than a journal waits between two attempts, so that an outage
# is one, however many of its writes succeed: on a full disk, some find room.
_SETTLED = 40.0


class StoreHealth:
    """What became of the writes of one process."""

    def __init__(self, engine: AsyncEngine, *, now: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._now = now
        self._began: float | None = None
        self._failed_at = float("-inf")
        self._reason = ""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Note whether what is written in this block is taken. Errors pass through."""
        try:
            yield
        except StoreUnavailable as error:
            self._failed(str(error))
            raise
        self._worked()

    async def verdict(self) -> str | None:
        """Return what is wrong with the database: it does not answer, or has not taken a write lately; or None."""
        try:
            async with transaction(self._engine):
                return self._reason if self._fails() else None
        except StoreUnavailable as error:
            return str(error)

    def _fails(self) -> bool:
        return self._now() - self._failed_at < _SETTLED

    def _failed(self, reason: str) -> None:
        self._reason, self._failed_at = reason, self._now()
        if self._began is None:
            self._began = self._failed_at
            log.warning("the database takes nothing: bots trade on, their journals wait", reason=reason)

    def _worked(self) -> None:
        if self._began is not None and not self._fails():
            log.warning("the database takes everything again", seconds=round(self._failed_at - self._began))
            self._began = None
