import json

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from db.bots import BotRepository
from db.engine import make_engine
from db.notifications import LogNotifier
from domain.errors import StoreUnavailable
from tests.db.samples import BOT, START, config, notice
from tests.support.postgres import Sql


async def test_a_message_is_logged_and_kept(engine: AsyncEngine, sql: Sql) -> None:
    uid = (await BotRepository(engine).create(BOT, config())).uid
    with capture_logs() as lines:
        await LogNotifier(engine).deliver([notice()])
    assert [(line["event"], line["bot"], line["text"], line["log_level"]) for line in lines] == [
        ("Position opened", BOT, "Bought 0.5 BTC at 100.55", "info")
    ]
    (row,) = await sql.fetch("SELECT * FROM notifications")
    assert (row["bot_id"], str(row["bot_uid"]), row["n"], row["channel"]) == (BOT, uid, 1, "log")
    assert (row["state"], row["attempts"], row["error"], row["created_at"]) == ("delivered", 1, None, START)
    assert (row["owner_id"], row["kind"], row["title"]) == ("local", "position_opened", "Position opened")
    assert json.loads(row["payload"])["text"] == "Bought 0.5 BTC at 100.55"


async def test_a_message_that_is_delivered_again_is_shown_once(engine: AsyncEngine, sql: Sql) -> None:
    await BotRepository(engine).create(BOT, config())
    notifier = LogNotifier(engine)
    with capture_logs() as lines:
        await notifier.deliver([notice(1), notice(2)])
        await notifier.deliver([notice(2), notice(3)])
    assert len(lines) == 3
    # Another process knows nothing of the log, but the row stays the same.
    await LogNotifier(engine).deliver([notice(1)])
    assert await sql.fetchval("SELECT count(*) FROM notifications") == 3


async def test_while_the_database_is_away_messages_still_go_out(database_url: str) -> None:
    nowhere = make_engine(database_url + "_gone")
    notifier = LogNotifier(nowhere)
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await notifier.deliver([notice()])
    assert [line["kind"] for line in lines if "kind" in line] == ["position_opened"]
    await nowhere.dispose()


async def test_the_last_words_of_a_deleted_bot_are_kept_once(engine: AsyncEngine, sql: Sql) -> None:
    notifier = LogNotifier(engine)
    await notifier.deliver([notice()])
    await notifier.deliver([notice()])
    (row,) = await sql.fetch("SELECT bot_id, payload ->> 'bot_id' AS bot FROM notifications")
    assert tuple(row) == (None, BOT)
    await notifier.deliver([])
