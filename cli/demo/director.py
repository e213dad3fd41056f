"""Directs the show: lets the bots trade, kills their worker, waits for it to come back, and lets the curtain fall."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cli.demo.observer import Observer
from cli.demo.passage import Standing, standing
from cli.demo.scene import Actor, Mood, Phase, Scene
from cli.demo.screen import Screen
from cli.demo.stage import WORKER, Stage
from db.bots import BotRepository
from db.reads import Reads
from domain.queues import workflow_id

KILL_SHARE = 0.4
LOOK_SECONDS = 1.0
# While there is no worker, the moment at which all are back is measured.
CLOSE_LOOK_SECONDS = 0.25
RECOVERY_LIMIT = 120.0
CLOSING_LIMIT = 90.0


@dataclass(frozen=True)
class Kill:
    """The kill of the worker.

    Attributes:
        venue_at: the time on the venue's clock.
        elapsed: seconds of the show until then.
        before: how each bot stood.
        successor: process id of the next worker; None while there is none.
        recovery: seconds until every bot was watched again, by fresh candles; None as long as some are not.
    """

    pid: int
    at: datetime
    venue_at: datetime
    elapsed: float
    before: Mapping[str, Standing]
    successor: int | None = None
    recovery: float | None = None


@dataclass(frozen=True)
class Performance:
    """What happened on stage. `stopped`: every bot has ended in order."""

    elapsed: float
    kill: Kill | None
    stopped: bool


class Director:
    """One show."""

    def __init__(self, stage: Stage, screen: Screen, *, seconds: float) -> None:
        self._stage = stage
        self._screen = screen
        self._seconds = seconds
        self._reads = Reads(stage.engine)
        self._observer = Observer(BotRepository(stage.engine), self._reads, stage.clock)
        self._began = time.monotonic()
        self._kill: Kill | None = None
        self._closing = False

    async def wait_for_first_candles(self) -> None:
        """Wait until every bot has seen the market."""
        while True:
            actors = await self._observer.look()
            if all(actor.candle_age is not None for actor in actors):
                return
            await asyncio.sleep(CLOSE_LOOK_SECONDS)

    async def play(self, stop: asyncio.Event) -> Performance:
        """Play until the time is over, or `stop` is set; then every bot is stopped, its position closed."""
        self._began = time.monotonic()
        with self._screen.open():
            while not self._over(stop):
                if self._kill is None and self._elapsed >= self._seconds * KILL_SHARE:
                    await self._kill_worker()
                await self._show()
                await _wait(stop, self._pause)
            elapsed = self._elapsed
            stopped = await self._close()
        return Performance(elapsed, self._kill, stopped)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _recovering(self) -> bool:
        kill = self._kill
        return kill is not None and kill.recovery is None and self._elapsed - kill.elapsed < RECOVERY_LIMIT

    @property
    def _pause(self) -> float:
        return CLOSE_LOOK_SECONDS if self._recovering else LOOK_SECONDS

    def _over(self, stop: asyncio.Event) -> bool:
        return not self._recovering and (stop.is_set() or self._elapsed >= self._seconds)

    async def _show(self) -> None:
        actors = await self._observer.look()
        if self._recovering:
            self._note_recovery(actors)
        self._screen.show(self._scene(actors))

    async def _kill_worker(self) -> None:
        pid = self._stage.crew.kill(WORKER)
        at, venue_at, elapsed = datetime.now(UTC), self._stage.clock.now(), self._elapsed
        self._tell(f" ✗ worker {pid} killed with SIGKILL: no goodbye, no clean-up ", "bad")
        await self._observer.look()
        before = {bot.bot_id: await standing(self._reads, bot) for bot in self._observer.overviews}
        self._kill = Kill(pid, at, venue_at, elapsed, before)

    def _note_recovery(self, actors: tuple[Actor, ...]) -> None:
        kill, pid = self._kill, self._stage.crew.pid(WORKER)
        if kill is None or pid is None or pid == kill.pid:
            return
        since = self._elapsed - kill.elapsed
        if kill.successor != pid:
            self._kill = kill = replace(kill, successor=pid)
            self._tell(f"↻ the supervisor starts worker {pid}, {since:.1f} s after the kill", "note")
        if self._observer.watched_since(kill.at, kill.venue_at):
            self._kill = replace(kill, recovery=since)
            held = sum(bot.held is not None for bot in kill.before.values())
            text = f"{held} in position, {len(actors) - held} flat, as they were"
            self._tell(f"✓ all {len(actors)} bots are watched again after {since:.1f} s: {text}", "good")

    async def _close(self) -> bool:
        """Stop every bot as a person would, by signal; each closes its position, writes its last entry, and ends."""
        self._closing = True
        handles = [self._stage.client.get_workflow_handle(workflow_id(bot)) for bot in self._stage.bot_ids]
        await asyncio.gather(*(handle.signal("stop") for handle in handles))
        self._tell("time is up: every bot is told to stop, by signal", "note")
        ends = asyncio.gather(*(handle.result() for handle in handles))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_LIMIT):
                while not ends.done():
                    await self._show()
                    await asyncio.wait([ends], timeout=CLOSE_LOOK_SECONDS)
        await self._show()
        if not ends.done():
            ends.cancel()
            return False
        await ends
        return True

    def _tell(self, text: str, mood: Mood) -> None:
        self._screen.tell(self._observer.tell(text, mood))

    def _scene(self, actors: tuple[Actor, ...]) -> Scene:
        kill = self._kill
        return Scene(
            phase=self._phase,
            elapsed=self._elapsed,
            seconds=self._seconds,
            kill_at=kill.elapsed if kill else self._seconds * KILL_SHARE,
            worker=self._stage.crew.pid(WORKER),
            since_kill=self._elapsed - kill.elapsed if kill else None,
            recovery=kill.recovery if kill else None,
            actors=actors,
            lines=tuple(self._observer.lines),
            now=datetime.now(UTC),
            link=self._stage.link(self._stage.bot_ids[0]),
        )

    @property
    def _phase(self) -> Phase:
        if self._closing:
            return "closing"
        if self._kill is None:
            return "trading"
        return "killed" if self._kill.recovery is None else "recovered"


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    if stop.is_set():
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
