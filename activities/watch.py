"""The watch: a long activity that looks at the market for one bot and ends only with something to do.

It reads only. A zombie of it, on a partitioned or frozen worker, can trade nothing: what it returns is dropped.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.adoption import refuse_if_reset
from activities.failures import final
from activities.guarding import unless_hit
from activities.liveness import LivenessBoard
from activities.reconciling import Reconciler
from activities.watcher import Watcher
from domain.decisions import ExitState
from domain.errors import VenueMisfit
from domain.ports import EntryGate, FeedKey, LevelHit, Market, MarketView, Subscription, Wake
from domain.watch import Sighting, WatchRequest, WatchResult
from strategies.custom import AnyStrategy
from strategies.plugs import NO_PLUGINS, Plugs
from strategies.registry import build_strategy

# Share of the heartbeat timeout after which a silent watch says again that it lives.
HEARTBEAT_SHARE = 0.3
_SHORTEST_BLINK_SECONDS, _LONGEST_BLINK_SECONDS = 0.05, 1.0
# When another worker may take over a watch that a stopping one was given.
_HAND_OVER = timedelta(seconds=1)

T = TypeVar("T")


@dataclass(frozen=True)
class _Watch:
    """One watch: whose it is, what it sees by, and in which threads its strategy is evaluated."""

    request: WatchRequest
    watcher: Watcher
    subscription: Subscription
    differs: asyncio.Future[str]
    threads: Executor


class WatchActivities:
    """Watches the market for bots. One object per process, so that it knows all watches when the process stops."""

    def __init__(
        self,
        market: Market,
        board: LivenessBoard,
        executor: Executor,
        reconciler: Reconciler,
        gate: EntryGate,
        *,
        plugs: Plugs = NO_PLUGINS,
    ) -> None:
        """Watch through a market.

        Args:
            board: where each watch posts what it sees.
            executor: threads in which strategies of the catalogue are evaluated, off the event loop.
            reconciler: compares the books of live bots with their accounts.
            gate: says why no entry may be made now; the order activity asks it again.
            plugs: strategies of plugins, with threads of their own in which they are waited for.
        """
        self._market = market
        self._board = board
        self._executor = executor
        self._reconciler = reconciler
        self._gate = gate
        self._plugs = plugs
        self._waits: set[asyncio.Task[Wake]] = set()
        self._draining = False
        self._began = datetime.now(UTC)

    @activity.defn
    async def watch_market(self, request: WatchRequest) -> WatchResult:
        """Watch until there is something to do: a decision, the end of the segment, or a failing strategy."""
        if self._draining:
            # To return would have the workflow ask again until the process is gone; a retry leaves no event.
            raise ApplicationError(
                "this worker is stopping",
                type="WorkerStopping",
                next_retry_delay=_HAND_OVER,
                category=ApplicationErrorCategory.BENIGN,
            )
        refuse_if_reset(request.adopted_run, live=request.config.account is not None, began=self._began)
        threads = self._plugs.executor(request.config.strategy.model_dump()) or self._executor
        try:
            strategy = await self._strategy(request, threads)
        except VenueMisfit as error:
            raise final(error) from error
        except Exception as error:  # such as one that newer code does not have any more
            return _failed(Watcher(request, None, cached=None), error)
        if isinstance(strategy, WatchResult):
            return strategy
        watcher = Watcher(request, strategy, cached=_cached_exit_state())
        try:
            async with self._subscribed(request, strategy) as subscription:
                self._board.post(request, watcher.sighting)
                differs = asyncio.ensure_future(self._reconciler.difference(request))
                try:
                    return await self._watch(_Watch(request, watcher, subscription, differs, threads))
                finally:
                    differs.cancel()
        except VenueMisfit as error:
            raise final(error) from error
        finally:
            self._board.remove(request)

    def drain(self) -> None:
        """Have every watch of this process return a checkpoint at once, because the process is stopping."""
        self._draining = True
        for wait in self._waits:
            wait.cancel()

    async def _strategy(self, request: WatchRequest, threads: Executor) -> AnyStrategy | WatchResult | None:
        """Return the strategy, None when the levels alone are watched; or a decision that came before it was there.

        The process of a plugin may have to be started first.
        """
        if request.levels_only:
            return None
        work = asyncio.get_running_loop().run_in_executor(threads, _built, request, self._plugs)
        if request.book.position is None or threads is self._executor:
            return await work
        guard = Watcher(request, None, cached=_cached_exit_state())
        async with self._subscribed(request, None) as subscription:
            return await self._unless_hit(guard, subscription, work)

    def _subscribed(
        self, request: WatchRequest, strategy: AnyStrategy | None
    ) -> AbstractAsyncContextManager[Subscription]:
        return self._market.subscribe(
            _feed_key(request),
            lookback=_lookback(request, strategy),
            since=_folded(request, strategy),
            price_seconds=request.config.data.price_interval_seconds,
        )

    async def _watch(self, watch: _Watch) -> WatchResult:
        request, watcher, subscription = watch.request, watch.watcher, watch.subscription
        deadline = time.monotonic() + request.segment_seconds
        wake: Wake | None = "candle"
        while True:
            view = subscription.view()
            watcher.closed = self._gate.closed(request.config.account)
            result = watcher.on_time(view) or await self._look(watch, view, wake)
            if result is not None:
                return result
            # The first heartbeat goes out at once, and the next are throttled for long: let it be worth reading.
            if watcher.seen is not None or wake is None:
                activity.heartbeat(watcher.sighting)
            self._board.post(request, watcher.sighting, degraded=view.degraded)
            if self._draining or activity.is_worker_shutdown():
                return watcher.result("shutdown")
            if watch.differs.done():
                return watcher.result("differs", reason=watch.differs.result())
            left = deadline - time.monotonic()
            if left <= 0:
                return watcher.result("segment")
            patience = min(left, _heartbeat_seconds(), _blink(watcher.due_in(subscription.view())))
            wake = await self._wait(watch, patience)

    async def _look(self, watch: _Watch, view: MarketView, wake: Wake | None) -> WatchResult | None:
        watcher, command = watch.watcher, watch.request.command
        if isinstance(wake, LevelHit):
            result = watcher.on_level(view, wake)
            if result is not None:
                return result
        if command is not None:
            # To close takes no strategy: it does not wait for one.
            threads = self._executor if command == "close" else watch.threads
            result = await self._judge(watch, threads, lambda: watcher.on_command(view))
            if result is not None:
                return result
        if wake in ("candle", "stale", "fresh"):
            return await self._judge(watch, watch.threads, lambda: watcher.on_candle(view))
        return None

    async def _judge(
        self, watch: _Watch, threads: Executor, call: Callable[[], WatchResult | None]
    ) -> WatchResult | None:
        """Evaluate in a thread. Whatever a strategy raises is its bot's failure, and nobody else's."""
        try:
            work = asyncio.get_running_loop().run_in_executor(threads, call)
            if threads is self._executor:
                return await work
            return await self._unless_hit(watch.watcher.guard(), watch.subscription, work)
        except Exception as error:  # a strategy may raise anything
            return _failed(watch.watcher, error)

    async def _unless_hit(
        self, guard: Watcher, subscription: Subscription, work: asyncio.Future[T]
    ) -> T | WatchResult | None:
        """Wait for what a plugin says; a level that is reached meanwhile comes first."""
        got = await unless_hit(
            work,
            guard,
            subscription,
            beat=lambda: activity.heartbeat(guard.sighting),
            beat_seconds=_heartbeat_seconds(),
        )
        return guard.on_level(subscription.view(), got) if isinstance(got, LevelHit) else got

    async def _wait(self, watch: _Watch, seconds: float) -> Wake | None:
        """Wait for the next wake; None when the time is up, the process is stopping or books and venue differ."""
        watcher = watch.watcher
        wait = asyncio.ensure_future(
            watch.subscription.wait(
                seen=watcher.seen,
                opened=watcher.opened,
                levels=watcher.levels,
                was_stale=watcher.sighting.stale,
            )
        )
        self._waits.add(wait)
        try:
            both: set[asyncio.Future[Any]] = {wait, watch.differs}
            await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return wait.result() if wait.done() and not wait.cancelled() else None
        finally:
            self._waits.discard(wait)
            wait.cancel()


def _failed(watcher: Watcher, error: Exception) -> WatchResult:
    activity.logger.warning("strategy failed", exc_info=error)
    return watcher.result("failed", reason=f"{type(error).__name__}: {error}")


def _feed_key(request: WatchRequest) -> FeedKey:
    return FeedKey(
        venue=request.instrument.venue, symbol=request.instrument.symbol, interval=request.config.data.interval
    )


def _built(request: WatchRequest, plugs: Plugs) -> AnyStrategy:
    """Build the strategy as a live bot asks it. Blocks: a library may be loaded for it, or a plugin's process."""
    data = request.config.data
    return build_strategy(request.config.strategy, plugs).windowed(data.interval, data.lookback_bars)


def _lookback(request: WatchRequest, strategy: AnyStrategy | None) -> int:
    data = request.config.data
    return max(data.lookback_bars, strategy.warmup_at(data.interval) if strategy else 0)


def _folded(request: WatchRequest, strategy: AnyStrategy | None) -> int | None:
    """Return the candle after which the exit rule goes on, or begins anew if its state is another rule's."""
    position, state = request.book.position, request.exit_state
    if position is None:
        return None
    belongs = state is not None and (strategy is None or strategy.state_belongs(state))
    return state.folded if state is not None and belongs else position.signal_time


def _heartbeat_seconds() -> float:
    timeout = activity.info().heartbeat_timeout
    return timeout.total_seconds() * HEARTBEAT_SHARE if timeout else 60.0


def _blink(due_in: float | None) -> float:
    """Return for how long not to look whether an order has rested long enough: the venue's clock may run faster."""
    return math.inf if due_in is None else min(max(due_in, _SHORTEST_BLINK_SECONDS), _LONGEST_BLINK_SECONDS)


def _cached_exit_state() -> ExitState | None:
    """Return the exit state that an earlier attempt has left in its heartbeats, if any."""
    details = activity.info().heartbeat_details
    try:
        return Sighting.model_validate(details[0]).exit_state if details else None
    except ValidationError:
        return None  # of other code; it was a cache only
