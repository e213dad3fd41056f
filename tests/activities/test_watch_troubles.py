"""What a watch does on a process that stops, with a strategy that is gone, and when nobody wants it any more."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.liveness import LivenessBoard
from activities.reconciling import Reconciler
from activities.watch import WatchActivities
from domain.errors import VenueMisfit
from domain.watch import WatchRequest
from tests.activities.stage import held, request
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeGate, FakeMarket


@pytest.fixture
def market() -> FakeMarket:
    market = FakeMarket()
    market.flat(10, 100.0)
    return market


@pytest.fixture
def board() -> LivenessBoard:
    return LivenessBoard("test")


@pytest.fixture
def watches(market: FakeMarket, board: LivenessBoard) -> Iterator[WatchActivities]:
    with ThreadPoolExecutor(1) as threads:
        yield WatchActivities(market, board, threads, Reconciler(ExchangeAccounts(FakeExchange())), FakeGate())


def unknown_exit() -> WatchRequest:
    logics = {"entry_logic": {"name": "RSIBBVolumeEntryMixin"}, "exit_logic": {"name": "OfNewerCode"}}
    return request(held(3), settings={"strategy__parameters": logics})


async def test_a_watch_that_a_stopping_process_is_given_is_handed_on_at_once(watches: WatchActivities) -> None:
    watches.drain()
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(watches.watch_market, request())
    assert not failure.value.non_retryable
    assert failure.value.next_retry_delay is not None


async def test_a_strategy_that_is_not_known_any_more_is_a_result(watches: WatchActivities, market: FakeMarket) -> None:
    result = await ActivityEnvironment().run(watches.watch_market, unknown_exit())
    assert result.outcome == "failed"
    assert "OfNewerCode" in (result.reason or "")
    assert market.subscriptions == 0


async def test_without_its_strategy_a_position_is_guarded_all_the_same(
    watches: WatchActivities, market: FakeMarket
) -> None:
    wanted = unknown_exit().model_copy(update={"guard_only": True})
    stop = wanted.config.risk_management.model_copy(update={"stop_loss_pct": 3})
    config = wanted.config.model_copy(update={"risk_management": stop})
    watching = asyncio.ensure_future(
        ActivityEnvironment().run(watches.watch_market, wanted.model_copy(update={"config": config}))
    )
    market.tick("1")
    result = await asyncio.wait_for(watching, 5)
    assert result.decision is not None
    assert result.decision.reason == "stop_loss"


async def test_a_cancelled_watch_leaves_its_places_at_the_feed_and_on_the_board(
    watches: WatchActivities, market: FakeMarket, board: LivenessBoard
) -> None:
    environment, looked = ActivityEnvironment(), asyncio.Event()
    environment.on_heartbeat = lambda *_details: looked.set()
    watching = asyncio.ensure_future(environment.run(watches.watch_market, request()))
    await asyncio.wait_for(looked.wait(), 5)
    assert (market.subscribed, len(board)) == (1, 1)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert (market.subscribed, len(board)) == (0, 0)


async def test_a_market_that_is_gone_is_not_asked_for_again(watches: WatchActivities, market: FakeMarket) -> None:
    def subscribe(*_args: object, **_kwargs: object) -> object:
        raise VenueMisfit("symbol", "BTC/USDT is not traded on binance")

    market.subscribe = subscribe  # type: ignore[method-assign, assignment]
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(watches.watch_market, request())
    assert failure.value.non_retryable
