"""A halt as a worker knows it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from activities import halting
from activities.halting import Halts
from domain.errors import StoreUnavailable
from domain.halts import Halt

STORM = Halt(reason="a storm", author="ada", since=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class FakeHaltStore:
    """Yields what a test puts in; an exception is raised."""

    halt: Halt | None = None
    failure: Exception | None = None
    told: asyncio.Queue[Halt | Exception | None] = field(default_factory=asyncio.Queue)

    async def current(self) -> Halt | None:
        if self.failure:
            raise self.failure
        return self.halt

    async def changes(self) -> AsyncIterator[Halt | None]:
        while True:
            told = await self.told.get()
            if isinstance(told, Exception):
                raise told
            yield told


@dataclass
class FakeMemory:
    kept: Halt | None = None
    written: asyncio.Queue[Halt | None] = field(default_factory=asyncio.Queue)

    def load(self) -> Halt | None:
        return self.kept

    def keep(self, halt: Halt | None) -> None:
        self.kept = halt
        self.written.put_nowait(halt)


async def test_a_worker_that_starts_without_the_database_remembers_the_halt() -> None:
    halts = Halts(FakeHaltStore(failure=StoreUnavailable("away")), FakeMemory(STORM))
    await halts.begin()
    assert halts.closed() == "entries are halted: a storm"


async def test_and_one_that_has_heard_of_none_trades() -> None:
    halts = Halts(FakeHaltStore(failure=StoreUnavailable("away")), FakeMemory())
    await halts.begin()
    assert halts.closed() is None


async def test_a_database_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(FakeHaltStore):
        async def current(self) -> Halt | None:
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr(halting, "_PATIENCE_SECONDS", 0.01)
    halts = Halts(Silent(), FakeMemory(STORM))
    await halts.begin()
    assert halts.closed() == "entries are halted: a storm"


async def test_the_database_has_the_last_word_at_the_start() -> None:
    memory = FakeMemory(STORM)
    halts = Halts(FakeHaltStore(halt=None), memory)
    await halts.begin()
    assert (halts.closed(), memory.kept) == (None, None)


async def test_changes_are_heard_and_kept_through_outages_and_bugs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting, "_RETRY_SECONDS", 0)
    store, memory = FakeHaltStore(), FakeMemory()
    halts = Halts(store, memory)
    following = asyncio.create_task(halts.follow())
    for told in (STORM, StoreUnavailable("away"), ValueError("a bug"), STORM, None):
        store.told.put_nowait(told)
    async with asyncio.timeout(5):
        assert await memory.written.get() == STORM
        assert await memory.written.get() is None
    assert halts.closed() is None
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
