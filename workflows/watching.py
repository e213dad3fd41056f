"""Watches of the market, as a workflow has them made."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityHandle

with workflow.unsafe.imports_passed_through():
    from activities.watch import WatchActivities
    from domain.config import BotConfig
    from domain.decisions import BOT_STOPPED, Decision
    from domain.instruments import Instrument
    from domain.queues import Role
    from domain.state import BotState
    from domain.watch import WatchRequest, WatchResult
    from workflows.command import Command
    from workflows.inquiries import abandonable
    from workflows.page import summary
    from workflows.stance import watch_request

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_JITTER = 0.1
_GLANCE_SECONDS = 5.0


class Watching:
    """Has the market watched for one bot."""

    def __init__(self, state: BotState) -> None:
        self._state = state

    def start(
        self, config: BotConfig, instrument: Instrument, command: Command | None, *, closed: str | None
    ) -> ActivityHandle[WatchResult]:
        """Begin a watch of one segment. It only reads, so it can be given up at any time.

        Args:
            closed: why no entry may be made, or None.
        """
        jitter = 1 + _JITTER * (2 * workflow.random().random() - 1)
        request = watch_request(self._state, config, instrument, command, closed=closed, jitter=jitter)
        return self._begin(request, summary(self._state))

    async def price_of_now(self, config: BotConfig, instrument: Instrument) -> Decision | None:
        """Return a decision to leave the position at the price of now; None while no price is known."""
        command = Command(order="close", reason=BOT_STOPPED)
        request = watch_request(self._state, config, instrument, command, closed=None, jitter=1)
        request = request.model_copy(update={"segment_seconds": _GLANCE_SECONDS})
        return (await self._begin(request, "the price of now")).decision

    def _begin(self, request: WatchRequest, told: str) -> ActivityHandle[WatchResult]:
        watch = workflow.start_activity_method(
            WatchActivities.watch_market,
            request,
            task_queue=Role.MARKET,
            start_to_close_timeout=timedelta(seconds=request.segment_seconds * 2 + 60),
            heartbeat_timeout=timedelta(seconds=self._state.options.heartbeat_timeout_seconds),
            retry_policy=_RETRY,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=told,
        )
        abandonable(watch)
        return watch
