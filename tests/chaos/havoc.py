"""Does to the system what the schedule says."""

import asyncio
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import psutil
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from domain.queues import workflow_id
from embedded.errors import EmbeddedError
from tests.chaos import copies
from tests.chaos.events import LONG_FREEZE, Event, Pace, Seconds
from tests.chaos.faults import slow_orders
from tests.chaos.scene import WORKERS, Scene
from tests.chaos.worker import KILL_AFTER, KILL_BEFORE, STOP_BEFORE

Tell = Callable[[str], None]

SUBMIT = "submit_order"
# For so long somebody is waited for who walks into a trap, or has an order on its way.
_PATIENCE = 25.0
# An order that is late by this arrives before its deadline, and after a bot that was reset has decided anew.
_LATE_MS = 3_500
_LOOK = 0.1
# A reset goes back over so many workflow tasks at most.
_BACK = 60
# What goes on beside the next events.
_BESIDE = {
    Event.FREEZE,
    Event.FREEZE_SENDING,
    Event.FREEZE_SENDING_LONG,
    Event.KILL_BEFORE_SENDING,
    Event.KILL_AFTER_SENDING,
    Event.RESET_SENDING,
}


class Havoc:
    """The hand that does it. What it picks is drawn by `chance`; what is there to pick depends on the moment."""

    def __init__(
        self, scene: Scene, chance: random.Random, pace: Pace, faults: Sequence[Mapping[str, Any]], tell: Tell
    ) -> None:
        self._scene = scene
        self._chance = chance
        self._pace = pace
        self._faults = [dict(fault) for fault in faults]
        self._tell = tell
        # Held by whoever starts or stops parts of the stack, so that nothing is killed that is not there.
        self._stack = asyncio.Lock()
        self._trapping: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._beside: set[asyncio.Task[object]] = set()
        self._copy = scene.traps.parent / "copy"
        self._events: Mapping[Event, Callable[[], Awaitable[object]]] = {
            Event.FREEZE: self._freeze_any,
            Event.FREEZE_SENDING: lambda: self._freeze_sending(self._pace.freeze),
            Event.FREEZE_SENDING_LONG: lambda: self._freeze_sending(LONG_FREEZE),
            Event.KILL_BEFORE_SENDING: lambda: self._spring(KILL_BEFORE),
            Event.KILL_AFTER_SENDING: lambda: self._spring(KILL_AFTER),
            Event.TEMPORAL: self._kill_temporal,
            Event.DATABASE: self._stop_database,
            Event.RESET: self._reset_any,
            Event.RESET_SENDING: self._reset_sending,
            Event.COPY: self._take_copy,
            Event.RESTORE_TEMPORAL: lambda: self._restore(everything=False),
            Event.RESTORE_ALL: lambda: self._restore(everything=True),
        }

    async def carry_out(self, event: Event) -> None:
        """Let it happen. What takes its time goes on beside what comes next."""
        self._tell(event)
        task = asyncio.ensure_future(self._events[event]())
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        if event not in _BESIDE:
            await task

    async def kill_forever(self) -> None:
        """Kill one worker or the other, again and again."""
        while True:
            await asyncio.sleep(self._chance.uniform(*self._pace.kill))
            async with self._stack:
                self._kill(self._chance.choice(WORKERS))

    async def relent(self) -> None:
        """Take back whatever still stands in the way: traps, frozen processes."""
        others = self._beside - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for trap in self._scene.traps.iterdir():
            trap.unlink()
        for worker in WORKERS:
            if (life := self._scene.life(worker)) is not None:
                with suppress(psutil.NoSuchProcess):
                    life.resume()

    def _kill(self, worker: str) -> None:
        if (life := self._scene.life(worker)) is not None:
            self._tell(f"kill -9 {worker} ({life.pid})")
            with suppress(psutil.NoSuchProcess):
                life.kill()

    # frozen processes

    async def _freeze_any(self) -> None:
        life = self._scene.life(self._chance.choice(WORKERS))
        if life is not None:
            with suppress(psutil.NoSuchProcess):
                life.suspend()
                await self._stand_still(life, self._pace.freeze)

    async def _freeze_sending(self, seconds: Seconds) -> None:
        pid = await self._spring(STOP_BEFORE)
        if pid is not None:
            with suppress(psutil.NoSuchProcess):
                await self._stand_still(psutil.Process(pid), seconds)

    async def _stand_still(self, process: psutil.Process, bounds: Seconds) -> None:
        seconds = self._chance.uniform(*bounds)
        self._tell(f"process {process.pid} stands still for {seconds:.0f} s")
        await asyncio.sleep(seconds)
        with suppress(psutil.NoSuchProcess):
            process.resume()

    async def _spring(self, name: str) -> int | None:
        """Lay a trap, and return who has walked into it; None if nobody has."""
        async with self._trapping[name]:
            return await self._caught(name)

    async def _caught(self, name: str) -> int | None:
        trap = self._scene.traps / name
        trap.touch()
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for sprung in self._scene.traps.glob(f"{name}.*"):
                sprung.unlink()
                pid = int(sprung.suffix[1:])
                self._tell(f"process {pid}: {name}")
                return pid
            await asyncio.sleep(_LOOK)
        trap.unlink(missing_ok=True)
        self._tell(f"nobody: {name}")
        return None

    # servers

    async def _kill_temporal(self) -> None:
        async with self._stack:
            with suppress(EmbeddedError):
                self._scene.stack.supervisor.kill("temporal")
            await self._scene.stack.supervisor.wait_ready("temporal")

    async def _stop_database(self) -> None:
        async with self._without("postgres"):
            seconds = self._chance.uniform(*self._pace.outage)
            await asyncio.sleep(seconds / 2)
            self._kill(self._chance.choice(WORKERS))
            await asyncio.sleep(seconds / 2)

    async def _take_copy(self) -> None:
        """Copy Temporal's file while PostgreSQL is away: so the journal knows nothing that the workflows do not."""
        home = self._scene.stack.data_dir
        async with self._without("postgres"):
            self._copy.mkdir(exist_ok=True)
            await copies.copy_temporal(home, self._copy)
            await copies.copy_postgres(home, self._copy)

    async def _restore(self, *, everything: bool) -> None:
        home = self._scene.stack.data_dir
        await self.relent()
        # Backwards: the first worker is to be the first again, because it tells the bots to look for their orders.
        workers = reversed(WORKERS)
        async with self._without(*workers, "temporal", *(["postgres"] if everything else [])):
            await copies.restore_temporal(home, self._copy)
            if everything:
                await copies.restore_postgres(home, self._copy)

    @asynccontextmanager
    async def _without(self, *names: str) -> Any:
        """Stop parts of the stack in this order, and start them in the opposite one."""
        supervisor = self._scene.stack.supervisor
        async with self._stack:
            children = [self._scene.child(name) for name in names]
            for name in names:
                await supervisor.stop(name)
            try:
                yield
            finally:
                for child in reversed(children):
                    await supervisor.start(child)

    # histories

    async def _reset_any(self) -> None:
        """Reset a bot to one of its last workflow tasks, whatever that forgets."""
        handle = self._handle(self._chance.choice(self._scene.members).bot_id)
        with suppress(RPCError):
            events = [event async for event in handle.fetch_history_events()]
            tasks = [e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
            await self._reset(handle, self._chance.choice(tasks[-_BACK:]))

    async def _reset_sending(self) -> None:
        """Have orders arrive late, and reset a bot to what it was before it decided on the one that is on its way."""
        await self._scene.venue.set_faults([slow_orders(_LATE_MS), *self._faults])
        try:
            deadline = time.monotonic() + _PATIENCE
            while time.monotonic() < deadline:
                for member in self._chance.sample(self._scene.members, len(self._scene.members)):
                    with suppress(RPCError):
                        if await self._reset_if_sending(self._handle(member.bot_id)):
                            return
                await asyncio.sleep(_LOOK)
            self._tell("no order was on its way")
        finally:
            await self._scene.venue.set_faults(self._faults)

    async def _reset_if_sending(self, handle: "WorkflowHandle[Any, Any]") -> bool:
        description = await handle.describe()
        pending = description.raw_description.pending_activities
        if not any(each.activity_type.name == SUBMIT and each.attempt == 1 for each in pending):
            return False
        events = [event async for event in handle.fetch_history_events()]
        scheduled = _last_submission(events)
        if scheduled is None:
            return False
        # It may have been signed just now, and is at the venue in a moment.
        await asyncio.sleep(0.5)
        await self._reset(handle, scheduled.activity_task_scheduled_event_attributes.workflow_task_completed_event_id)
        return True

    async def _reset(self, handle: "WorkflowHandle[Any, Any]", to: int) -> None:
        description = await handle.describe()
        request = ResetWorkflowExecutionRequest(
            namespace=self._scene.stack.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=description.run_id),
            reason="chaos",
            workflow_task_finish_event_id=to,
            request_id=str(uuid.uuid4()),
        )
        await self._scene.client.workflow_service.reset_workflow_execution(request)
        self._tell(f"{handle.id} was reset from event {description.history_length} to {to}")

    def _handle(self, bot_id: str) -> "WorkflowHandle[Any, Any]":
        return self._scene.client.get_workflow_handle(workflow_id(bot_id))


def _last_submission(events: Sequence[HistoryEvent]) -> HistoryEvent | None:
    """Return the event that scheduled the newest order."""
    scheduled = (
        event
        for event in reversed(events)
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == SUBMIT
    )
    return next(scheduled, None)
