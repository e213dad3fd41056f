"""What people ask of a bot, and what it answers."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.errors import VenueUnavailable
from domain.journal import DesiredEntry, TradeEntry
from tests.support.bots import Bench, BotUnderTest, dec, raw_config, until


async def refusal(bot: BotUnderTest, name: str, *arguments: object) -> str:
    """Return why an update is refused, having seen that the answer is of a kind that nobody need try again."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await bot.handle.execute_update(name, args=list(arguments))
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    kind = "InvalidConfig" if name == "set_config" else "CommandRefused"
    assert (cause.type, cause.non_retryable) == (kind, True)
    return cause.message


async def test_a_bot_runs_once_its_configuration_was_checked(bench: Bench) -> None:
    bot = await bench.start()
    status = await bot.reaches("running")
    assert status.observed_version == 1
    assert status.position.cash == 1000
    await until(lambda: bot.row.status == "running" and bot.row.observed_version == 1)
    assert bot.events() == ["book_opened", "config_applied"]


async def test_open_and_close_by_update_book_a_round_trip(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    # 500 USDT at 100.05 buy 4.99750, 0.0049975 of them the fee.
    assert await bot.handle.execute_update("open_position") == "bought 4.9975 BTC @ 100.05 USDT: manual_open"
    assert (await bot.position()).quantity == dec("4.9925025")
    closed = await bot.handle.execute_update("close_position")
    assert closed.startswith("sold 4.9925 BTC @ 99.95 USDT: manual_close; position closed: -1.")
    await until(lambda: len(bot.journaled(TradeEntry)) == 1)
    assert (await bot.position()).quantity is None


async def test_closing_without_a_position_is_refused(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    assert "there is no position to close" in await refusal(bot, "close_position")


async def test_opening_more_than_allowed_is_refused(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    assert "1 of 1 entries are open already" in await refusal(bot, "open_position")


async def test_opening_while_paused_is_refused_and_closing_is_not(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    await bot.handle.signal("pause")
    assert "no entry is possible: paused" in await refusal(bot, "open_position")
    assert (await bot.handle.execute_update("close_position")).startswith("sold")


async def test_an_open_that_a_limit_forbids_is_refused_with_the_limit(bench: Bench) -> None:
    bot = await bench.start(risk_management__cooldown_minutes=30)
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    await bot.handle.execute_update("close_position")
    assert "cooldown: 30.0 of 30 minutes left" in await refusal(bot, "open_position")


async def test_a_second_command_waits_for_no_one_and_is_refused(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.broker.open.clear()
    first = await bot.handle.start_update("open_position", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    await until(lambda: len(bench.broker.submitted) == 1)
    assert "a command to open the position is being carried out" in await refusal(bot, "open_position")
    bench.broker.open.set()
    assert (await first.result()).startswith("bought")


async def test_a_close_that_the_broker_refuses_says_so_and_is_tried_again(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    bench.broker.refusal = "not now"
    text = await refusal(bot, "close_position")
    assert text.endswith("not filled: not now; it is tried again")
    bench.broker.refusal = None
    await bot.handle.signal("reconfigure", {"rewatch": True})  # rather than wait for the pause to be over
    await bot.closed()


async def test_set_config_becomes_the_next_version_of_the_row(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    raw = raw_config(bot.bot_id, broker__cash=1500)
    assert await bot.handle.execute_update("set_config", raw) == "accepted as version 2"
    status = await bot.comes(lambda status: status.version == 2)
    assert status.position.cash == 1500
    await until(lambda: bot.row.observed_version == 2)
    assert bot.row.config == raw
    assert [entry.author for entry in bot.journaled(DesiredEntry)] == ["update set_config"]


async def test_a_configuration_without_sense_is_refused_before_anything_reaches_history(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await until(lambda: bot.row.observed_version == 1 and bench.market.subscribed == 1)
    before = await bot.accepted_updates()
    text = await refusal(bot, "set_config", raw_config(bot.bot_id, trading__position_size=7, data__interval="soon"))
    assert "trading.position_size" in text
    assert "data.interval" in text
    assert "bot cannot be renamed" in await refusal(bot, "set_config", raw_config("another"))
    assert await bot.accepted_updates() == before == 0


async def test_a_configuration_that_the_venue_cannot_serve_is_refused_with_the_reason(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    raw = raw_config(bot.bot_id, symbol="NOPE/USDT", strategy__parameters__entry_logic__name="RSIBBVolumeEntryMixin")
    assert "symbol: NOPE/USDT is not traded on binance" in await refusal(bot, "set_config", raw)
    raw = raw_config(bot.bot_id, strategy__parameters__entry_logic__name="RSIBBVolumeEntry")
    assert "RSIBBVolumeEntryMixin" in await refusal(bot, "set_config", raw)
    assert (await bot.status()).version == 1


async def test_another_symbol_is_refused_at_once_while_a_position_is_open(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await bot.handle.execute_update("open_position")
    text = await refusal(bot, "set_config", raw_config(bot.bot_id, symbol="ETHUSDT"))
    assert "BTC/USDT on binance is held, so ETH/USDT on binance must wait" in text
    assert (await bot.status()).rejected_version is None
    assert bot.row.version == 1


async def test_set_config_that_disables_stops_the_bot(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await bot.handle.execute_update("set_config", raw_config(bot.bot_id, enabled=False))
    assert await bot.ends() == "stopped, flat, after 0 trades"
    assert bot.row.enabled is False


async def test_updates_during_continue_as_new_are_all_answered_in_the_end(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")

    async def set_cash(cash: int) -> str:
        for _ in range(20):  # a caller tries again, under the same id, when the run ends under its update
            try:
                answer: str = await bot.handle.execute_update(
                    "set_config", raw_config(bot.bot_id, broker__cash=cash), id=f"cash-{cash}"
                )
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return answer
        raise AssertionError("never answered")

    answers = await asyncio.gather(*(set_cash(1000 + i) for i in range(1, 9)))
    assert all(answer.startswith("accepted as version") for answer in answers)
    status = await bot.comes(lambda status: status.version == bot.row.version and status.version >= 9)
    assert status.position.cash == bot.row.config["broker"]["cash"]


async def test_an_update_that_waits_is_answered_when_the_bot_is_stopped(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.market.price = None
    bench.market.rows.clear()  # no price is known, so nothing can be opened yet
    update = await bot.handle.start_update("open_position", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    await bot.handle.signal("stop")
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await update.result()
    assert "the bot has stopped" in str(failed.value.cause)
    await bot.ends()


async def test_commands_to_a_bot_without_a_valid_configuration_are_refused(bench: Bench) -> None:
    bench.market.unavailable = VenueUnavailable("the venue is away")
    bot = await bench.start()
    await bot.reaches("starting")
    assert "no valid configuration yet" in await refusal(bot, "open_position")


async def test_queries_tell_what_the_last_watch_saw(bench: Bench) -> None:
    bot = await bench.start(risk_management__stop_loss_pct=3)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    await bot.handle.signal("reconfigure", {"rewatch": True})
    position = await bot.position()
    assert (position.symbol, position.average_price, position.strategy_stop) == ("BTC/USDT", dec("90.05"), 87.0)
    status = await bot.status()
    assert status.sighting.verdict == "entry signal"
    assert all(condition.holds for condition in status.sighting.conditions)
