"""What the workflow histories have recorded of orders: each intent, and the report that answered it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter

from activities.orders import SubmitOrder
from domain.model import Model
from domain.orders import OrderIntent, OrderReport
from domain.queues import workflow_id

_SUBMIT = "submit_order"


class RecordedOrder(Model):
    """An order as a history has it. `report` is None while nothing has answered."""

    intent: OrderIntent
    report: OrderReport | None = None


async def recorded_orders(client: Client, bot_id: str) -> list[RecordedOrder]:
    """Return every order of a bot, in all runs that its workflow has had, in no particular order.

    A run that was reset repeats the orders of the one it came from.

    Raises:
        RPCError: Temporal does not answer, or the bot has never run.
    """
    recorded: list[RecordedOrder] = []
    async for events in _runs(client, workflow_id(bot_id)):
        recorded += await _orders_of(events, client.data_converter)
    return recorded


async def _runs(client: Client, workflow: str) -> AsyncIterator[Sequence[HistoryEvent]]:
    """Yield the history of each run: those that the list knows, and, as it lags behind, those before the newest."""
    newest = await client.get_workflow_handle(workflow).describe()
    waiting = [newest.run_id] + [run.run_id async for run in client.list_workflows(f'WorkflowId = "{workflow}"')]
    seen: set[str] = set()
    while waiting:
        run_id = waiting.pop()
        if run_id in seen:
            continue
        seen.add(run_id)
        handle = client.get_workflow_handle(workflow, run_id=run_id)
        events = [event async for event in handle.fetch_history_events()]
        before = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        waiting += [before] if before else []
        yield events


async def _orders_of(events: Sequence[HistoryEvent], converter: DataConverter) -> list[RecordedOrder]:
    intents: dict[int, OrderIntent] = {}
    reports: dict[int, OrderReport] = {}
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name == _SUBMIT:
                request = await _decode(converter, scheduled.input.payloads, SubmitOrder)
                intents[event.event_id] = request.order.intent
        elif event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            if completed.scheduled_event_id in intents:
                report = await _decode(converter, completed.result.payloads, OrderReport)
                reports[completed.scheduled_event_id] = report
    return [RecordedOrder(intent=intent, report=reports.get(at)) for at, intent in intents.items()]


async def _decode(converter: DataConverter, payloads: Sequence[Any], kind: type[Any]) -> Any:
    return (await converter.decode(payloads, [kind]))[0]
