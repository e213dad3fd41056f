"""The watch as an activity: what ends it, what its heartbeats hold, and that no strategy hurts another bot."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.liveness import LivenessBoard
from activities.reconciling import Reconciler
from activities.watch import WatchActivities
from domain.candles import Candles
from domain.decisions import ExitState
from domain.positions import Book
from domain.watch import Sighting, WatchRequest, WatchResult
from strategies.custom import CustomStrategy
from strategies.entry_logic import EntryVerdict
from strategies.logic import Parameters
from strategies.registry import build_strategy
from tests.activities.stage import BuyOnVolume, Failing, SellOnVolume, SellParams, held, request, row
from tests.domain.builders import config, costs, dec
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeGate, FakeMarket
from tests.support.loops import slow

LOGICS = {
    "entry_logic": {
        "name": "RSIBBVolumeEntryMixin",
        "params": {"e_rsi_period": 5, "e_bb_period": 5, "e_vol_ma_period": 5},
    },
    "exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 5, "x_sl_multiplier": 1.5}},
}


class Recorded(FakeMarket):
    """Remembers what was asked for."""

    since: int | None = None
    lookback: int = 0

    def subscribe(self, key: Any, *, lookback: int, since: int | None, price_seconds: float) -> Any:
        self.since, self.lookback = since, lookback
        return super().subscribe(key, lookback=lookback, since=since, price_seconds=price_seconds)


class Watch:
    """One watch, run in an environment that keeps its heartbeats."""

    def __init__(self, market: FakeMarket, threads: ThreadPoolExecutor) -> None:
        self.market = market
        self.board = LivenessBoard("test")
        self.gate = FakeGate()
        reconciler = Reconciler(ExchangeAccounts(FakeExchange()))
        self.activities = WatchActivities(market, self.board, threads, reconciler, self.gate)
        self.heartbeats: list[Sighting] = []
        self.looked = asyncio.Event()
        self.environment = ActivityEnvironment()
        self.environment.on_heartbeat = self._on_heartbeat

    def attempt(self, *details: Any, heartbeat_timeout: float = 60) -> None:
        timeout = timedelta(seconds=heartbeat_timeout)
        self.environment.info = replace(
            self.environment.info, heartbeat_details=list(details), heartbeat_timeout=timeout
        )

    def _on_heartbeat(self, *details: Any) -> None:
        self.heartbeats.append(details[0])
        self.looked.set()

    async def settled(self, running: asyncio.Future[WatchResult]) -> None:
        """Wait until the watch has looked once and waits for more."""
        running.add_done_callback(lambda _running: self.looked.set())
        await asyncio.wait_for(self.looked.wait(), 5)

    async def run(self, wanted: WatchRequest) -> WatchResult:
        async with asyncio.timeout(5):
            return await self.environment.run(self.activities.watch_market, wanted)


@pytest.fixture
def market() -> Recorded:
    """Sixty candles around 100 whose ranges keep the stop of the exit rule three below the peak."""
    market = Recorded()
    for _ in range(60):
        market.add(open_=100.0, high=101.0, low=99.0, close=100.0)
    return market


@pytest.fixture
def watch(market: Recorded) -> Iterator[Watch]:
    with ThreadPoolExecutor(2) as threads:
        yield Watch(market, threads)


def wanted(book: Book | None = None, **fields: Any) -> WatchRequest:
    settings = {"strategy__parameters": LOGICS, **fields.pop("settings", {})}
    return request(book, settings=settings, **fields)


@contextmanager
def strategy_of(monkeypatch: pytest.MonkeyPatch, made: Callable[[], CustomStrategy]) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr("activities.watch.build_strategy", lambda *_: made())
        yield


async def test_a_signal_ends_the_watch_with_a_decision(watch: Watch) -> None:
    running = asyncio.ensure_future(watch.run(wanted()))
    await watch.settled(running)
    assert len(watch.board) == 1
    watch.market.dip()
    result = await running
    assert result.outcome == "decision"
    assert result.decision is not None
    assert result.decision.price == 90
    assert watch.heartbeats[0].verdict == "no entry signal"
    assert len(watch.board) == 0
    assert watch.market.subscribed == 0


async def test_while_the_gate_is_closed_a_signal_is_seen_and_not_acted_on(watch: Watch) -> None:
    running = asyncio.ensure_future(watch.run(wanted(segment_seconds=0.2)))
    await watch.settled(running)
    watch.gate.reason = "entries are halted: a storm"
    watch.market.dip()
    result = await running
    assert result.decision is None
    assert result.sighting.verdict == "entries are halted: a storm"


async def test_a_closed_gate_keeps_nobody_from_an_exit(watch: Watch, market: Recorded) -> None:
    watch.gate.reason = "entries are halted: a storm"
    result = await watch.run(wanted(held(0), command="close", command_reason="manual"))
    assert result.decision is not None
    assert result.decision.action == "exit"


async def test_a_closed_gate_refuses_a_person_too(watch: Watch) -> None:
    watch.gate.reason = "entries are halted: a storm"
    result = await watch.run(wanted(command="open", command_reason="manual"))
    assert (result.outcome, result.reason) == ("refused", "entries are halted: a storm")


async def test_a_price_at_a_level_ends_the_watch(watch: Watch, market: Recorded) -> None:
    book = held(0, signal_time=market.opening_time - market.length, entered_at=market.opening_time)
    running = asyncio.ensure_future(watch.run(wanted(book, settings={"risk_management__stop_loss_pct": 3})))
    await watch.settled(running)
    market.tick("96.9")
    result = await running
    assert result.decision is not None
    assert (result.decision.reason, result.decision.price) == ("stop_loss", dec(97))


async def test_a_segment_ends_by_itself_with_what_was_folded(watch: Watch, market: Recorded) -> None:
    book = held(50)
    result = await watch.run(wanted(book, segment_seconds=0.05))
    assert result.outcome == "segment"
    assert result.exit_state is not None
    assert result.exit_state.folded == market.rows[-1][0]


async def test_a_process_that_stops_gets_a_checkpoint_at_once(watch: Watch) -> None:
    running = asyncio.ensure_future(watch.run(wanted(held(50), segment_seconds=600)))
    await watch.settled(running)
    watch.activities.drain()
    result = await running
    assert result.outcome == "shutdown"
    assert result.exit_state is not None


async def test_a_silent_watch_says_that_it_lives(watch: Watch) -> None:
    watch.attempt(heartbeat_timeout=0.1)
    await watch.run(wanted(segment_seconds=0.2))
    assert len(watch.heartbeats) >= 4


@pytest.mark.parametrize("command", [None, "open"])
async def test_whatever_a_strategy_raises_is_the_result_of_its_bot(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, command: str | None
) -> None:
    class Broken(SellOnVolume):
        def begin(self, *args: Any) -> tuple[float, int]:
            raise RuntimeError("no such model file")

    exits, entry = (Broken, Failing) if command is None else (Broken, None)
    real = build_strategy(config(strategy__parameters=LOGICS).strategy)
    broken = CustomStrategy(entry(Parameters()) if entry else real.entry_logic, exits(SellParams()))
    with strategy_of(monkeypatch, lambda: broken):
        result = await watch.run(wanted(command=command))
    assert (result.outcome, result.reason) == ("failed", "RuntimeError: no such model file")


@pytest.mark.parametrize("command", [None, "open"])
async def test_no_strategy_code_runs_on_the_event_loop(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, command: str | None
) -> None:
    threads: set[int] = set()

    class Traced(SellOnVolume):
        def begin(self, *args: Any) -> tuple[float, int]:
            threads.add(threading.get_ident())
            return 1.0, 0

    class Watched(Failing):
        def conditions(self, candles: Any) -> Any:
            threads.add(threading.get_ident())
            return ()

    with strategy_of(monkeypatch, lambda: CustomStrategy(Watched(Parameters()), Traced(SellParams()))):
        await watch.run(wanted(command=command, segment_seconds=0.01))
    assert threads
    assert threading.get_ident() not in threads


async def test_a_strategy_that_is_slow_to_build_does_not_hold_up_the_event_loop(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.watch.build_strategy", slow(build_strategy))
    assert (await watch.run(wanted(segment_seconds=0.01))).outcome == "segment"


async def test_a_command_is_carried_out_at_once(watch: Watch) -> None:
    result = await watch.run(wanted(held(50), command="close", command_reason="manual_close"))
    assert result.decision is not None
    assert result.decision.reason == "manual_close"


def exit_state(folded: int, peak: float) -> ExitState:
    made = build_strategy(config(strategy__parameters=LOGICS, broker__paper_trading_config=costs()).strategy)
    identity = made.exit_logic.start(FakeMarket().view().candles, _entry()).logic
    return ExitState(logic=identity, folded=folded, values={"peak": peak}, stop=peak - 50)


def _entry() -> Any:
    from strategies.exit_logic import EntryPoint

    return EntryPoint(signal_time=0, signal_close=1.0, price=1.0, opened_at=0)


async def test_a_later_attempt_goes_on_from_the_heartbeat_of_the_one_before(watch: Watch, market: Recorded) -> None:
    newer = exit_state(market.rows[58][0], 149.0)
    watch.attempt(Sighting(exit_state=newer).model_dump(mode="json"))
    result = await watch.run(wanted(held(50), exit_state=exit_state(market.rows[51][0], 100.0), segment_seconds=0.01))
    assert result.exit_state is not None
    assert result.exit_state.values == {"peak": 149.0}
    assert result.exit_state.folded == market.rows[-1][0]


async def test_a_heartbeat_of_other_code_is_folded_again(watch: Watch, market: Recorded) -> None:
    watch.attempt({"conditions": "of another shape"})
    result = await watch.run(wanted(held(50), segment_seconds=0.01))
    assert result.outcome == "segment"


@pytest.mark.parametrize(
    ("book", "fields", "since"),
    [
        pytest.param(None, {}, None, id="flat"),
        pytest.param(held(50), {}, 50, id="without-a-state-from-the-signal"),
        pytest.param(held(50), {"exit_state": "own"}, 55, id="from-the-last-folded-candle"),
        pytest.param(held(50), {"exit_state": "foreign"}, 50, id="a-new-rule-from-the-signal"),
        pytest.param(
            held(50), {"exit_state": "foreign", "guard_only": True}, 55, id="without-a-rule-from-where-it-was"
        ),
    ],
)
async def test_the_candles_reach_back_to_where_the_exit_rule_goes_on(
    watch: Watch, market: Recorded, book: Book | None, fields: dict[str, Any], since: int | None
) -> None:
    if "exit_state" in fields:
        own = exit_state(market.rows[55][0], 100.0)
        state = own if fields["exit_state"] == "own" else own.model_copy(update={"logic": "Another:1"})
        fields = {**fields, "exit_state": state}
    await watch.run(wanted(book, segment_seconds=0.01, **fields))
    assert market.since == (None if since is None else market.rows[since][0])
    assert market.lookback == 500


async def test_a_strategy_that_needs_more_candles_gets_them(watch: Watch, market: Recorded) -> None:
    """Wilder's averages of period 5 want 30 × 5 candles, more than the 100 that were asked for."""
    await watch.run(wanted(settings={"data__lookback_bars": 100}, segment_seconds=0.01))
    assert market.lookback == 150


async def test_an_entry_sees_the_lookback_though_the_exit_needs_more_candles(
    watch: Watch, market: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Looking(BuyOnVolume):
        def verdict(self, candles: Candles) -> EntryVerdict:
            seen.append(len(candles))
            return super().verdict(candles)

    market.flat(200, 100.0)
    long = build_strategy(config(strategy__parameters=LOGICS).strategy).exit_logic
    with strategy_of(monkeypatch, lambda: CustomStrategy(Looking(Parameters()), long)):
        await watch.run(wanted(settings={"data__lookback_bars": 100}, segment_seconds=0.01))
    assert market.lookback == 150
    assert seen == [100]


def test_the_stage_is_what_it_says() -> None:
    assert row()[4] == 1.0
    assert held(0).cash == dec(900)


async def test_the_sign_of_life_says_why_the_venue_cannot_be_read(watch: Watch) -> None:
    watch.market.degraded = "binance does not answer"
    running = asyncio.ensure_future(watch.run(wanted()))
    await watch.settled(running)
    assert [sign.degraded for sign in watch.board.signs()] == ["binance does not answer"]
    watch.activities.drain()
    await running
