"""Commands of people that reached a bot directly, and what the bot says of its own row."""

import json
from typing import Any

from db.bots import BotRepository
from db.journal import JournalRepository
from tests.db.samples import (
    BOT,
    config,
    desired,
    event,
    numbered,
    report,
)
from tests.support.postgres import Sql


async def bot_row(sql: Sql) -> dict[str, Any]:
    return dict(await sql.fetchrow("SELECT * FROM trading_bots"))


async def test_a_command_makes_the_row_say_the_same(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    receipt = await journal.write(numbered(uid, desired(enabled=False, author="ada"), first=2))
    row = await bot_row(sql)
    assert (row["enabled"], json.loads(row["config"])["enabled"]) == (False, False)
    assert (row["version"], row["observed_version"], receipt.version) == (2, 2, 2)
    assert await sql.fetchval("SELECT author FROM config_versions WHERE version = 2") == "ada"


async def test_a_command_may_bring_a_configuration(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    wish = desired(config=config(symbol="ETHUSDT", enabled=True), enabled=False, desired_paused=True)
    receipt = await journal.write(numbered(uid, wish, first=2))
    row = await bot_row(sql)
    assert (row["symbol"], row["enabled"], row["desired_paused"], receipt.version) == ("ETHUSDT", False, True, 2)


async def test_a_command_that_changes_nothing_makes_no_version(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    receipt = await journal.write(numbered(uid, desired(enabled=True, config=config()), first=2))
    row = await bot_row(sql)
    assert (row["version"], row["observed_version"], row["journal_n"]) == (1, 1, 2)
    assert (receipt.version, receipt.overtaken) == (1, False)


async def test_a_bot_that_counts_further_than_the_row_is_told_so(journal: JournalRepository, uid: str) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    receipt = await journal.write(numbered(uid, desired(config=config()), report(observed=2), first=2))
    assert (receipt.version, receipt.overtaken) == (1, True)


async def test_a_command_on_a_row_that_moved_on_leaves_the_news_unobserved(
    journal: JournalRepository, bots: BotRepository, uid: str, sql: Sql
) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    assert await bots.update_config(BOT, config(symbol="ETHUSDT"), author="ada") == 2
    receipt = await journal.write(numbered(uid, desired(enabled=False), first=2))
    row = await bot_row(sql)
    assert (row["version"], row["observed_version"]) == (3, 1)
    assert (receipt.version, receipt.overtaken) == (3, True)
    assert row["symbol"] == "ETHUSDT"


async def test_a_repeated_command_gets_the_same_receipt(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    command = numbered(uid, desired(enabled=False), event("stopping"), first=2)
    assert [(await journal.write(command)).version for _ in range(3)] == [2, 2, 2]
    assert (await bot_row(sql))["version"] == 2


async def test_a_report_from_before_the_receipt_does_not_take_the_new_version_back(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    await journal.write(numbered(uid, report(observed=1)))
    receipt = await journal.write(
        numbered(
            uid, desired(desired_paused=True), report("paused"), desired(enabled=False), report("stopped"), first=2
        )
    )
    row = await bot_row(sql)
    assert (receipt.version, row["version"], row["observed_version"], row["status"]) == (3, 3, 3, "stopped")


async def test_a_rolled_back_history_shows_in_the_row(
    journal: JournalRepository, bots: BotRepository, uid: str
) -> None:
    await bots.set_paused(BOT, True)
    await journal.write(numbered(uid, report(observed=2)))
    # The workflow's history was restored from before; it says so, and the fleet will tell it the news again.
    await journal.write(numbered(uid, report(observed=1), first=2))
    assert (await bots.get(BOT)).observed_version == 1
