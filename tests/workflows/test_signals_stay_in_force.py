"""What people say with `temporal workflow signal` is obeyed at once, reaches the row, and no fleet undoes it."""

import json

from domain.errors import VenueUnavailable
from domain.journal import DesiredEntry, JournalBatch
from tests.support.bots import Bench, BotUnderTest, dec, raw_config, until


async def started(bench: Bench) -> BotUnderTest:
    """Return a running bot whose row shows it."""
    bot = await bench.start()
    await bot.reaches("running")
    await until(lambda: bot.row.observed_version == 1)
    return bot


async def test_pause_and_resume_reach_the_row_and_stay(bench: Bench) -> None:
    bot = await started(bench)
    old = bot.row
    await bot.signal("pause")
    await bot.reaches("paused")
    await until(lambda: bot.row.desired_paused and bot.row.observed_version == bot.row.version == 2)
    await bench.fleet.sync_all()
    await bench.fleet.sync(old)
    assert (await bot.reaches("paused")).paused
    await bot.signal("resume")
    await bot.reaches("running")
    await until(lambda: not bot.row.desired_paused and bot.row.observed_version == bot.row.version == 3)
    assert bot.events()[-2:] == ["paused", "resumed"]


async def test_a_stop_reaches_the_row_and_the_bot_ends(bench: Bench) -> None:
    bot = await started(bench)
    await bot.signal("stop")
    assert await bot.ends() == "stopped, flat, after 0 trades"
    assert (bot.row.enabled, bot.row.config["enabled"], bot.row.status) == (False, False, "stopped")
    assert (await bench.fleet.sync_all()).running == ()


async def test_a_fleet_with_an_old_row_does_not_bring_a_stopped_bot_back(bench: Bench) -> None:
    bot = await started(bench)
    old = bot.row
    await bot.signal("stop")
    await bot.ends()
    await bench.fleet.sync(old)
    assert await bot.ends() == "stopped, flat, after 0 trades"
    assert bot.row.enabled is False
    assert bench.broker.submitted == []


async def test_a_bot_that_an_old_row_starts_begins_with_the_books_as_they_are_now(bench: Bench) -> None:
    bot = await started(bench)
    old = bot.row
    bench.market.dip()
    held = await bot.holds()
    await bot.signal("stop")
    await bot.ends()
    bench.journal.edit(bot.bot_id, enabled=True)
    await bench.fleet.sync(old)
    status = await bot.reaches("running")
    assert (status.position.quantity, status.position.cash) == (held.quantity, held.cash)


async def test_a_stop_while_the_journal_is_away_stays_in_force_and_is_written_later(bench: Bench) -> None:
    bot = await started(bench)
    bench.journal.away = True
    await bot.signal("stop")
    await bot.reaches("stopped")
    # The row still says enabled, in two ways: as it was, and as a person has edited it meanwhile.
    await bench.fleet.sync_all()
    await bench.fleet.sync(bot.row.model_copy(update={"version": 5, "config": bot.row.config | {"name": "Renamed"}}))
    assert (await bot.status()).enabled is False
    bench.journal.away = False
    await bot.ends()
    assert bot.row.enabled is False


async def test_a_pause_while_the_journal_is_away_stays_in_force_and_is_written_later(bench: Bench) -> None:
    bot = await started(bench)
    bench.journal.away = True
    await bot.signal("pause")
    await bot.reaches("paused")
    await bench.fleet.sync_all()
    await bench.fleet.sync(bot.row.model_copy(update={"version": 2}))
    assert (await bot.status()).paused
    bench.journal.away = False
    await until(lambda: bot.row.desired_paused)


async def test_reconfigure_without_a_payload_reads_the_row_again(bench: Bench) -> None:
    bot = await started(bench)
    bench.journal.edit(bot.bot_id, config=raw_config(bot.bot_id, broker__cash=1200))
    await bot.signal("reconfigure")
    status = await bot.comes(lambda status: status.version == 2)
    assert status.position.cash == 1200


async def test_reading_the_row_again_while_the_database_is_away_keeps_nobody_from_trading(bench: Bench) -> None:
    bot = await started(bench)
    bench.market.dip()
    await bot.holds()
    bench.journal.away = True
    await bot.signal("reconfigure")
    reads = bench.bots.reads
    await until(lambda: bench.bots.reads > reads)
    bench.market.crash()
    await bot.closed()
    bench.journal.away = False


async def test_reconfigure_with_a_configuration_makes_it_the_rows(bench: Bench) -> None:
    bot = await started(bench)
    raw = raw_config(bot.bot_id, broker__cash=1300)
    await bot.signal("reconfigure", json.dumps({"config": raw}))
    status = await bot.comes(lambda status: status.version == 2)
    assert status.position.cash == 1300
    await until(lambda: bot.row.config == raw and bot.row.observed_version == bot.row.version)
    await bench.fleet.sync_all()
    assert (await bot.status()).position.cash == 1300


async def test_a_configuration_that_is_in_force_makes_no_version_and_no_new_run(bench: Bench) -> None:
    bot = await started(bench)
    run = (await bot.handle.describe()).run_id
    await bot.signal("reconfigure", json.dumps({"config": bot.row.config}))
    await until(lambda: len(bot.journaled(DesiredEntry)) == 1)
    await bot.comes(lambda status: status.journal_waiting == 0)
    assert (bot.row.version, bot.row.observed_version) == (1, 1)
    assert (await bot.handle.describe()).run_id == run
    assert bot.events().count("config_applied") == 1


async def test_a_bot_that_has_counted_a_version_too_many_goes_back_to_the_rows(bench: Bench) -> None:
    bot = await started(bench)
    # Another document to the bot, and to the database, which compares numbers by their value, the same one.
    await bot.signal("reconfigure", json.dumps({"config": raw_config(bot.bot_id, broker__cash=1000)}))
    await until(lambda: bot.events().count("config_applied") == 2)
    await bot.comes(lambda status: (status.version, status.observed_version) == (1, 1))
    await until(lambda: bot.row.observed_version == bot.row.version == 1)
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=1100))
    await bot.comes(lambda status: status.position.cash == 1100 and status.observed_version == 2)


async def test_a_configuration_by_signal_that_is_no_good_is_refused_with_an_event(bench: Bench) -> None:
    bot = await started(bench)
    for raw in (raw_config(bot.bot_id, symbol="NOPE/USDT"), raw_config("another"), {"id": bot.bot_id}):
        before = bot.events().count("config_rejected")
        await bot.signal("reconfigure", json.dumps({"config": raw}))
        await until(lambda count=before: bot.events().count("config_rejected") == count + 1)  # type: ignore[misc]
    status = await bot.status()
    assert (status.status, status.version, status.rejected_version) == ("running", 1, None)
    assert "configuration by signal refused" in (status.last_error or "")
    assert bot.row.version == 1


async def test_a_signal_that_nobody_understands_changes_nothing(bench: Bench) -> None:
    bot = await started(bench)
    await bot.signal("reconfigure", '"please"')
    await bot.signal("reconfigure", '{"rewatch": "of course not"}')
    await bot.signal("stopp")
    await bot.signal("pause")
    await bot.reaches("paused")
    assert bot.row.enabled


async def test_a_person_who_edits_the_row_meanwhile_loses_nothing_by_a_pause(bench: Bench) -> None:
    bot = await started(bench)
    bench.journal.edit(bot.bot_id, config=raw_config(bot.bot_id, broker__cash=1100))  # nobody has told the bot
    await bot.signal("pause")
    status = await bot.comes(lambda status: status.position.cash == dec("1100"))
    assert status.paused
    await until(lambda: bot.row.desired_paused and bot.row.observed_version == bot.row.version == 3)


async def test_cancelling_the_workflow_is_a_stop_that_loses_nothing(bench: Bench) -> None:
    bot = await started(bench)
    bench.market.dip()
    await bot.holds()
    await bench.cli("workflow", "cancel", "--workflow-id", bot.handle.id)
    assert await bot.ends() == "stopped, holding a position, after 0 trades"
    assert [entry.author for entry in bot.journaled(DesiredEntry)] == ["cancellation"]
    assert bot.row.enabled is False
    assert bot.row.carried is not None
    assert bot.row.carried.book.position is not None


async def test_cancelling_while_an_order_is_on_its_way_settles_the_order_first(bench: Bench) -> None:
    bot = await started(bench)
    bench.broker.open.clear()
    bench.market.dip()
    await until(lambda: len(bench.broker.submitted) == 1)
    await bot.handle.cancel()
    await until(lambda: len(bench.broker.submitted) == 2)  # asked for again, under the same id
    bench.broker.open.set()
    assert await bot.ends() == "stopped, holding a position, after 0 trades"
    assert len({request.intent.client_order_id for request in bench.broker.submitted}) == 1


async def test_cancelling_while_nothing_is_journaled_waits_for_the_journal(bench: Bench) -> None:
    bot = await started(bench)
    bench.journal.away = True
    await bot.handle.cancel()
    await bot.reaches("stopped")
    bench.journal.away = False
    await bot.ends()
    assert bot.row.enabled is False


async def test_a_bot_whose_venue_is_away_can_be_stopped(bench: Bench) -> None:
    bench.market.unavailable = VenueUnavailable("the venue is away")
    bot = await bench.start()
    await bot.reaches("starting")
    await until(lambda: bot.row.status == "starting")
    await bot.signal("stop")
    assert await bot.ends() == "stopped, flat, after 0 trades"


async def test_every_entry_is_written_once_and_in_order(bench: Bench) -> None:
    bot = await started(bench)
    for name in ("pause", "resume", "pause", "resume"):
        await bot.handle.signal(name)
    await bot.handle.signal("stop")
    await bot.ends()
    batches: list[JournalBatch] = [batch for batch in bench.journal.batches if batch.bot_id == bot.bot_id]
    stamps = [entry.n for batch in batches for entry in batch.entries]
    assert stamps == sorted(set(stamps))
    said = [(entry.enabled, entry.desired_paused) for entry in bot.journaled(DesiredEntry)]
    assert said == [(None, True), (None, False), (None, True), (None, False), (False, None)]
