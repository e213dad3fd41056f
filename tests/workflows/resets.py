"""Histories that are sent back, as a person can with a click in the Web UI, and orders that they forget thereby."""

import uuid
from decimal import Decimal

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from domain.accounts import VenueOrder
from domain.orders import Fill, OrderReport, Side, client_order_id
from tests.support.bots import Bench, BotUnderTest


async def workflow_tasks(bot: BotUnderTest) -> list[int]:
    """Return the events of the bot's history to which it can be reset."""
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return [event.event_id for event in (await bot.handle.fetch_history()).events if event.event_type == completed]


async def reset(bot: BotUnderTest, to: int) -> None:
    await bot.bench.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=bot.handle.id),
            reason="a test",
            workflow_task_finish_event_id=to,
            request_id=str(uuid.uuid4()),
        )
    )


def order_at_venue(bot: BotUnderTest, sequence: int, side: Side, quantity: str = "0.5") -> VenueOrder:
    """Return what one of the bot's orders would look like at the venue, filled at 100."""
    name, at = client_order_id(bot.row.uid, sequence), bot.bench.market.opening_time
    fill = Fill(
        trade_id=f"{name}-t",
        price=Decimal(100),
        quantity=Decimal(quantity),
        fee=Decimal(0),
        fee_currency="USDT",
        at=at,
    )
    report = OrderReport(client_order_id=name, status="filled", fills=(fill,))
    return VenueOrder(
        report=report, symbol="BTC/USDT", side=side, type="market", quantity=Decimal(quantity), created_at=at
    )


def put(bench: Bench, *orders: VenueOrder) -> None:
    """Have the exchange know of orders that a forgotten life has sent."""
    bench.exchange.orders |= {order.report.client_order_id: order for order in orders}
