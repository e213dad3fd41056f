from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.journal import JournalActivities, NotifyActivities
from domain.errors import StoreUnavailable
from domain.journal import EventEntry, JournalBatch, JournalEntry, JournalReceipt, Notice
from tests.support.bots import bot_row
from tests.support.fakes import FakeJournal, FakeNotifier

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def batch(uid: str) -> JournalBatch:
    entry = JournalEntry(n=1, at=NOW, payload=EventEntry(type="stopped", message="the bot has stopped"))
    return JournalBatch(bot_id="rsi", uid=uid, entries=(entry,))


async def test_a_batch_is_written_and_answered() -> None:
    journal = FakeJournal()
    journal.rows["rsi"] = bot_row("rsi")
    written = batch(journal.rows["rsi"].uid)
    receipt = await ActivityEnvironment().run(JournalActivities(journal).write_journal, written)
    assert receipt == JournalReceipt(version=1, overtaken=True)  # nobody has reported version 1 yet
    assert journal.events("rsi") == ["stopped"]


async def test_a_batch_of_a_bot_that_is_gone_is_answered_so() -> None:
    receipt = await ActivityEnvironment().run(JournalActivities(FakeJournal()).write_journal, batch("1"))
    assert receipt.orphaned


async def test_a_database_that_is_away_is_tried_again() -> None:
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(JournalActivities(FakeJournal(away=True)).write_journal, batch("1"))
    assert (failure.value.type, failure.value.non_retryable) == ("StoreUnavailable", False)


def notice() -> Notice:
    return Notice(
        bot_id="rsi", owner_id="local", n=1, at=NOW, kind="error", severity="error", title="rsi: error", text="a reason"
    )


async def test_messages_are_handed_over() -> None:
    notifier = FakeNotifier()
    await ActivityEnvironment().run(NotifyActivities(notifier).notify, [notice()])
    assert notifier.told == [notice()]


async def test_messages_that_could_not_be_kept_are_tried_again() -> None:
    class Away(FakeNotifier):
        async def deliver(self, notices: object) -> None:
            raise StoreUnavailable("the database is away")

    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(NotifyActivities(Away()).notify, [notice()])
    assert not failure.value.non_retryable
