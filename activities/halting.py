"""The halt as this process knows it: heard of at once, asked for twice a minute, and not forgotten in a restart."""

import asyncio

import structlog

from domain.errors import StoreUnavailable
from domain.halts import Halt
from domain.ports import HaltMemory, HaltStore

log = structlog.get_logger(__name__)

# A worker begins when it knows whether entries are halted; a database that is away keeps it waiting no longer.
_PATIENCE_SECONDS = 2.0
_RETRY_SECONDS = 2.0


class Halts:
    """Knows whether a halt is in force, by the database or, without it, by what was kept."""

    def __init__(self, store: HaltStore, memory: HaltMemory) -> None:
        self._store = store
        self._memory = memory
        self._halt: Halt | None = None
        self._lost = False

    def closed(self) -> str | None:
        """Return why no entry may be made at all now, or None."""
        return self._halt.refusal if self._halt else None

    async def begin(self) -> None:
        """Return once it is known whether entries are halted, as far as that can be known now."""
        self._halt = await asyncio.to_thread(self._memory.load)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._hear(await self._store.current())
        except (StoreUnavailable, TimeoutError) as error:
            kept = self._halt.refusal if self._halt else "entries are not halted"
            log.warning("halts not read, as last heard", kept=kept, reason=str(error) or "no answer")

    async def follow(self) -> None:
        """Hear of every change, until cancelled. A database that is away changes nothing."""
        while True:
            try:
                async for halt in self._store.changes():
                    self._lost = False
                    await self._hear(halt)
            except Exception as error:  # whatever it is, the next change must still be heard
                self._warn_once(error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _hear(self, halt: Halt | None) -> None:
        if halt == self._halt:
            return
        # In force first: the disk may be slow.
        self._halt = halt
        if halt is None:
            log.info("entries allowed again")
        else:
            log.warning("entries halted", reason=halt.reason, author=halt.author, since=halt.since.isoformat())
        await asyncio.to_thread(self._memory.keep, halt)

    def _warn_once(self, error: Exception) -> None:
        if not self._lost:
            foreseen = isinstance(error, StoreUnavailable)
            log.warning("halts are not heard of now", reason=str(error), exc_info=None if foreseen else error)
        self._lost = True
