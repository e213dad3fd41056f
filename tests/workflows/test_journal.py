"""The journal waits behind trading: in order, exactly once, through continue-as-new and outages."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage

from domain.journal import EventEntry, FillEntry, JournalBatch, JournalEntry, OrderEntry, TradeEntry
from domain.queues import Role
from domain.state import BotStart, BotState, Reconfigure
from tests.support.bots import Bench, BotUnderTest, raw_config, until
from workflows.bot import BotWorkflow


async def round_trips(bot: BotUnderTest, count: int) -> None:
    for _ in range(count):
        await bot.handle.execute_update("open_position")
        await bot.handle.execute_update("close_position")


def sequences(bot: BotUnderTest) -> list[int]:
    return [order.intent.sequence for order in bot.journaled(OrderEntry) if order.status == "filled"]


def stamps(bench: Bench) -> list[int]:
    return [entry.n for batch in bench.journal.batches for entry in batch.entries]


async def test_while_the_database_is_away_the_bot_trades_on_and_writes_later_in_order(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.journal.away = True
    await round_trips(bot, 3)
    status = await bot.status()
    assert (status.trades, status.status) == (3, "running")
    assert status.journal_waiting > 20
    assert bot.journaled(TradeEntry) == []
    bench.journal.away = False
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=40)
    assert sequences(bot) == [1, 2, 3, 4, 5, 6]
    assert len(bot.journaled(TradeEntry)) == 3
    assert stamps(bench) == sorted(set(stamps(bench)))


async def with_old_entries(bench: Bench, count: int, message: str = "long ago") -> BotUnderTest:
    """Return a bot that runs while the journal is away, with entries that have waited for long."""
    bot = bench.add()
    state, now = BotState.newborn(bot.row, bench.options), datetime.now(UTC)
    old = EventEntry(type="old", message=message)
    state.outbox += [JournalEntry(n=n, at=now, payload=old) for n in range(1, count + 1)]
    bench.journal.away = True
    start = BotStart(state=state, continued=True)
    await bench.client.start_workflow(BotWorkflow.run, start, id=bot.handle.id, task_queue=Role.TRADING)
    await bot.reaches("running")
    return bot


async def test_entries_that_wait_survive_a_new_run_and_come_in_batches_of_a_hundred(bench: Bench) -> None:
    bot = await with_old_entries(bench, 150)
    await round_trips(bot, 1)
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=1100))
    await bot.comes(lambda status: status.version == 2)
    await round_trips(bot, 1)
    bench.journal.away = False
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=40)
    sizes = [len(batch.entries) for batch in bench.journal.batches]
    assert sizes[0] == 100
    assert sizes[1] > 50
    assert sequences(bot) == [1, 2, 3, 4]
    assert (len(bot.journaled(FillEntry)), len(bot.journaled(TradeEntry))) == (4, 2)
    assert bot.events().count("old") == 150
    written = [entry.n for _, entry in bench.journal.entries]
    assert written == sorted(set(written))


async def test_above_two_thousand_entries_events_are_dropped_and_nothing_else(bench: Bench) -> None:
    bot = await with_old_entries(bench, 1_990)
    await round_trips(bot, 2)
    status = await bot.comes(lambda status: status.trades == 2)
    assert status.dropped_events > 0
    assert status.journal_waiting > 2_000
    bench.journal.away = False
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=40)
    assert bot.events().count("old") == 1_990
    assert "position_closed" not in bot.events()
    assert sequences(bot) == [1, 2, 3, 4]
    assert (len(bot.journaled(FillEntry)), len(bot.journaled(TradeEntry))) == (4, 2)
    assert bot.row.status == "running"


async def test_with_a_full_journal_there_are_no_entries_and_exits_go_on(bench: Bench) -> None:
    bot = await with_old_entries(bench, 2_990)
    await bot.handle.execute_update("open_position")
    await bot.handle.signal("pause")
    for _ in range(5):
        await bot.handle.signal("resume")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await bot.handle.execute_update("open_position")
    assert "the journal is full until the database is back" in str(refused.value.cause)
    assert (await bot.handle.execute_update("close_position")).startswith("sold")
    bench.journal.away = False
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=40)
    await bot.handle.execute_update("open_position")


async def test_a_state_too_heavy_for_a_new_run_waits_for_the_database(bench: Bench) -> None:
    bot = await with_old_entries(bench, 1_990, message="x" * 850)
    run = (await bot.handle.describe()).run_id
    await bot.edit(config=raw_config(bot.bot_id, broker__cash=1100))
    status = await bot.comes(lambda status: status.version == 2)
    assert status.position.cash == 1100
    await round_trips(bot, 1)
    assert (await bot.handle.describe()).run_id == run
    bench.journal.away = False
    await bot.comes(lambda status: status.journal_waiting == 0, seconds=40)
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await bot.begins_after(run)
    assert sequences(bot) == [1, 2]


async def start(bot: BotUnderTest, update: str) -> Awaitable[Any]:
    handle = await bot.handle.start_update(update, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    return handle.result()


async def spans(bot: BotUnderTest, activity: str) -> list[tuple[int, int]]:
    """Return between which events of the history each activity of a type was under way."""
    scheduled: dict[int, int] = {}
    found = []
    for event in (await bot.handle.fetch_history()).events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if event.activity_task_scheduled_event_attributes.activity_type.name == activity:
                scheduled[event.event_id] = event.event_id
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            begun = event.activity_task_completed_event_attributes.scheduled_event_id
            if begun in scheduled:
                found.append((begun, event.event_id))
    return found


async def test_the_journal_does_not_run_while_an_order_is_on_its_way(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await until(lambda: bot.row.observed_version == 1)
    bench.broker.open.clear()
    update = await start(bot, "open_position")
    await until(lambda: len(bench.broker.submitted) == 1)
    written = len(bench.journal.batches)
    assert (await bot.status()).journal_waiting >= 1
    assert len(bench.journal.batches) == written
    bench.broker.open.set()
    await update
    await until(lambda: len(bot.journaled(FillEntry)) == 1)
    orders, batches = await spans(bot, "submit_order"), await spans(bot, "write_journal")
    assert len(orders) == 1
    assert not any(begin < written < end for begin, end in orders for written, _ in batches)


async def test_an_order_that_is_slow_does_not_hold_the_journal_up(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.broker.open.clear()
    update = await start(bot, "open_position")
    await until(lambda: [order.status for order in bot.journaled(OrderEntry)] == ["pending"])
    bench.broker.open.set()
    await update


async def test_a_batch_that_is_written_again_changes_nothing(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    await round_trips(bot, 1)
    await until(lambda: len(bot.journaled(TradeEntry)) == 1)
    before = list(bench.journal.entries)
    batch: JournalBatch
    for batch in list(bench.journal.batches):
        await bench.journal.write(batch)
    assert bench.journal.entries == before
