"""Live bots with all their real parts: Temporal, PostgreSQL, ccxt, and the simulated exchange at the other end."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowUpdateFailedError

from cli.audit import audit
from db.reads import OrderRecord
from simulator.clock import Clock
from simulator.faults.altered import SymbolBreak
from simulator.faults.outages import HttpError
from tests.cli.helpers import eventually
from tests.support.live import GO_LIVE, LiveBot, LiveStage, live_stage

REVOKED = "Invalid API-key, IP, or permissions for action."
SIGNED = ("/api/v3/order", "/api/v3/account", "/api/v3/openOrders", "/api/v3/allOrders", "/api/v3/myTrades", "/sapi/*")
ALLOTTED, DEPOSITED = Decimal(1000), Decimal(1500)


@pytest.fixture
async def stage(temporal: Client, engine: AsyncEngine, database_url: str, tmp_path: Path) -> AsyncIterator[LiveStage]:
    async with live_stage(temporal, engine, database_url, tmp_path) as running:
        yield running


async def orders_of(stage: LiveStage, bot: LiveBot) -> list[OrderRecord]:
    return list(await stage.reads.orders(bot.bot_id, limit=10_000))


async def assert_books_equal_ledger(stage: LiveStage, bot: LiveBot, *, on_paper: set[str]) -> None:
    """Compare the journal's orders and fills with those of the exchange, one by one, and then the money."""
    ledger = await stage.ledger()
    orders = [order for order in await orders_of(stage, bot) if order.client_order_id not in on_paper]
    fills = await stage.reads.fills(bot.bot_id, limit=10_000)
    sent = [order for order in orders if order.venue_order_id is not None]
    assert sorted((o.client_order_id, o.venue_order_id, o.side, o.quantity, o.filled_quantity) for o in sent) == sorted(
        (o["clientOrderId"], str(o["orderId"]), o["side"].lower(), Decimal(o["qty"]), Decimal(o["executedQty"]))
        for o in ledger["orders"]
    )
    # In its first seconds a live bot makes sure that nothing of an earlier life arrives; on candles of a second an
    # entry is too late then. A stop is refused where the price is below it by now.
    assert {(o.type, o.status) for o in orders if o not in sent} <= {
        ("market", "expired"),
        ("limit", "expired"),
        ("stop", "rejected"),
    }
    assert sorted(
        (f.trade_id, f.price, f.quantity, f.fee, f.fee_currency) for f in fills if f.client_order_id not in on_paper
    ) == sorted(
        (str(t["tradeId"]), Decimal(t["price"]), Decimal(t["qty"]), Decimal(t["commission"]), t["commissionAsset"])
        for t in ledger["trades"]
    )
    carried = (await bot.row()).carried
    assert carried is not None
    held = {balance["asset"]: Decimal(balance["free"]) for balance in ledger["balances"]}
    assert carried.book.position is None
    assert held["USDT"] - DEPOSITED == carried.book.cash - ALLOTTED
    assert held["BTC"] == carried.book.dust.quantity


async def test_the_same_row_trades_on_paper_and_then_live_with_only_its_broker_changed(stage: LiveStage) -> None:
    await stage.open_account(USDT=str(DEPOSITED))
    bot = await stage.add_bot("both", live=False, trading__on_stop="close_position")
    await bot.comes(lambda status: status.trades >= 2)
    await bot.enable(enabled=False)
    on_paper = {order.client_order_id for order in await orders_of(stage, bot)}
    assert (await stage.ledger())["orders"] == []

    await bot.edit(broker=GO_LIVE)
    await bot.enable(enabled=True)
    version = (await bot.row()).version
    await bot.comes(lambda status: status.observed_version == version and status.trades >= 2)
    await bot.enable(enabled=False)
    assert (await audit(stage.client, stage.reads, [bot.bot_id])).findings == ()
    assert {trade.trade_type for trade in await stage.reads.trades(bot.bot_id)} == {"paper", "live"}
    await assert_books_equal_ledger(stage, bot, on_paper=on_paper)


async def test_offers_and_a_stop_at_the_exchange_are_in_its_ledger_as_they_are_in_the_books(stage: LiveStage) -> None:
    """The market goes up and down by half a percent every 12 s: offers a little away from it are mostly filled."""
    await stage.open_account(USDT=str(DEPOSITED))
    bot = await stage.add_bot(
        "offers",
        trading__entry_order="limit",
        trading__exit_order="limit",
        trading__limit_offset_pct=0.02,
        trading__limit_timeout_seconds=3.0,
        trading__on_stop="close_position",
        risk_management__exchange_stop=True,
    )
    await bot.comes(lambda status: status.trades >= 3, seconds=120)
    await bot.enable(enabled=False)
    orders = await orders_of(stage, bot)
    assert {order.type for order in orders} >= {"limit", "stop"}
    assert {order.status for order in orders if order.type == "limit"} <= {"filled", "cancelled", "expired"}
    assert {o["status"] for o in (await stage.ledger())["orders"]} <= {"FILLED", "CANCELED"}
    assert (await audit(stage.client, stage.reads, [bot.bot_id])).findings == ()
    await assert_books_equal_ledger(stage, bot, on_paper=set())


async def refused(bot: LiveBot) -> str:
    """Wait until a bot says that its configuration cannot be traded by, and return why."""
    status = await bot.comes(lambda status: status.status == "error" and status.problems != ())
    assert (status.observed_version, status.rejected_version) == (None, 1)
    return "; ".join(status.problems)


async def test_a_wrong_secret_is_an_error_of_the_bot_that_names_the_account(stage: LiveStage) -> None:
    await stage.open_account(USDT="1500", secret="another-secret")
    problem = await refused(await stage.add_bot("wrong"))
    assert "account main on binance" in problem
    assert "Signature for this request is not valid" in problem


async def test_a_key_without_the_right_to_trade_is_an_error(stage: LiveStage) -> None:
    await stage.open_account("read", USDT="1500")
    problem = await refused(await stage.add_bot("reader"))
    assert problem.startswith("broker.credentials: binance at ")
    assert problem.endswith("lets the keys 'main' read only, not trade")


async def test_keys_that_nobody_has_stored_are_an_error(stage: LiveStage) -> None:
    problem = await refused(await stage.add_bot("keyless"))
    assert "there are no credentials main" in problem


async def test_a_symbol_that_the_exchange_does_not_have_is_an_error(stage: LiveStage) -> None:
    await stage.open_account(USDT="1500")
    problem = await refused(await stage.add_bot("nowhere", symbol="BTCUSDX"))
    assert problem.startswith("symbol: ")
    assert "did you mean BTC/USDT?" in problem


async def test_an_entry_below_the_minimum_is_not_sent_and_the_bot_says_why(stage: LiveStage) -> None:
    await stage.open_account(USDT="1500")
    bot = await stage.add_bot("small", trading__position_size=0.004)
    await bot.comes(lambda status: status.status == "running")
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await bot.handle.execute_update("open_position")
    assert "below the least of BTC/USDT, 5 USDT" in str(refusal.value.cause)
    assert (await stage.ledger())["orders"] == []


async def test_a_market_that_is_closed_loses_nothing_and_the_exit_goes_through_once_it_opens(stage: LiveStage) -> None:
    await stage.open_account(USDT="1500")
    bot = await stage.add_bot("halted", risk_management__stop_loss_pct=50, risk_management__take_profit_pct=50)
    await bot.comes(lambda status: status.position.quantity is not None)
    stage.goes_wrong(SymbolBreak(symbols=frozenset({"BTCUSDT"})))
    status = await bot.comes(lambda status: status.status == "error")
    assert "Market is closed" in (status.last_error or "")
    assert status.position.quantity is not None
    stage.goes_wrong()
    await bot.comes(lambda status: status.trades >= 1)
    assert [order["side"] for order in (await stage.ledger())["orders"][:2]] == ["BUY", "SELL"]


async def test_a_flat_bot_whose_keys_are_revoked_says_so_once_and_trades_on_when_they_work_again(
    stage: LiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.key_standing._REST_SECONDS", 0.5)
    for name in ("_LOOK_SECONDS", "_TRY_SECONDS"):
        monkeypatch.setattr(f"activities.refusals.{name}", 0.2)
    await stage.open_account(USDT="1500")
    bot = await stage.add_bot("revoked", trading__on_stop="close_position")
    await bot.comes(lambda status: status.trades >= 1)
    stage.goes_wrong(*(HttpError(endpoint=each, status=401, code=-2015, msg=REVOKED) for each in SIGNED))
    await eventually(lambda: shows_refusal(stage, bot, refused=True))
    rejected = await rejections(stage, bot)
    clock = stage.simulator.exchange.clock
    later = clock.now_ms() + 4_000
    await eventually(lambda: candles_pass(clock, later))
    assert await rejections(stage, bot) == rejected, "four candles, of which some have a signal"
    stage.goes_wrong()
    await eventually(lambda: shows_refusal(stage, bot, refused=False))
    trades = (await bot.status()).trades
    await bot.comes(lambda status: status.trades > trades)
    types = [event.type for event in await stage.reads.events(bot.bot_id, limit=10_000)]
    assert (types.count("account_refused"), types.count("account_accepted")) == (1, 1)
    async with stage.engine.connect() as connection:
        told = await connection.execute(text("SELECT kind FROM notifications WHERE kind LIKE 'account%' ORDER BY id"))
        assert list(told.scalars()) == ["account_refused", "account_accepted"]


async def shows_refusal(stage: LiveStage, bot: LiveBot, *, refused: bool) -> bool:
    return ((await stage.rows.overview(bot.bot_id)).refused is not None) == refused


async def rejections(stage: LiveStage, bot: LiveBot) -> int:
    return sum(order.status == "rejected" and order.side == "buy" for order in await orders_of(stage, bot))


async def candles_pass(clock: Clock, moment: int) -> bool:
    return clock.now_ms() >= moment


async def test_keys_that_are_refused_later_are_an_error_and_the_exit_goes_through_with_valid_ones(
    stage: LiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.key_standing._REST_SECONDS", 1)
    await stage.open_account(USDT="1500")
    bot = await stage.add_bot("revoked", risk_management__stop_loss_pct=50, risk_management__take_profit_pct=50)
    await bot.comes(lambda status: status.position.quantity is not None)
    revoked = "Invalid API-key, IP, or permissions for action."
    stage.goes_wrong(HttpError(endpoint="/api/v3/order", status=401, code=-2015, msg=revoked))
    status = await bot.comes(lambda status: status.status == "error")
    assert "account main on binance" in (status.last_error or "")
    assert revoked in (status.last_error or "")
    assert status.position.quantity is not None
    stage.goes_wrong()
    await bot.comes(lambda status: status.trades >= 1)
    assert [order["side"] for order in (await stage.ledger())["orders"][:2]] == ["BUY", "SELL"]
