"""What a bot asks of the database and of the venue about its configuration. Either may take long to answer."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.config import ConfigActivities
    from domain.config import BotConfig
    from domain.queues import Role
    from domain.state import BotRow, Prepared

T = TypeVar("T")

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


async def read_row(bot_id: str) -> BotRow | None:
    """Return the row of a bot, None when it is gone; waits for the database as long as it takes."""
    try:
        return await workflow.execute_activity_method(
            ConfigActivities.load_row,
            bot_id,
            task_queue=Role.JOURNAL,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=_RETRY,
            summary="read the row",
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("the row is gone: %s", error.cause)
        return None


async def check_config(raw: dict[str, Any], bot_id: str, *, patience: timedelta | None = None) -> Prepared:
    """Check a configuration, waiting for the venue as long as it takes, or as long as the patience lasts."""
    try:
        prepared = await workflow.execute_activity_method(
            ConfigActivities.prepare,
            raw,
            task_queue=Role.MARKET,
            schedule_to_close_timeout=patience,
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=_RETRY,
            summary="check the configuration",
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return Prepared(problems=(f"it could not be checked: {error.cause or error}",))
    problem = prepared.config and misnamed(prepared.config, bot_id)
    return Prepared(problems=(problem,)) if problem else prepared


def misnamed(config: BotConfig, bot_id: str) -> str | None:
    """Return why a configuration cannot be this bot's, or None."""
    return None if config.id == bot_id else f"id: must be {bot_id}, a bot cannot be renamed; was {config.id}"


async def unless(overtaken: Callable[[], bool], work: Coroutine[Any, Any, T]) -> T | None:
    """Wait for work, unless it is overtaken by events: then give it up and return None."""
    task = abandonable(asyncio.create_task(work))
    try:
        await workflow.wait_condition(lambda: task.done() or overtaken())
        return task.result() if task.done() else None
    finally:
        task.cancel()


def abandonable(task: asyncio.Task[T]) -> asyncio.Task[T]:
    """Return a task that nobody may come back to: that its activity was cancelled is then no error to be logged."""
    task.add_done_callback(_forgive_cancellation)
    return task


def _forgive_cancellation(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None and not is_cancelled_exception(error):
        raise error
