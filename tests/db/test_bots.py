import asyncio
import re
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.errors import BotExists, RowRefused, VersionConflict
from db.journal import JournalRepository
from db.liveness import LivenessRepository
from domain.errors import UnknownBot
from domain.ports import Liveness
from tests.db.samples import BOT, START, START_MS, config, event, numbered, position, report
from tests.support.postgres import Sql


async def test_a_created_bot_is_read_back_as_it_was_written(bots: BotRepository, sql: Sql) -> None:
    made = await bots.create(BOT, config(), owner="ada", author="ada", description="the first")
    assert made == await bots.get(BOT)
    assert (made.bot_id, made.owner_id, made.config, made.version) == (BOT, "ada", config(), 1)
    assert (made.enabled, made.desired_paused, made.status, made.observed_version) == (True, False, "stopped", None)
    assert (made.carried, made.last_error) == (None, None)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made.uid)
    assert await sql.fetchval("SELECT description FROM trading_bots") == "the first"


async def test_a_second_bot_of_the_same_id_is_refused(bots: BotRepository) -> None:
    await bots.create(BOT, config())
    with pytest.raises(BotExists, match=f"there is a bot {BOT} already"):
        await bots.create(BOT, config(enabled=False))
    assert (await bots.get(BOT)).enabled is True


@pytest.mark.parametrize(
    ("bot_id", "document", "message"),
    [
        pytest.param("one", config("two"), 'config.id must equal the id of the row, one; was "two"', id="two-ids"),
        pytest.param("one", {"enabled": 1}, "config.enabled must be true or false; was 1", id="enabled"),
        pytest.param("No Slug", {}, "ck_trading_bots_id", id="no-slug"),
    ],
)
async def test_a_row_that_contradicts_itself_is_refused(
    bots: BotRepository, bot_id: str, document: dict[str, Any], message: str
) -> None:
    with pytest.raises(RowRefused, match=f"bot {bot_id} was refused: .*{re.escape(message)}"):
        await bots.create(bot_id, document)


async def test_unknown_bots_are_said_to_be_unknown(bots: BotRepository) -> None:
    calls = [
        bots.get("nobody"),
        bots.update_config("nobody", config("nobody")),
        bots.set_enabled("nobody", True),
        bots.set_paused("nobody", True),
        bots.delete("nobody"),
        bots.versions("nobody"),
        bots.overview("nobody"),
    ]
    for call in calls:
        with pytest.raises(UnknownBot, match="there is no bot nobody"):
            await call


async def test_enabled_rows_are_those_that_should_run(bots: BotRepository) -> None:
    for bot_id, enabled in (("c", True), ("a", True), ("b", False)):
        await bots.create(bot_id, config(bot_id, enabled=enabled))
    assert [row.bot_id for row in await bots.all_enabled()] == ["a", "c"]
    await bots.set_enabled("b", True)
    await bots.set_enabled("a", False)
    assert [row.bot_id for row in await bots.all_enabled()] == ["b", "c"]


async def test_changes_count_the_version_and_repetitions_do_not(bots: BotRepository) -> None:
    await bots.create(BOT, config())
    assert await bots.set_enabled(BOT, False) == 2
    assert await bots.set_enabled(BOT, False) == 2
    assert await bots.set_paused(BOT, True) == 3
    assert await bots.set_paused(BOT, True) == 3
    assert await bots.update_config(BOT, config(enabled=False, symbol="ETHUSDT")) == 4
    assert await bots.update_config(BOT, config(enabled=False, symbol="ETHUSDT")) == 4
    row = await bots.get(BOT)
    assert (row.enabled, row.desired_paused, row.config["symbol"], row.version) == (False, True, "ETHUSDT", 4)


async def test_a_change_for_another_version_is_refused(bots: BotRepository) -> None:
    await bots.create(BOT, config())
    await bots.set_paused(BOT, True)
    with pytest.raises(VersionConflict, match=f"bot {BOT} is at version 2; expected version 1"):
        await bots.update_config(BOT, config(symbol="ETHUSDT"), expected_version=1)
    assert await bots.update_config(BOT, config(symbol="ETHUSDT"), expected_version=2) == 3


async def test_of_two_simultaneous_edits_one_wins(bots: BotRepository, sql: Sql) -> None:
    await bots.create(BOT, config())
    transaction = sql.transaction()
    await transaction.start()
    await sql.execute("SELECT FROM trading_bots FOR UPDATE")
    edits = [
        asyncio.create_task(bots.update_config(BOT, config(symbol=symbol), expected_version=1))
        for symbol in ("AAAUSDT", "BBBUSDT")
    ]
    # Both have come as far as they can before either is let in.
    for _ in range(1000):
        if await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 2:
            break
        await asyncio.sleep(0.01)
    await transaction.rollback()
    results = await asyncio.gather(*edits, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["VersionConflict", "int"]
    assert (await bots.get(BOT)).version == 2


async def test_the_history_of_configurations_names_its_authors(bots: BotRepository) -> None:
    await bots.create(BOT, config(), author="ada")
    await bots.update_config(BOT, config(symbol="ETHUSDT"), author="grace")
    await bots.set_paused(BOT, True, author="ada")
    await bots.set_enabled(BOT, False)
    records = await bots.versions(BOT)
    assert [(record.version, record.author, record.config["symbol"]) for record in records] == [
        (4, "steadyhand", "ETHUSDT"),
        (2, "grace", "ETHUSDT"),
        (1, "ada", "BTCUSDT"),
    ]
    assert records[0].config == config(symbol="ETHUSDT", enabled=False)


async def test_a_refused_version_of_a_bot_that_never_ran_is_an_error(bots: BotRepository) -> None:
    await bots.create(BOT, config())
    await bots.refuse(BOT, 1, "data.interval: must be one of 1m, 5m, 1h; was 7m")
    row = await bots.get(BOT)
    assert (row.status, row.rejected_version) == ("error", 1)
    assert row.last_error == "data.interval: must be one of 1m, 5m, 1h; was 7m"


async def test_a_refused_edit_of_a_running_bot_leaves_it_running(bots: BotRepository, engine: AsyncEngine) -> None:
    uid = (await bots.create(BOT, config())).uid
    await JournalRepository(engine).write(numbered(uid, report("running", observed=1)))
    await bots.update_config(BOT, config(symbol="NOSUCH"))
    await bots.refuse(BOT, 2, "symbol: unknown")
    row = await bots.get(BOT)
    assert (row.status, row.rejected_version, row.observed_version, row.last_error) == (
        "running",
        2,
        1,
        "symbol: unknown",
    )


async def test_refusing_a_version_that_is_gone_says_nothing_of_the_new_one(bots: BotRepository) -> None:
    await bots.create(BOT, config())
    await bots.update_config(BOT, config(symbol="ETHUSDT"))
    await bots.refuse(BOT, 1, "symbol: unknown")
    await bots.refuse("nobody", 1, "symbol: unknown")
    row = await bots.get(BOT)
    assert (row.status, row.rejected_version, row.last_error) == ("stopped", None, None)


async def test_the_overview_shows_each_bot_with_its_position_and_last_event(
    bots: BotRepository, engine: AsyncEngine
) -> None:
    uid = (await bots.create(BOT, config())).uid
    await bots.create("another", {"broker": 7})
    journal = JournalRepository(engine)
    closed = position(1, quantity="0", cost="0", closed_at=START_MS + 5000)
    said = (event("bought"), closed, position(2, quantity="0.4", cost="50"), event("bought again"), report(pnl="2.5"))
    await journal.write(numbered(uid, *said))
    seen_at = Liveness(
        bot_id=BOT,
        seen_at=START,
        balance=Decimal(103),
        price=Decimal(130),
        candle_time=START_MS,
        degraded=None,
    )
    await LivenessRepository(engine).flush("worker-1", [seen_at])
    other, seen = await bots.list_overview()
    assert (seen.bot_id, seen.name, seen.symbol, seen.type) == (BOT, "RSI+ATR BTC Paper Trading", "BTCUSDT", "paper")
    assert (seen.status, seen.enabled, seen.paused, seen.version, seen.observed_version) == (
        "running",
        True,
        False,
        1,
        1,
    )
    assert (seen.position_quantity, seen.position_price) == (Decimal("0.4"), Decimal(125))
    assert (seen.price, seen.total_pnl, seen.balance) == (Decimal(130), Decimal("2.5"), Decimal(103))
    assert (seen.last_event, seen.worker, seen.last_heartbeat) == ("bought again", "worker-1", START)
    assert (seen.last_candle_at, seen.rejected_version, seen.last_error) == (START, None, None)
    assert (other.bot_id, other.name, other.symbol, other.type) == ("another", None, None, None)
    assert (other.status, other.enabled, other.position_quantity, other.last_event) == ("stopped", False, None, None)
    assert await bots.overview("another") == other


async def test_a_bot_that_never_had_a_valid_configuration_has_no_balance(
    bots: BotRepository, engine: AsyncEngine
) -> None:
    uid = (await bots.create(BOT, config())).uid
    journal = JournalRepository(engine)
    await journal.write(numbered(uid, report("error", observed=None, rejected=1, pnl="-100"), first=1))
    assert (await bots.overview(BOT)).balance is None
    await journal.write(numbered(uid, report(pnl="-100"), first=2))
    assert (await bots.overview(BOT)).balance == 0, "all is lost"


async def test_a_bot_that_closed_its_position_is_flat(bots: BotRepository, engine: AsyncEngine) -> None:
    uid = (await bots.create(BOT, config())).uid
    # Dust is left in the books of a closed position; it is no open position.
    dust = position(quantity="0.00001", cost="0.001", closed_at=START_MS + 5000)
    await JournalRepository(engine).write(numbered(uid, position(), dust))
    seen = await bots.overview(BOT)
    assert (seen.position_quantity, seen.position_price) == (None, None)


async def test_bots_that_share_keys_are_found_oldest_first(bots: BotRepository) -> None:
    live = {"type": "binance", "trading_mode": "live", "credentials": "main"}
    await bots.create("second", config("second", broker=live))
    await bots.create("first", config("first", broker=live))
    await bots.create("off", config("off", broker=live, enabled=False))
    await bots.create("other", config("other", broker=live | {"credentials": "mine"}))
    await bots.create("paper", config("paper", broker=live | {"trading_mode": "paper"}))
    assert [row.bot_id for row in await bots.sharing("main")] == ["second", "first"]
