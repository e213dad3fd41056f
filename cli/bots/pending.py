"""What a bot has asked for and not got: its activities that have failed and are tried again, as Temporal has them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import WorkflowExecutionDescription

from domain.model import Model

Pending: TypeAlias = PendingActivityInfo

WATCH = "watch_market"
# What a bot does without: these wait behind its trading.
_BEHIND_TRADING = ("write_journal", "notify")
_WORDS = {
    "load_row": "reading its row",
    "prepare": "the check of its configuration",
    "find_orders": "asking the venue for its orders",
    "submit_order": "placing an order",
    "resolve_order": "looking up an order",
    "cancel_order": "cancelling an order",
    WATCH: "watching the market",
    "write_journal": "writing the journal",
    "notify": "handing over messages",
}


class Failing(Model):
    """An activity that is tried again and again.

    Attributes:
        failures: how often it has failed so far.
        next_attempt_at: None while an attempt is under way.
    """

    activity: str
    failures: int
    reason: str
    next_attempt_at: datetime | None

    @property
    def holds_up_trading(self) -> bool:
        """Whether the bot cannot go on before it succeeds."""
        return self.activity not in _BEHIND_TRADING

    def __str__(self) -> str:
        what = _WORDS.get(self.activity, self.activity)
        times = "once" if self.failures == 1 else f"{self.failures} times"
        return f"{what} has failed {times}: {self.reason}; {self._next()}"

    def _next(self) -> str:
        if self.next_attempt_at is None:
            return "the next attempt is under way"
        seconds = (self.next_attempt_at - datetime.now(UTC)).total_seconds()
        return f"next attempt in {max(round(seconds), 0)} s"


def pending_of(run: WorkflowExecutionDescription) -> Sequence[Pending]:
    """Return the activities that a bot waits for."""
    return run.raw_description.pending_activities


def failing(activities: Sequence[Pending]) -> list[Failing]:
    """Return what fails, and is tried again. A watch that is under way works, whatever became of the one before."""
    return [_failing(pending) for pending in activities if pending.HasField("last_failure") and not _watches(pending)]


def time_of(stamp: Timestamp) -> datetime:
    """Return a moment as Temporal tells it."""
    return stamp.ToDatetime(tzinfo=UTC)


def _failing(pending: Pending) -> Failing:
    waits = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return Failing(
        activity=pending.activity_type.name,
        failures=pending.attempt - 1,
        reason=_reason(pending.last_failure),
        next_attempt_at=time_of(pending.next_attempt_schedule_time) if waits else None,
    )


def _reason(failure: Failure) -> str:
    # A failure with all its stack traces is too long for the server's list: it wraps a shortened one.
    while failure.HasField("server_failure_info") and failure.HasField("cause"):
        failure = failure.cause
    return failure.message


def _watches(pending: Pending) -> bool:
    started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    return started and pending.activity_type.name == WATCH
