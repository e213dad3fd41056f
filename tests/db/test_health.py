"""A database that takes nothing is told once in the log, and to whoever asks; so is its return."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from db.bots import BotRepository
from db.engine import make_engine
from db.health import StoreHealth
from db.journal import JournalRepository
from db.liveness import LivenessRepository
from db.notifications import LogNotifier
from domain.errors import StoreUnavailable
from domain.ports import Liveness
from tests.db.samples import BOT, START, config, event, notice, numbered
from tests.support.refusals import Refusing, full_disk, read_only

Write: TypeAlias = Callable[[AsyncEngine, StoreHealth], Awaitable[None]]

REFUSALS = [
    pytest.param(read_only, "it is read-only: cannot execute", id="read-only"),
    pytest.param(full_disk, "its disk is full: could not extend file", id="full-disk"),
]


class Clock:
    """A clock that a test steps, in seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(engine: AsyncEngine, clock: Clock) -> StoreHealth:
    return StoreHealth(engine, now=clock)


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as found:
        yield found


async def write_entry(engine: AsyncEngine, health: StoreHealth) -> None:
    await JournalRepository(engine, health).write(numbered(str(uuid4()), event()))


async def write_signs(engine: AsyncEngine, health: StoreHealth) -> None:
    await LivenessRepository(engine, health).flush("worker", [Liveness(BOT, START, None, None, None, None)])


async def write_message(engine: AsyncEngine, health: StoreHealth) -> None:
    await LogNotifier(engine, health).deliver([notice()])


@pytest.mark.parametrize(("refusing", "why"), REFUSALS)
@pytest.mark.parametrize("write", [write_entry, write_signs, write_message])
async def test_what_a_server_refuses_is_known_to_whoever_asks(
    engine: AsyncEngine, health: StoreHealth, write: Write, refusing: Refusing, why: str
) -> None:
    await BotRepository(engine).create(BOT, config())
    async with refusing(engine):
        assert await health.verdict() is None, "it answers, and nothing was written yet"
        with pytest.raises(StoreUnavailable, match=f"refuses to write, {why}"):
            await write(engine, health)
        assert f"refuses to write, {why}" in (await health.verdict() or "")


def attempt(health: StoreHealth, trouble: str | None) -> None:
    """Write once, and have it fail or not."""
    with suppress(StoreUnavailable), health.writing():
        if trouble:
            raise StoreUnavailable(trouble)


async def test_an_outage_is_two_lines_however_many_writes_it_has(
    health: StoreHealth, clock: Clock, lines: list[MutableMapping[str, Any]]
) -> None:
    attempt(health, None)
    for second in range(120):
        clock.now = 100.0 + second
        # On a full disk some writes find room.
        attempt(health, None if second % 7 == 3 else "full")
    assert await health.verdict() == "full"
    clock.now += 39
    attempt(health, None)
    assert await health.verdict() == "full"
    clock.now += 2
    attempt(health, None)
    attempt(health, None)
    assert await health.verdict() is None
    assert lines == [
        {
            "event": "the database takes nothing: bots trade on, their journals wait",
            "reason": "full",
            "log_level": "warning",
        },
        {"event": "the database takes everything again", "seconds": 119, "log_level": "warning"},
    ]


async def test_a_database_that_does_not_answer_is_told_from_one_that_refuses() -> None:
    away = make_engine("postgresql://me@127.0.0.1:1/bots")
    assert "127.0.0.1:1/bots cannot be reached" in (await StoreHealth(away).verdict() or "")
    await away.dispose()
