"""Rows that change under a running bot."""

from typing import Any

from temporalio.client import WorkflowExecutionStatus

from domain.errors import VenueUnavailable
from domain.state import Reconfigure
from tests.support.bots import Bench, BotUnderTest, bot_row, dec, raw_config, until

HELD = dec("5.54691753")
NEVER_BUYS = {"strategy__parameters__entry_logic__params__e_min_volume_ratio": 100}
WIDE_STOP = {"strategy__parameters__exit_logic__params__x_sl_multiplier": 5}


async def holding(bench: Bench, **changes: Any) -> BotUnderTest:
    """Return a bot that has bought the dip; its stop is at 87."""
    bot = await bench.start(**changes)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    return bot


async def applied(bot: BotUnderTest, version: int) -> None:
    await bot.comes(lambda status: status.version == version)


async def test_a_new_version_begins_a_new_run_with_the_position(bench: Bench) -> None:
    bot = await holding(bench)
    run = (await bot.handle.describe()).run_id
    await bot.edit(config=raw_config(bot.bot_id, risk_management__stop_loss_pct=2))
    await applied(bot, 2)
    await until(lambda: bot.row.observed_version == 2)
    assert (await bot.position()).quantity == HELD
    old = bench.client.get_workflow_handle(bot.handle.id, run_id=run)
    assert (await old.describe()).status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    bench.market.tick("88.2")  # 2 % below 90.05 is 88.249, and the rule's own stop is lower
    await bot.closed()


async def test_of_two_hundred_versions_in_a_burst_the_last_is_in_force(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    for i in range(200):
        row = bench.journal.edit(bot.bot_id, config=raw_config(bot.bot_id, broker__cash=1001 + i))
        await bot.handle.signal("reconfigure", Reconfigure(row=row))
    await applied(bot, 201)
    await until(lambda: bot.row.observed_version == 201)
    assert (await bot.status()).position.cash == 1200
    assert bot.events().count("config_applied") < 100  # most were overtaken before they were looked at


async def test_what_only_touches_enabled_or_paused_begins_no_new_run(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    run = (await bot.handle.describe()).run_id
    await bot.edit(desired_paused=True)
    await bot.reaches("paused")
    await bot.edit(desired_paused=False)
    await bot.reaches("running")
    await until(lambda: bot.row.observed_version == 3)
    assert (await bot.handle.describe()).run_id == run


async def test_an_invalid_edit_leaves_the_last_valid_version_in_force(bench: Bench) -> None:
    bot = await holding(bench)
    await bot.edit(config=raw_config(bot.bot_id, symbol="NOPE/USDT", enabled=True))
    status = await bot.comes(lambda status: status.rejected_version == 2)
    assert (status.status, status.version, status.observed_version) == ("running", 1, 1)
    assert status.problems == ("symbol: NOPE/USDT is not traded on binance",)
    await until(lambda: bot.row.rejected_version == 2)
    assert "NOPE/USDT is not traded" in (bot.row.last_error or "")
    await until(lambda: [n.kind for n in bench.notifier.told] == ["position_opened", "error"])
    bench.market.crash()
    await bot.closed()
    await bot.edit(config=raw_config(bot.bot_id))  # as it was: nothing is wrong any more
    status = await bot.comes(lambda status: status.observed_version == 3)
    assert status.problems == ()


async def test_an_edit_that_makes_no_sense_is_refused_by_the_fleet_and_shown_by_the_bot(bench: Bench) -> None:
    bot = await holding(bench)
    await bot.edit(config=raw_config(bot.bot_id, trading__position_size=3))
    status = await bot.comes(lambda status: status.rejected_version == 2)
    assert (status.status, status.version) == ("running", 1)
    assert "trading.position_size" in status.problems[0]


async def test_a_bot_that_never_had_a_valid_version_is_in_error_until_the_row_is_mended(bench: Bench) -> None:
    bot = await bench.start(symbol="NOPE/USDT")
    status = await bot.reaches("error")
    assert status.problems == ("symbol: NOPE/USDT is not traded on binance",)
    await until(lambda: bot.row.status == "error")
    await bot.edit(config=raw_config(bot.bot_id))
    status = await bot.reaches("running")
    assert (status.version, status.problems) == (2, ())
    await until(lambda: bot.row.status == "running")


async def test_while_the_venue_of_a_new_version_is_away_the_old_one_keeps_its_exits(bench: Bench) -> None:
    bot = await holding(bench)
    bench.market.unavailable = VenueUnavailable("example.org does not answer")
    await bot.edit(config=raw_config(bot.bot_id, broker__base_url="http://example.org"))
    await bot.comes(lambda status: status.version == 1 and "fresh" not in status.last_event)
    bench.market.crash()
    status = await bot.closed()
    assert status.version == 1
    bench.market.flat(10, 80.0)
    bench.market.add(open_=80.0, high=80.0, low=72.0, close=72.0, volume=10.0)
    await bot.comes(lambda status: "not in force yet" in status.sighting.verdict or status.trades == 1)
    assert len(bench.broker.submitted) == 2  # no entry by rules that somebody has just replaced
    bench.market.unavailable = None
    await applied(bot, 2)


async def test_a_new_version_waits_for_the_exit_where_that_is_wished(bench: Bench) -> None:
    bot = await holding(bench, trading__on_reconfigure="after_exit")
    raw = raw_config(bot.bot_id, trading__on_reconfigure="after_exit", broker__cash=1500, **WIDE_STOP)
    await bot.edit(config=raw)
    await until(lambda: "config_waiting" in bot.events())
    assert (await bot.status()).version == 1
    bench.market.crash()  # below the old stop, above the new one
    await bot.comes(lambda status: status.trades == 1)
    await applied(bot, 2)
    assert (await bot.status()).position.cash == dec("943.08746917") + 500


async def test_a_version_that_waits_is_forgotten_when_it_is_taken_back(bench: Bench) -> None:
    bot = await holding(bench, trading__on_reconfigure="after_exit")
    original = bot.row.config
    await bot.edit(config=raw_config(bot.bot_id, trading__on_reconfigure="after_exit", broker__cash=1500))
    await until(lambda: "config_waiting" in bot.events())
    await bot.edit(config=original)
    await bot.comes(lambda status: status.observed_version == 3)
    bench.market.crash()
    status = await bot.closed()
    assert status.position.cash == dec("943.08746917")
    assert bot.events().count("config_applied") == 1


async def test_adopted_exit_rules_fold_again_from_the_entry(bench: Bench) -> None:
    bot = await holding(bench)
    bench.market.add(open_=90.0, high=94.0, low=90.0, close=93.0)  # the stop rises to 94 - 1.5 × 2.4 = 90.4
    await bot.edit(config=raw_config(bot.bot_id, **WIDE_STOP))
    await applied(bot, 2)
    bench.market.add(open_=93.0, high=93.0, low=89.0, close=89.5)  # below the old stop, above the new one
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await bench.client.get_workflow_handle(bot.handle.id).signal("pause")
    await bot.reaches("paused")
    assert (await bot.position()).quantity == HELD
    bench.market.add(open_=89.5, high=89.5, low=70.0, close=70.0)
    await bot.closed()


async def test_another_symbol_is_refused_while_a_position_is_open(bench: Bench) -> None:
    bot = await holding(bench)
    await bot.edit(config=raw_config(bot.bot_id, symbol="ETHUSDT"))
    status = await bot.comes(lambda status: status.rejected_version == 2)
    assert "BTC/USDT on binance is held, so ETH/USDT on binance must wait" in status.problems[0]
    assert status.position.symbol == "BTC/USDT"
    bench.market.crash()
    await bot.closed()
    await bot.signal("reconfigure")  # the row has not changed, but what stood in its way has
    await applied(bot, 2)
    assert (await bot.position()).symbol == "ETH/USDT"
    assert (await bot.position()).dust == 0
    await until(lambda: "dust_left" in bot.events())


async def test_cash_is_added_and_taken_away(bench: Bench) -> None:
    bot = await holding(bench)  # 500.0000765 are free
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=1200))
    await applied(bot, 2)
    assert (await bot.position()).cash == dec("700.0000765")
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=700))
    await applied(bot, 3)
    assert (await bot.position()).cash == dec("200.0000765")
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=400))
    status = await bot.comes(lambda status: status.rejected_version == 4)
    assert status.problems == ("broker.cash: 300 less than before was asked for, but only 200.0000765 is free",)


async def test_a_deleted_row_stops_its_bot(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    row = bench.journal.rows.pop(bot.bot_id)
    assert (await bench.fleet.sync_all()).stopped == (bot.bot_id,)
    assert await bot.ends() == "stopped, flat, after 0 trades"
    assert row.enabled  # nobody has written a row that is not there


async def test_a_deleted_row_is_noticed_by_the_next_entry_of_the_journal(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await until(lambda: bot.row.observed_version == 1)
    del bench.journal.rows[bot.bot_id]
    bench.market.dip()
    assert await bot.ends() == "stopped, holding a position, after 0 trades"


async def test_a_bot_made_anew_under_the_same_id_begins_with_books_of_its_own(bench: Bench) -> None:
    old = await holding(bench)
    await until(lambda: old.row.carried is not None and old.row.carried.book.position is not None)
    before = [request.intent.client_order_id for request in bench.broker.submitted]
    row = bot_row(old.bot_id, broker__cash=2000, **NEVER_BUYS)
    bench.journal.rows[old.bot_id] = row
    await bench.fleet.sync(row)
    status = await old.comes(lambda status: status.position.cash == 2000)
    assert status.position.quantity is None
    await old.handle.execute_update("open_position")
    after = bench.broker.submitted[-1].intent.client_order_id
    assert after[:6] != before[0][:6]


async def test_a_row_of_another_bot_with_the_same_id_that_is_old_news_changes_nothing(bench: Bench) -> None:
    bot = await holding(bench)
    stranger = bot_row(bot.bot_id, broker__cash=7).model_copy(update={"version": 40})
    await bench.fleet.sync(stranger)
    reads = bench.bots.reads
    await until(lambda: bench.bots.reads > reads or bench.bots.reads > 1)
    status = await bot.status()
    assert (status.status, status.position.quantity) == ("running", HELD)
