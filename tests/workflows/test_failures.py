"""Strategies that raise, venues and activities that fail: one bot's trouble, and never its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.candles import Candles
from domain.errors import VenueUnavailable
from domain.journal import TradeEntry
from domain.state import Reconfigure
from domain.watch import WatchRequest, WatchResult
from strategies import registry
from strategies.conditions import Check, VectorCondition
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin
from strategies.exit_logic import EntryPoint, ExitSeries
from strategies.exits.atr import ATRExitMixin, Trail
from tests.support.bots import Bench, BotUnderTest, dec, until

HELD = dec("5.54691753")


@dataclass
class Mood:
    """Whether the moody logics raise."""

    bad: bool = False

    def check(self) -> None:
        if self.bad:
            raise ZeroDivisionError("a bad mood")


@pytest.fixture
def mood(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mood]:
    """Two logics, `MoodyEntry` and `MoodyExit`, that raise when told to."""
    mood = Mood()

    class MoodyEntry(RSIBBVolumeEntryMixin):
        def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
            mood.check()
            return super().conditions(candles)

    class MoodyExit(ATRExitMixin):
        def checks(self, memory: Trail, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
            mood.check()
            return super().checks(memory, series, i, entry)

    monkeypatch.setattr(registry, "ENTRIES", {**registry.ENTRIES, "MoodyEntry": MoodyEntry})
    monkeypatch.setattr(registry, "EXITS", {**registry.EXITS, "MoodyExit": MoodyExit})
    yield mood
    registry._built.cache_clear()


MOODY: dict[str, Any] = {
    "strategy__parameters__entry_logic__name": "MoodyEntry",
    "strategy__parameters__exit_logic__name": "MoodyExit",
}


async def failing(bench: Bench, mood: Mood, **changes: Any) -> BotUnderTest:
    """Return a bot with a position, whose strategy has begun to raise."""
    bot = await bench.start(**MOODY, **changes)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    mood.bad = True
    bench.market.add(open_=90.0, high=91.0, low=89.0, close=90.0)
    status = await bot.reaches("error")
    assert status.last_error == "strategy: ZeroDivisionError: a bad mood"
    return bot


async def test_a_strategy_that_raises_puts_its_bot_in_error_and_no_other(bench: Bench, mood: Mood) -> None:
    well = await bench.start()
    await well.reaches("running")
    bot = await failing(bench, mood)
    assert (await bot.status()).error_count == 1
    assert (await well.status()).status == "running"
    assert (await well.position()).quantity == HELD
    await until(lambda: "error" in [notice.kind for notice in bench.notifier.told])
    await until(lambda: bot.row.status == "error")


async def test_the_stop_loss_is_guarded_while_the_strategy_fails(bench: Bench, mood: Mood) -> None:
    bot = await failing(bench, mood, risk_management__stop_loss_pct=3)
    bench.market.tick("87.3")
    assert (await bot.closed()).status == "error"
    await until(lambda: bot.journaled(TradeEntry) != [])
    assert bot.journaled(TradeEntry)[0].trade.exit_reason == "stop_loss"


async def test_the_last_stop_of_a_failing_exit_rule_is_watched_by_price(bench: Bench, mood: Mood) -> None:
    bot = await failing(bench, mood)
    bench.market.tick("86.9")  # the rule's stop was at 87; its code cannot be run any more
    await bot.closed()
    await until(lambda: bot.journaled(TradeEntry) != [])
    assert bot.journaled(TradeEntry)[0].trade.exit_reason == "last_stop"


async def test_a_failing_bot_makes_no_entries_and_answers_commands(bench: Bench, mood: Mood) -> None:
    bot = await failing(bench, mood)
    assert (await bot.handle.execute_update("close_position")).startswith("sold")
    mood.bad = False
    status = await bot.comes(lambda status: status.status == "running", seconds=10)
    assert status.trades == 1


async def test_a_strategy_that_works_again_is_trusted_again_after_a_pause(bench: Bench, mood: Mood) -> None:
    bot = await failing(bench, mood)
    mood.bad = False
    status = await bot.comes(lambda status: status.status == "running", seconds=10)
    assert (status.error_count, status.position.quantity) == (1, HELD)
    await until(lambda: bot.events()[-1] == "recovered" and bot.row.status == "running")
    bench.market.crash()
    await bot.closed()


async def test_a_strategy_that_raises_in_a_command_is_its_bots_failure(bench: Bench, mood: Mood) -> None:
    class Broken(ATRExitMixin):
        def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Trail:
            raise ValueError("no beginning")

    registry.EXITS["MoodyExit"] = Broken  # type: ignore[index]
    bot = await bench.start(**MOODY)
    await bot.reaches("running")
    with pytest.raises(Exception, match="Workflow update failed"):
        await bot.handle.execute_update("open_position")
    status = await bot.status()
    assert (status.error_count, status.last_error) == (1, "strategy: ValueError: no beginning")


async def test_a_strategy_that_newer_code_does_not_know_is_its_bots_failure(bench: Bench, mood: Mood) -> None:
    bot = await bench.start(**MOODY, risk_management__stop_loss_pct=3)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    del registry.EXITS["MoodyExit"]  # type: ignore[attr-defined]
    registry._built.cache_clear()
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    status = await bot.reaches("error")
    assert "MoodyExit" in (status.last_error or "")
    bench.market.tick("87.3")
    await bot.closed()


async def test_a_bot_starts_as_soon_as_its_venue_answers(bench: Bench) -> None:
    bench.market.unavailable = VenueUnavailable("the venue is away", retry_after=0.2)
    bot = await bench.start()
    status = await bot.reaches("starting")
    assert status.position.cash == 0
    bench.market.unavailable = None
    assert (await bot.reaches("running")).position.cash == 1000


async def test_a_watch_that_fails_for_good_is_an_error_and_not_the_end(idle_bench: Bench) -> None:
    bench, calls = idle_bench, 0

    @activity.defn
    async def watch_market(request: WatchRequest) -> WatchResult:
        nonlocal calls
        calls += 1
        raise ApplicationError("the symbol was delisted", non_retryable=True)

    bench.watch = watch_market
    async with bench.worker():
        bot = await bench.start()
        status = await bot.reaches("error")
        assert (status.last_error or "").endswith("the symbol was delisted")
        await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
        await until(lambda: calls == 2)
        await bot.handle.signal("stop")
        assert await bot.ends() == "stopped, flat, after 0 trades"


async def test_an_order_activity_that_fails_for_good_keeps_the_order_in_mind(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.market.flat(60, 100.0)
    submit, bad = bench.broker.submit, True

    async def broken(request: Any, window: Any) -> Any:
        if bad:
            bench.broker.submitted.append(request)
            raise ApplicationError("no such broker", non_retryable=True)
        return await submit(request, window)

    bench.broker.submit = broken  # type: ignore[method-assign]
    async with bench.worker():
        bot = await bench.start()
        await bot.reaches("running")
        bench.market.dip()
        await bot.reaches("error")
        bad = False
        await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
        await bot.holds()
    assert len({request.intent.client_order_id for request in bench.broker.submitted}) == 1
