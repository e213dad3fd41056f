"""Journal and notification activities: what happened reaches the database and people, behind trading."""

from temporalio import activity

from activities.failures import retryable
from domain.errors import StoreUnavailable
from domain.journal import JournalBatch, JournalReceipt, Notice
from domain.ports import Journal, Notifier


class JournalActivities:
    """Writes the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @activity.defn
    async def write_journal(self, batch: JournalBatch) -> JournalReceipt:
        """Write a batch in one transaction. Safe to retry: what is already written stays as it is."""
        try:
            return await self._journal.write(batch)
        except StoreUnavailable as error:
            raise retryable(error) from error


class NotifyActivities:
    """Hands messages over."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    @activity.defn
    async def notify(self, notices: list[Notice]) -> None:
        """Hand messages to people. Safe to retry: each is known by its bot and number."""
        try:
            await self._notifier.deliver(notices)
        except StoreUnavailable as error:
            raise retryable(error) from error
