"""The outbox of a bot: journal entries and messages leave in order, behind trading, and survive every restart.

The entries wait in the workflow's state, so a database that is away for hours costs nothing but memory. They are
removed only once they are written; a batch that was interrupted is written again, which changes nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.journal import JournalActivities, NotifyActivities
    from domain.journal import (
        BotEntry,
        DesiredEntry,
        EventEntry,
        JournalBatch,
        JournalEntry,
        JournalPayload,
        JournalReceipt,
        Notice,
        Severity,
    )
    from domain.queues import Role
    from domain.state import BotState
    from workflows.inquiries import abandonable

A = TypeVar("A")
R = TypeVar("R")

BATCH = 100
KEPT = 2_000
FULL = 3_000
NOTICES_KEPT = 1_000
# A payload of more than 2 MB is refused, and a bot that insists on it is stuck for good. Below LIGHT entries nobody
# need weigh them.
PORTABLE_BYTES = 1_800_000
LIGHT = 500
SLOW_ORDER = timedelta(seconds=2)
_TIMEOUT = timedelta(seconds=10)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


class Outbox:
    """Records what happens to one bot. The entries themselves live in the bot's state."""

    def __init__(self, state: BotState, on_receipt: Callable[[JournalReceipt, bool], None]) -> None:
        """Record into a state.

        Args:
            on_receipt: told of each written batch, and whether it held a person's command.
        """
        self._state = state
        self._on_receipt = on_receipt
        self._row_changed = False
        self._lost = 0

    @property
    def idle(self) -> bool:
        """True when everything was written and handed over."""
        return not (self._state.outbox or self._state.notices or self._row_changed)

    @property
    def full(self) -> bool:
        """True when so much waits for the database that nothing new should be begun: 200 round trips or so."""
        return len(self._state.outbox) >= FULL

    @property
    def portable(self) -> bool:
        """True when the state, with all that waits in it, can be carried into a new run."""
        return len(self._state.outbox) < LIGHT or len(self._state.model_dump_json()) <= PORTABLE_BYTES

    @property
    def commands_pending(self) -> tuple[DesiredEntry, ...]:
        """Persons' commands that the row does not show yet."""
        return tuple(e.payload for e in self._state.outbox if isinstance(e.payload, DesiredEntry))

    def record(self, payload: JournalPayload) -> None:
        """Add an entry. Above 2,000 kept entries events are given up: never orders, fills or trades."""
        state = self._state
        if len(state.outbox) >= KEPT and isinstance(payload, EventEntry):
            state.dropped_events += 1
            return
        state.outbox.append(JournalEntry(n=self._stamp(), at=workflow.now(), payload=payload))

    def event(self, type_: str, message: str, *, severity: Severity = "info", correlation: str | None = None) -> None:
        """Add something that happened."""
        self._state.last_event = message
        self.record(EventEntry(type=type_, message=message, severity=severity, correlation_id=correlation))

    def row_changed(self) -> None:
        """Have the bot's row written with the next batch, as the state is then."""
        self._row_changed = True

    def tell(self, kind: str, title: str, text: str, *, severity: Severity = "info") -> None:
        """Add a message for people. Above 1,000 kept messages it is given up; what it tells of is in the journal."""
        row = self._state.row
        if len(self._state.notices) >= NOTICES_KEPT:
            self._state.dropped_events += 1
            return
        notice = Notice(
            bot_id=row.bot_id,
            owner_id=row.owner_id,
            n=self._stamp(),
            at=workflow.now(),
            kind=kind,
            severity=severity,
            title=title,
            text=text,
        )
        self._state.notices.append(notice)

    def send_again(self) -> None:
        """Hear that the worker is gone that had what is under way: it is sent again at once, which changes nothing."""
        self._lost += 1

    def settle(self) -> None:
        """Turn what is still to be noted of the row into an entry, so that the state can be carried on."""
        if self._row_changed:
            self._row_changed = False
            self.record(self._row_entry())

    async def run_journal(self) -> None:
        """Write entries for ever: one batch at a time, not while an order is on its way, unless that is slow."""
        while True:
            await workflow.wait_condition(lambda: bool(self._state.outbox) or self._row_changed)
            await self._let_order_pass()
            self.settle()
            await self._write(tuple(self._state.outbox[:BATCH]))

    async def run_notices(self) -> None:
        """Hand messages over for ever, one batch at a time."""
        while True:
            await workflow.wait_condition(lambda: bool(self._state.notices))
            batch = self._state.notices[:BATCH]
            await self._send(NotifyActivities.notify, batch, queue=Role.NOTIFY, summary=batch[-1].title)
            del self._state.notices[: len(batch)]

    async def _let_order_pass(self) -> None:
        if self._state.ordering:
            try:
                await workflow.wait_condition(
                    lambda: not self._state.ordering,
                    timeout=SLOW_ORDER,
                    timeout_summary="the journal waits for the order",
                )
            except TimeoutError:
                workflow.logger.info("journal goes on beside a slow order")

    async def _write(self, entries: tuple[JournalEntry, ...]) -> None:
        row = self._state.row
        batch = JournalBatch(bot_id=row.bot_id, uid=row.uid, entries=entries)
        summary = f"{len(entries)} entries"
        receipt = await self._send(JournalActivities.write_journal, batch, queue=Role.JOURNAL, summary=summary)
        del self._state.outbox[: len(entries)]
        self._on_receipt(receipt, any(isinstance(entry.payload, DesiredEntry) for entry in entries))

    async def _send(self, activity: Callable[[Any, A], Awaitable[R]], batch: A, *, queue: Role, summary: str) -> R:
        """Have a batch delivered, however often that takes."""
        while True:
            lost = self._lost
            delivery = workflow.start_activity_method(
                activity,
                batch,
                task_queue=queue,
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_RETRY,
                summary=summary,
            )
            abandonable(delivery)
            try:
                await workflow.wait_condition(lambda: delivery.done() or self._lost != lost)  # noqa: B023
                if delivery.done():
                    return await delivery
            finally:
                if not delivery.done():
                    delivery.cancel()

    def _row_entry(self) -> BotEntry:
        state = self._state
        performance = state.carried.performance
        return BotEntry(
            status=state.status,
            observed_version=state.observed_version,
            rejected_version=state.rejected_version,
            current_balance=state.carried.book.equity(None),
            total_pnl=performance.total_pnl if performance else state.carried.book.cash * 0,
            error_count=state.error_count,
            last_error=state.last_error,
            carried=state.carried.model_dump(mode="json"),
        )

    def _stamp(self) -> int:
        """Return the next stamp: microseconds of the workflow's clock, and more than the last one."""
        now = int(workflow.now().timestamp() * 1_000_000)
        stamp = max(self._state.carried.stamp + 1, now)
        self._state.carry(stamp=stamp)
        return stamp
