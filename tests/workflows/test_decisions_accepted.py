"""Which decisions of a watch are acted on. The watch returns what the test says."""

import asyncio

from domain.decisions import Decision, ExitState, candle_exit_key, entry_key
from domain.orders import OrderIntent
from domain.watch import WatchResult
from tests.support.bots import Bench, BotUnderTest, dec
from tests.support.fakes import ScriptedWatch

CANDLE = 1_700_000_040_000
MINUTE = 60_000
SEGMENT = WatchResult(outcome="segment")


def entry(*, version: int = 1, candle: int = CANDLE) -> WatchResult:
    decision = Decision(
        action="enter",
        key=entry_key(candle),
        reason="RSIBBVolumeEntryMixin",
        price=dec("100"),
        candle_time=candle,
        decided_at=candle + MINUTE,
        config_version=version,
        quantity=dec("1"),
        signal_close=dec("100"),
        exit_state=ExitState(logic="ATRExitMixin:1", folded=candle, stop=90.0),
    )
    return WatchResult(outcome="decision", decision=decision)


def exit_(position_id: str, *, candle: int = CANDLE + MINUTE, version: int = 1) -> WatchResult:
    decision = Decision(
        action="exit",
        key=candle_exit_key(position_id, candle, "ATRExitMixin"),
        reason="ATRExitMixin",
        price=dec("90"),
        candle_time=candle,
        decided_at=candle + MINUTE,
        config_version=version,
    )
    return WatchResult(outcome="decision", decision=decision)


def orders(bench: Bench) -> list[OrderIntent]:
    return [request.intent for request in bench.broker.submitted]


async def asked(watch: ScriptedWatch, times: int) -> None:
    async with asyncio.timeout(10):
        while len(watch.requests) < times:
            await asyncio.sleep(0.02)


async def bought(bench: Bench, watch: ScriptedWatch) -> tuple[BotUnderTest, str]:
    bot = await bench.start()
    await watch.returns(entry())
    await bot.holds()
    return bot, orders(bench)[0].client_order_id


async def test_an_entry_that_comes_twice_buys_once(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot = await bench.start(trading__max_positions=2)
    await watch.returns(entry(), entry(), SEGMENT)
    await asked(watch, 4)
    assert [order.side for order in orders(bench)] == ["buy"]
    assert watch.requests[1].acted_candle == CANDLE
    assert (await bot.position()).quantity == dec("0.999")


async def test_an_exit_that_comes_twice_sells_once(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot, position = await bought(bench, watch)
    await watch.returns(exit_(position), exit_(position), SEGMENT)
    await asked(watch, 5)
    assert [order.side for order in orders(bench)] == ["buy", "sell"]
    assert (await bot.status()).trades == 1


async def test_an_exit_of_a_position_that_is_gone_sells_nothing(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot, position = await bought(bench, watch)
    await watch.returns(exit_(position), exit_(position, candle=CANDLE + 5 * MINUTE), SEGMENT)
    await asked(watch, 5)
    assert [order.side for order in orders(bench)] == ["buy", "sell"]
    assert (await bot.status()).status == "running"


async def test_an_entry_made_under_another_version_is_dropped(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    await bench.start()
    await watch.returns(entry(version=7), SEGMENT)
    await asked(watch, 3)
    assert orders(bench) == []


async def test_an_exit_made_under_another_version_is_carried_out(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot, position = await bought(bench, watch)
    await watch.returns(exit_(position, version=7))
    await bot.closed()


async def test_an_entry_that_raced_a_pause_is_dropped(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot = await bench.start()
    await asked(watch, 1)
    await bot.handle.signal("pause")
    await watch.returns(entry(), SEGMENT)
    await bot.reaches("paused")
    await asked(watch, 3)
    assert orders(bench) == []
    assert watch.requests[-1].gate == "paused"


async def test_a_close_is_not_answered_by_an_entry_that_raced_it(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot = await bench.start(trading__max_positions=2)
    await watch.returns(entry())
    await bot.holds()
    position = orders(bench)[0].client_order_id
    close = asyncio.create_task(bot.handle.execute_update("close_position"))
    async with asyncio.timeout(10):
        while watch.requests[-1].command != "close":
            await asyncio.sleep(0.02)
    await watch.returns(entry(candle=CANDLE + MINUTE), exit_(position, candle=CANDLE + 2 * MINUTE))
    assert (await close).startswith("sold 1.998 BTC")
    assert [order.side for order in orders(bench)] == ["buy", "buy", "sell"]


async def test_an_open_that_the_broker_refuses_is_answered_as_not_done(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bench.broker.refusal = "insufficient cash"
    bot = await bench.start()
    await bot.reaches("running")
    update = asyncio.create_task(bot.handle.execute_update("open_position"))
    async with asyncio.timeout(10):
        while not watch.requests or watch.requests[-1].command != "open":
            await asyncio.sleep(0.02)
    result = entry()
    assert result.decision is not None
    key = f"{entry_key(CANDLE)}:{watch.requests[-1].command_reason}"
    decision = result.decision.model_copy(update={"key": key, "reason": "manual_open"})
    await watch.returns(result.model_copy(update={"decision": decision}))
    failure = await asyncio.gather(update, return_exceptions=True)
    assert "insufficient cash" in str(getattr(failure[0], "cause", failure[0]))


async def test_ids_and_stamps_never_repeat_and_grow(scripted: tuple[Bench, ScriptedWatch]) -> None:
    bench, watch = scripted
    bot, position = await bought(bench, watch)
    await watch.returns(exit_(position), entry(candle=CANDLE + 9 * MINUTE))
    await bot.comes(lambda status: status.trades == 1 and status.position.quantity is not None)
    await bot.handle.signal("stop")
    await bot.ends()
    assert [order.sequence for order in orders(bench)] == [1, 2, 3]
    assert len({order.client_order_id for order in orders(bench)}) == 3
    stamps = [entry.n for owner, entry in bench.journal.entries if owner == bot.bot_id]
    assert stamps == sorted(set(stamps))
