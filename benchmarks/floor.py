"""The least that a decision and an order can cost: an activity that ends, followed by an empty one."""

import time
from datetime import timedelta

from temporalio import activity, workflow

_TIMEOUT = timedelta(seconds=10)


@activity.defn
async def first() -> float:
    """End, and say when."""
    return time.perf_counter()


@activity.defn
async def empty() -> float:
    """Do nothing, and say when."""
    return time.perf_counter()


@workflow.defn
class Floor:
    """Two activities in a row."""

    @workflow.run
    async def run(self) -> float:
        """Return the seconds between the end of one activity and the end of the next."""
        began = await workflow.execute_activity(first, start_to_close_timeout=_TIMEOUT)
        return await workflow.execute_activity(empty, start_to_close_timeout=_TIMEOUT) - began
