"""Waits for what may take long, and watches the levels of a position meanwhile."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from activities.watcher import Watcher
from domain.ports import LevelHit, Subscription, Wake

T = TypeVar("T")

# No candle wakes: what is waited for is to judge them.
_ALL_SEEN = sys.maxsize


async def unless_hit(
    work: asyncio.Future[T],
    guard: Watcher,
    subscription: Subscription,
    *,
    beat: Callable[[], None],
    beat_seconds: float,
) -> T | LevelHit:
    """Return what comes of the work, or the level that a price has reached before; the work is then given up.

    Args:
        guard: knows the levels.
        beat: says that the watch lives; called every so many seconds.
    """
    try:
        while not work.done():
            wait = asyncio.ensure_future(
                subscription.wait(
                    seen=_ALL_SEEN, opened=guard.opened, levels=guard.levels, was_stale=subscription.view().stale
                )
            )
            await _either(work, wait, beat_seconds)
            if not work.done() and wait.done() and isinstance(hit := wait.result(), LevelHit):
                return hit
            wait.cancel()
            beat()
        return work.result()
    finally:
        work.cancel()


async def _either(work: asyncio.Future[T], wait: asyncio.Future[Wake], seconds: float) -> None:
    both: set[asyncio.Future[Any]] = {work, wait}
    try:
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        wait.cancel()
        raise
