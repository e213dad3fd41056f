"""What a person who writes plain SQL can rely on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.db.samples import BOT, config
from tests.support.postgres import Sql


@pytest.fixture
async def notes(database_url: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What NOTIFY has said; give it a moment with `heard`."""
    listener = await asyncpg.connect(database_url, ssl=False)
    notes: list[dict[str, Any]] = []
    await listener.add_listener("trading_bots", lambda *message: notes.append(json.loads(message[3])))
    yield notes
    await listener.close()


async def heard(sql: Sql, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all notes of what was committed so far: notifications arrive in the order of the commits."""
    await sql.execute("""SELECT pg_notify('trading_bots', '{"op": "end"}')""")
    for _ in range(1000):
        if notes and notes[-1] == {"op": "end"}:
            return notes[:-1]
        await asyncio.sleep(0.005)
    raise TimeoutError("nothing was heard within 5 s")


async def insert(sql: Sql, document: dict[str, Any], **columns: Any) -> None:
    names = ["config", *columns]
    places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
    await sql.execute(
        f"INSERT INTO trading_bots ({', '.join(names)}) VALUES ({places})", json.dumps(document), *columns.values()
    )


async def row(sql: Sql) -> dict[str, Any]:
    found = dict(await sql.fetchrow("SELECT * FROM trading_bots"))
    return found | {"config": json.loads(found["config"])}


async def test_a_configuration_alone_makes_a_row(sql: Sql) -> None:
    await insert(sql, config())
    found = await row(sql)
    assert (found["id"], found["enabled"], found["desired_paused"]) == (BOT, True, False)
    assert (found["name"], found["symbol"], found["type"]) == ("RSI+ATR BTC Paper Trading", "BTCUSDT", "paper")
    assert (found["status"], found["version"], found["owner_id"]) == ("stopped", 1, "local")
    assert found["config"] == config()


@pytest.mark.parametrize("document", [{}, {"broker": {}}, {"broker": {"trading_mode": "dream"}}, {"broker": [1]}])
async def test_a_configuration_without_a_known_mode_still_makes_a_row(sql: Sql, document: dict[str, Any]) -> None:
    await insert(sql, document, id="strange")
    found = await row(sql)
    assert found["type"] is None
    assert found["config"] == document | {"id": "strange", "enabled": False}


@pytest.mark.parametrize("column", [True, False])
async def test_a_new_row_follows_the_column_when_column_and_config_disagree(sql: Sql, column: bool) -> None:
    await insert(sql, config(enabled=not column), enabled=column)
    found = await row(sql)
    assert (found["enabled"], found["config"]["enabled"]) == (column, column)


async def test_writing_the_column_enabled_writes_the_config_too(sql: Sql) -> None:
    await insert(sql, config(enabled=True))
    await sql.execute("UPDATE trading_bots SET enabled = false")
    found = await row(sql)
    assert (found["enabled"], found["config"]["enabled"], found["version"]) == (False, False, 2)


async def test_writing_enabled_in_the_config_writes_the_column_too(sql: Sql) -> None:
    await insert(sql, config(enabled=True))
    await sql.execute("UPDATE trading_bots SET config = jsonb_set(config, '{enabled}', 'false')")
    found = await row(sql)
    assert (found["enabled"], found["config"]["enabled"], found["version"]) == (False, False, 2)


async def test_of_both_the_one_that_changes_wins(sql: Sql) -> None:
    await insert(sql, config(enabled=True))
    # The column says what it said before; the config is the news.
    await sql.execute("UPDATE trading_bots SET enabled = true, config = $1", json.dumps(config(enabled=False)))
    assert (await row(sql))["enabled"] is False
    # Now the column is the news, and the config says what it said before.
    await sql.execute("UPDATE trading_bots SET enabled = true, config = $1", json.dumps(config(enabled=False)))
    found = await row(sql)
    assert (found["enabled"], found["config"]["enabled"]) == (True, True)


async def test_a_config_without_enabled_keeps_what_the_column_says(sql: Sql) -> None:
    await insert(sql, config(enabled=True))
    await sql.execute("UPDATE trading_bots SET config = config - 'enabled' - 'id' || '{\"symbol\": \"ETHUSDT\"}'")
    found = await row(sql)
    assert (found["enabled"], found["config"]["enabled"], found["config"]["id"]) == (True, True, BOT)
    assert (found["symbol"], found["version"]) == ("ETHUSDT", 2)


async def test_enabled_must_be_true_or_false(sql: Sql) -> None:
    await insert(sql, config())
    with pytest.raises(asyncpg.CheckViolationError, match=r'config\.enabled must be true or false; was "yes"'):
        await sql.execute("""UPDATE trading_bots SET config = config || '{"enabled": "yes"}'""")


async def test_the_id_of_the_config_must_be_that_of_the_row(sql: Sql) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match='must equal the id of the row, one; was "two"'):
        await insert(sql, config("two"), id="one")
    await insert(sql, config())
    with pytest.raises(asyncpg.CheckViolationError, match=f'must equal the id of the row, {BOT}; was "two"'):
        await sql.execute("""UPDATE trading_bots SET config = config || '{"id": "two"}'""")


@pytest.mark.parametrize("change", ["id = 'other'", "uid = gen_random_uuid()"])
async def test_identity_never_changes(sql: Sql, change: str) -> None:
    await insert(sql, config())
    with pytest.raises(asyncpg.CheckViolationError, match="id and uid of a bot never change"):
        await sql.execute(f"UPDATE trading_bots SET {change}")


@pytest.mark.parametrize("bot_id", ["", "Upper", "a b", "x" * 65, "a/b"])
async def test_an_id_must_be_a_slug(sql: Sql, bot_id: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="ck_trading_bots_id"):
        await insert(sql, {}, id=bot_id)


@pytest.mark.parametrize("document", ["[]", '"text"', "null", "1"])
async def test_a_config_must_be_an_object(sql: Sql, document: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="ck_trading_bots_config"):
        await sql.execute("INSERT INTO trading_bots (id, enabled, config) VALUES ('a', true, $1)", document)


@pytest.mark.parametrize(
    ("change", "version"),
    [
        pytest.param("desired_paused = true", 2, id="pause"),
        pytest.param("enabled = false", 2, id="disable"),
        pytest.param('config = config || \'{"symbol": "ETHUSDT"}\'', 2, id="edit"),
        pytest.param("config = config, enabled = enabled, desired_paused = desired_paused", 1, id="nothing"),
        pytest.param("config = jsonb_set(config, '{broker,cash}', '100')", 1, id="the-same-number-written-otherwise"),
        pytest.param("version = 77", 1, id="version-by-hand"),
        pytest.param("version = 77, desired_paused = true", 2, id="version-by-hand-with-a-change"),
        pytest.param("status = 'running', observed_version = 1, carried = '{}'", 1, id="journal"),
    ],
)
async def test_the_version_counts_real_changes_of_the_desired_state(sql: Sql, change: str, version: int) -> None:
    await insert(sql, config())
    before = await row(sql)
    await sql.execute(f"UPDATE trading_bots SET {change}")
    after = await row(sql)
    assert after["version"] == version
    assert (after["updated_at"] > before["updated_at"]) is (version == 2)


async def test_every_configuration_is_kept_with_its_author(sql: Sql) -> None:
    await insert(sql, config())
    async with sql.transaction():
        await sql.execute("SELECT set_config('steadyhand.author', 'ada', true)")
        await sql.execute("UPDATE trading_bots SET enabled = false")
    # The setting was the transaction's; from here on the database user is the author again.
    await sql.execute("UPDATE trading_bots SET desired_paused = true")
    await sql.execute('UPDATE trading_bots SET config = config || \'{"symbol": "ETHUSDT"}\'')
    kept = await sql.fetch("SELECT version, author, config ->> 'symbol', config ->> 'enabled' FROM config_versions")
    assert [tuple(record) for record in kept] == [
        (1, "steadyhand", "BTCUSDT", "true"),
        (2, "ada", "BTCUSDT", "false"),
        (4, "steadyhand", "ETHUSDT", "false"),
    ]


async def test_configurations_outlive_their_bot(sql: Sql) -> None:
    await insert(sql, config())
    uid = (await row(sql))["uid"]
    await sql.execute("DELETE FROM trading_bots")
    await insert(sql, config())
    kept = await sql.fetch("SELECT bot_id, bot_uid = $1 AS old FROM config_versions", uid)
    assert {tuple(record) for record in kept} == {(None, True), (BOT, False)}


async def test_notify_tells_of_new_rows_new_versions_and_deletions_only(sql: Sql, notes: list[dict[str, Any]]) -> None:
    await insert(sql, config())
    await sql.execute("UPDATE trading_bots SET status = 'running', observed_version = 1, last_error = 'x'")
    await sql.execute("UPDATE trading_bots SET enabled = enabled")
    await sql.execute("UPDATE trading_bots SET enabled = false")
    await sql.execute("UPDATE trading_bots SET desired_paused = true")
    await sql.execute("DELETE FROM trading_bots")
    assert await heard(sql, notes) == [
        {"id": BOT, "version": 1, "op": "insert"},
        {"id": BOT, "version": 2, "op": "update"},
        {"id": BOT, "version": 3, "op": "update"},
        {"id": BOT, "version": 3, "op": "delete"},
    ]


async def test_a_change_that_is_rolled_back_is_never_heard_of(sql: Sql, notes: list[dict[str, Any]]) -> None:
    transaction = sql.transaction()
    await transaction.start()
    await insert(sql, config())
    await transaction.rollback()
    assert await heard(sql, notes) == []
