import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.journal import JournalRepository
from domain.journal import ForgottenEntry, JournalBatch, JournalPayload
from tests.db.samples import (
    BOT,
    START,
    batch,
    config,
    desired,
    entry,
    event,
    fill,
    numbered,
    order,
    position,
    report,
    trade,
)
from tests.support.postgres import Sql


async def bot_row(sql: Sql) -> dict[str, Any]:
    return dict(await sql.fetchrow("SELECT * FROM trading_bots"))


async def only(sql: Sql, table: str) -> dict[str, Any]:
    (row,) = await sql.fetch(f"SELECT * FROM {table}")
    return dict(row)


async def test_an_order_is_written_with_all_that_was_intended(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, order(status="pending")))
    row = await only(sql, "trading_orders")
    assert (row["bot_id"], str(row["bot_uid"]), row["n"]) == (BOT, uid, 1)
    assert (row["side"], row["type"], row["quantity"], row["price"]) == ("buy", "market", Decimal("0.5"), None)
    assert (row["reference_price"], row["status"], row["filled_quantity"]) == (Decimal("100.5"), "pending", 0)
    assert (row["reason"], row["status_reason"], row["decision_key"]) == ("entry signal", None, "decision-1")
    assert row["created_at"] == datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    assert row["updated_at"] == START + timedelta(microseconds=1)


async def test_an_order_that_went_on_is_updated(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, order(status="pending")))
    await journal.write(numbered(uid, order(status="rejected", reason="not enough cash"), first=2))
    row = await only(sql, "trading_orders")
    assert (row["status"], row["status_reason"], row["n"]) == ("rejected", "not enough cash", 2)
    assert row["updated_at"] == START + timedelta(microseconds=2)


async def test_orders_that_a_forgotten_life_never_sent_are_ended(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    noted = [order(1), order(2, status="pending"), order(3, status="open")]
    await journal.write(numbered(uid, *noted, order(4, status="pending")))
    newer = order(5, status="pending")
    forgotten = ForgottenEntry(kept=(noted[2].intent.client_order_id,))
    # What comes after the entry is of the new life, in the same batch or already there.
    await journal.write(batch(uid, entry(9, newer)))
    ending = batch(uid, entry(8, forgotten))
    for _ in range(2):
        await journal.write(ending)
        rows = await sql.fetch("SELECT sequence, status, status_reason FROM trading_orders ORDER BY sequence")
        assert [row["status"] for row in rows] == ["filled", "cancelled", "open", "cancelled", "pending"]
        assert rows[1]["status_reason"] == "never sent: the bot's history went back to before it"


async def test_within_a_batch_the_last_word_counts(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, order(status="pending"), fill(), order(status="filled")))
    row = await only(sql, "trading_orders")
    assert (row["status"], row["average_price"], row["n"]) == ("filled", Decimal("100.55"), 3)


@pytest.mark.parametrize(
    ("place", "newer", "older"),
    [
        pytest.param("trading_orders.status", order(status="filled"), order(status="pending"), id="order"),
        pytest.param("trading_positions.qty_open", position(quantity="2"), position(quantity="1"), id="position"),
        pytest.param("trading_trades.gross_pnl", trade(gross="7"), trade(gross="6"), id="trade"),
        pytest.param("trading_performance_metrics.metrics", trade(trades=2), trade(trades=1), id="metrics"),
        pytest.param("trading_bots.status", report("running"), report("starting"), id="bot"),
        pytest.param("trading_bots.enabled", desired(enabled=False), desired(enabled=True), id="desired"),
    ],
)
async def test_an_older_entry_never_overwrites(
    engine: AsyncEngine, sql: Sql, place: str, newer: JournalPayload, older: JournalPayload
) -> None:
    journal, (table, column) = JournalRepository(engine), place.split(".")
    uid = (await BotRepository(engine).create(BOT, config())).uid
    await journal.write(batch(uid, entry(20, newer)))
    before = (await only(sql, table))[column]
    await journal.write(batch(uid, entry(10, older)))
    assert (await only(sql, table))[column] == before
    # The same older one with a newer stamp does.
    await journal.write(batch(uid, entry(30, older)))
    assert (await only(sql, table))[column] != before


async def test_fills_are_told_apart_by_order_and_trade_id(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, fill(1, "1"), fill(1, "2"), fill(2, "1"), fill(1, "1", price="999")))
    rows = await sql.fetch("SELECT client_order_id, trade_id, price, fee FROM trading_fills ORDER BY n")
    assert [(row["client_order_id"][-1], row["trade_id"]) for row in rows] == [("1", "1"), ("1", "2"), ("2", "1")]
    await journal.write(numbered(uid, fill(1, "1", price="999"), first=9))
    assert await sql.fetchval("SELECT max(price) FROM trading_fills") == Decimal("100.55")


async def test_a_position_shows_its_average_price_until_it_is_flat(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    await journal.write(numbered(uid, position(quantity="0.4", cost="50")))
    assert (await only(sql, "trading_positions"))["avg_price"] == Decimal(125)
    await journal.write(numbered(uid, position(quantity="0", cost="0", closed_at=1_772_370_000_000), first=2))
    row = await only(sql, "trading_positions")
    assert (row["avg_price"], row["closed_at"]) == (None, datetime(2026, 3, 1, 13, tzinfo=UTC))


async def test_a_trade_is_written_with_its_strategy_and_renews_the_metrics(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    await journal.write(numbered(uid, trade(1, trades=1), trade(3, trades=2)))
    rows = await sql.fetch("SELECT * FROM trading_trades ORDER BY n")
    first = dict(rows[0])
    assert len(rows) == 2
    assert (first["trade_type"], first["strategy"], first["status"]) == ("paper", "CustomStrategy", "closed")
    assert (first["entry_logic_name"], json.loads(first["entry_logic_params"])) == (
        "RSIBBVolumeEntryMixin",
        {"e_rsi_period": 14},
    )
    assert (first["exit_logic_name"], json.loads(first["exit_logic_params"])) == (
        "ATRExitMixin",
        {"x_sl_multiplier": 1.5},
    )
    assert (first["gross_pnl"], first["commission"], first["net_pnl"]) == (5, Decimal("0.1"), Decimal("4.9"))
    assert first["pnl_percentage"] == Decimal("9.8")
    assert first["orders"] == ["sabcde000000000001", "sabcde000000000002"]
    metrics = await only(sql, "trading_performance_metrics")
    assert (metrics["period"], metrics["symbol"], metrics["interval"], metrics["n"]) == ("all", "BTC/USDT", "1h", 2)
    assert json.loads(metrics["metrics"]) == {"total_trades": 2, "win_rate": 1.0, "profit_factor": None}


async def test_money_keeps_eighteen_decimals_exactly(journal: JournalRepository, uid: str, engine: AsyncEngine) -> None:
    smallest, largest = "0.000000000000000001", "12345678901234567890.123456789012345678"
    await journal.write(numbered(uid, position(quantity=smallest, cost="0.1"), order(2, quantity=largest)))
    async with engine.connect() as connection:
        held = (await connection.exec_driver_sql("SELECT qty_open, cost FROM trading_positions")).one()
        ordered = (await connection.exec_driver_sql("SELECT quantity FROM trading_orders")).scalar_one()
    assert tuple(held) == (Decimal(smallest), Decimal("0.1"))
    assert ordered == Decimal(largest)


async def test_events_are_kept_by_stamp(journal: JournalRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, event("one", price=Decimal("1.5")), event("two")))
    await journal.write(batch(uid, entry(2, event("another two")), entry(3, event("three"))))
    rows = await sql.fetch("SELECT * FROM bot_events ORDER BY n")
    assert [row["message"] for row in rows] == ["one", "two", "three"]
    assert (json.loads(rows[0]["data"]), rows[0]["correlation_id"]) == ({"price": "1.5"}, "run-1")


async def test_text_that_postgres_cannot_hold_does_not_stop_the_journal(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    bad = "nul \0 and half a pair \ud83d"
    await journal.write(
        numbered(uid, event(bad, text=bad, ratio=float("nan")), order(1, status="rejected", reason=bad))
    )
    row = await only(sql, "bot_events")
    assert row["message"] == "nul � and half a pair ?"
    assert json.loads(row["data"]) == {"text": "nul � and half a pair ?", "ratio": None}


async def test_a_report_is_the_bots_own_row(
    journal: JournalRepository, bots: BotRepository, uid: str, sql: Sql
) -> None:
    said = report("running", observed=1, pnl="12.5").model_copy(update={"error_count": 2, "last_error": "venue gone"})
    receipt = await journal.write(numbered(uid, said))
    row = await bot_row(sql)
    assert (receipt.version, receipt.overtaken, receipt.orphaned) == (1, False, False)
    assert (row["status"], row["observed_version"], row["rejected_version"]) == ("running", 1, None)
    assert (row["current_balance"], row["total_pnl"]) == (Decimal("112.5"), Decimal("12.5"))
    assert (row["error_count"], row["last_error"], row["journal_n"]) == (2, "venue gone", 1)
    assert json.loads(row["carried"]) == {"book": {"cash": "100.5"}, "sequence": 3}
    assert row["version"] == 1
    carried = (await bots.get(BOT)).carried
    assert carried is not None
    assert (carried.book.cash, carried.sequence) == (Decimal("100.5"), 3)


async def test_a_bot_is_said_to_have_started_when_it_begins_to_trade(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    seen = []
    story = [
        "starting",
        "running",
        "paused",
        "error",
        "running",
        "stopping",
        "stopped",
        "starting",
        "paused",
        "running",
    ]
    for n, status in enumerate(story, start=1):
        await journal.write(batch(uid, entry(n, report(status))))  # type: ignore[arg-type]
        started = (await bot_row(sql))["started_at"]
        seen.append(started and (started - START).microseconds)
    assert seen == [None, 2, 2, 2, 2, 2, 2, 2, 9, 9]


BOOKS: tuple[Callable[[], JournalPayload], ...] = (order, fill, position, trade, event)
TABLES = ("trading_orders", "trading_fills", "trading_positions", "trading_trades", "bot_events")


async def test_the_books_of_a_deleted_bot_are_still_written(
    journal: JournalRepository, bots: BotRepository, uid: str, sql: Sql
) -> None:
    await bots.delete(BOT)
    last = numbered(uid, *(make() for make in BOOKS), report("stopped"), desired(enabled=False))
    receipts = [await journal.write(last) for _ in range(2)]
    assert [(receipt.orphaned, receipt.version) for receipt in receipts] == [(True, None)] * 2
    for table in TABLES:
        row = await only(sql, table)
        assert (row["bot_id"], str(row["bot_uid"])) == (None, uid), table


async def test_the_books_outlive_the_row(journal: JournalRepository, bots: BotRepository, uid: str, sql: Sql) -> None:
    await journal.write(numbered(uid, *(make() for make in BOOKS)))
    await bots.delete(BOT)
    for table in (*TABLES, "trading_performance_metrics"):
        row = await only(sql, table)
        assert (row["bot_id"], str(row["bot_uid"])) == (None, uid), table


async def test_a_bot_made_anew_gets_nothing_of_its_namesake(
    journal: JournalRepository, bots: BotRepository, uid: str, sql: Sql
) -> None:
    await bots.delete(BOT)
    await bots.create(BOT, config())
    receipt = await journal.write(numbered(uid, order(), report("running"), desired(enabled=False)))
    row = await bot_row(sql)
    assert receipt.orphaned
    assert (row["status"], row["enabled"], row["journal_n"]) == ("stopped", True, 0)
    assert (await only(sql, "trading_orders"))["bot_id"] is None


async def test_an_empty_batch_is_no_trouble(journal: JournalRepository, uid: str) -> None:
    assert (await journal.write(JournalBatch(bot_id=BOT, uid=uid, entries=()))).orphaned is False


async def test_a_hundred_entries_of_several_writers_end_in_the_last_state(
    journal: JournalRepository, uid: str, sql: Sql
) -> None:
    """A zombie of the journal activity writes the same batch at the same moment."""
    payloads: list[JournalPayload] = [order(n % 7 + 1, status="filled" if n > 50 else "open") for n in range(1, 100)]
    full = numbered(uid, *payloads, report("running"))
    await asyncio.gather(*(journal.write(full) for _ in range(4)))
    rows = await sql.fetch("SELECT status, n FROM trading_orders ORDER BY n")
    assert [(row["status"], row["n"]) for row in rows] == [("filled", n) for n in range(93, 100)]
    assert (await bot_row(sql))["journal_n"] == 100
