"""Short forms for tests of the feeds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from domain.decisions import ExitLevels
from domain.ports import FeedKey, MarketView, Subscription, Wake
from market.data import MarketData
from tests.market.conftest import KEY
from tests.support.venue import settle

NO_LEVELS = ExitLevels()


def levels(*, stop: str | None = None, target: str | None = None, last_stop: str | None = None) -> ExitLevels:
    return ExitLevels(
        stop=None if stop is None else Decimal(stop),
        target=None if target is None else Decimal(target),
        last_stop=None if last_stop is None else Decimal(last_stop),
    )


@asynccontextmanager
async def joined(
    market: MarketData, key: FeedKey = KEY, *, lookback: int = 100, since: int | None = None, price_seconds: float = 1
) -> AsyncIterator[Subscription]:
    """Join a feed and let it load."""
    async with market.subscribe(key, lookback=lookback, since=since, price_seconds=price_seconds) as subscription:
        await settle()
        yield subscription


def newest(view: MarketView) -> int:
    return int(view.candles.open_time[-1])


@asynccontextmanager
async def waiting(
    subscription: Subscription,
    *,
    seen: int | None = None,
    opened: int | None = None,
    levels: ExitLevels = NO_LEVELS,
    was_stale: bool = False,
) -> AsyncIterator["asyncio.Task[Wake]"]:
    """Wait in a task, which ends with the block."""
    task = asyncio.ensure_future(subscription.wait(seen=seen, opened=opened, levels=levels, was_stale=was_stale))
    await settle()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wakes_with(subscription: Subscription, **arguments: object) -> Wake | None:
    """Return what a wait returns at once, or None if it goes on waiting."""
    async with waiting(subscription, **arguments) as task:  # type: ignore[arg-type]
        return task.result() if task.done() else None
