"""Histories that go back: a bot finds its own orders at the venue before it sends anything."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from domain.accounts import VenueOrder
from domain.journal import OrderEntry, TradeEntry
from domain.orders import Fill, OrderReport, Side, client_order_id, recognised
from domain.state import Reconfigure
from tests.support.bots import Bench, BotUnderTest, live_bot, until


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.adopting._WARY", timedelta(seconds=1))


def first_order(bot: BotUnderTest, side: Side) -> VenueOrder:
    """Return what the bot's first order would look like at the venue: half a coin at 100."""
    name, at = client_order_id(bot.row.uid, 1), bot.bench.market.opening_time
    fill = Fill(
        trade_id=f"{name}-t",
        price=Decimal(100),
        quantity=Decimal("0.5"),
        fee=Decimal(0),
        fee_currency="USDT",
        at=at,
    )
    report = OrderReport(client_order_id=name, status="filled", fills=(fill,))
    return VenueOrder(
        report=report, symbol="BTC/USDT", side=side, type="market", quantity=Decimal("0.5"), created_at=at
    )


async def forget(bench: Bench, bot: BotUnderTest) -> None:
    """End the bot's workflow by force and take back what its row knows of its life."""
    await bot.handle.terminate()
    bench.journal.rows[bot.bot_id] = bot.row.model_copy(update={"carried": None, "observed_version": None})


async def reset_to_the_beginning(bot: BotUnderTest) -> None:
    """Reset the bot's history to its first workflow task, as a person can with one click."""
    history = await bot.handle.fetch_history()
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    first = next(event.event_id for event in history.events if event.event_type == completed)
    await bot.bench.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=bot.handle.id, run_id=history.run_id),
            reason="a test",
            workflow_task_finish_event_id=first,
            request_id=str(uuid.uuid4()),
        )
    )


def test_the_bots_own_orders_are_recognised_by_their_ids() -> None:
    ids = {client_order_id("mine", 7, 0), client_order_id("mine", 7, 2), client_order_id("other", 7, 0)}
    assert set(recognised("mine", ids, after=6).values()) == {(7, 0), (7, 2)}
    assert recognised("mine", ids, after=8) == {}


async def test_a_bot_that_forgot_its_purchase_finds_it_and_sells_it(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    held = (await bot.holds()).quantity
    await forget(bench, bot)
    await bench.fleet.sync(bot.row)
    assert (await bot.holds()).quantity == held
    await until(lambda: "order_adopted" in bench.journal.events(bot.bot_id))
    bench.market.crash()
    await bot.closed()
    sides = [bench.exchange.orders[name].side for name in bench.exchange.accepted]
    assert sides == ["buy", "sell"]


async def test_a_bot_that_forgot_a_whole_round_trip_books_it_once(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await bot.closed()
    await until(lambda: bool(bench.journal.payloads(bot.bot_id, TradeEntry)))
    cash = (await bot.status()).position.cash
    await forget(bench, bot)
    await bench.fleet.sync(bot.row)
    await bot.closed()
    assert (await bot.status()).position.cash == cash
    first, again = bench.journal.payloads(bot.bot_id, TradeEntry)
    assert (first.trade.position_id, first.trade.net_pnl) == (again.trade.position_id, again.trade.net_pnl)
    assert len(bench.exchange.accepted) == 2


async def test_a_history_that_was_reset_adopts_before_it_trades(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    held = (await bot.holds()).quantity
    await reset_to_the_beginning(bot)
    await until(lambda: bench.accounts.asked >= 2)
    await bot.comes(lambda status: status.position.quantity == held)
    assert len(bench.exchange.accepted) == 1
    bench.market.crash()
    await bot.closed()


async def test_a_lost_worker_has_the_venue_asked_again(bench: Bench) -> None:
    bot = await live_bot(bench)
    order = first_order(bot, "buy")
    bench.exchange.orders[order.report.client_order_id] = order
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    assert (await bot.holds()).quantity == Decimal("0.5")
    await until(lambda: [entry.status for entry in bench.journal.payloads(bot.bot_id, OrderEntry)] == ["filled"])


async def test_a_sale_that_does_not_fit_the_books_stops_purchases_until_a_person_explains_it(bench: Bench) -> None:
    bot = await live_bot(bench)
    order = first_order(bot, "sell")
    bench.exchange.orders[order.report.client_order_id] = order
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    status = await bot.comes(lambda status: status.difference is not None)
    assert "0 is open" in (status.difference or "")
    await bot.handle.execute_update("explain_difference")
    await bot.comes(lambda status: status.difference is None)
