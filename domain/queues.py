"""Roles of a worker, each with its own task queue and slots, so that watches never starve an order."""

from enum import StrEnum


class Role(StrEnum):
    """A role; its value is also the name of its task queue."""

    TRADING = "trading"
    MARKET = "market"
    JOURNAL = "journal"
    NOTIFY = "notify"


BOT_PREFIX = "bot-"


def workflow_id(bot_id: str) -> str:
    """Return the id of the workflow that trades a bot."""
    return BOT_PREFIX + bot_id
