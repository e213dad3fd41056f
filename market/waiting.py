"""Waiting for a moment of the venue's clock that something may cut short."""

import asyncio

from market.clock import Clock


async def sleep_until_or(clock: Clock, moment: int, alarm: asyncio.Event) -> None:
    """Return once the venue's clock shows `moment`, or `alarm` is set, whichever comes first."""
    if alarm.is_set():
        return
    both = {asyncio.ensure_future(clock.sleep_until(moment)), asyncio.ensure_future(alarm.wait())}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in both:
            each.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is gone."""
    if task is None:
        return
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
