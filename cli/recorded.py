"""What the workflow histories have recorded of orders: each intent, and the report that answered it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter

from activities.orders import ResolveOrder, SubmitOrder
from domain.model import Model
from domain.orders import OrderIntent, OrderReport, OrderRequest
from domain.paper import paper_limit_filled
from domain.queues import workflow_id
from domain.watch import WatchResult

_REQUESTS: Mapping[str, type[SubmitOrder | ResolveOrder]] = {
    "submit_order": SubmitOrder,
    "resolve_order": ResolveOrder,
    "cancel_order": ResolveOrder,
}
_WATCH = "watch_market"


class RecordedOrder(Model):
    """An order as a history has it, with the last report of it. `report` is None while nothing has answered."""

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
    run = _Run()
    asked: dict[int, tuple[str, OrderRequest | None]] = {}
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            if (name := scheduled.activity_type.name) in _REQUESTS:
                request = await _decode(converter, scheduled.input.payloads, _REQUESTS[name])
                asked[event.event_id] = name, request.order
                run.orders.setdefault(request.order.intent.client_order_id, request.order)
            elif name == _WATCH:
                asked[event.event_id] = name, None
        elif event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            name, order = asked.get(completed.scheduled_event_id, ("", None))
            if order is not None:
                run.reported(await _decode(converter, completed.result.payloads, OrderReport))
            elif name == _WATCH:
                run.watched(await _decode(converter, completed.result.payloads, WatchResult))
    return [RecordedOrder(intent=order.intent, report=run.reports.get(name)) for name, order in run.orders.items()]


@dataclass
class _Run:
    """The orders of one run, and the last report of each."""

    orders: dict[str, OrderRequest] = field(default_factory=dict)
    reports: dict[str, OrderReport] = field(default_factory=dict)

    def reported(self, report: OrderReport) -> None:
        self.reports[report.client_order_id] = report

    def watched(self, result: WatchResult) -> None:
        """Fill the paper order that rests, if the watch has seen the market trade through its limit."""
        if result.reached_at is None:
            return
        for name, order in self.orders.items():
            if name in self.reports and self.reports[name].rests and order.paper is not None:
                self.reported(paper_limit_filled(order, order.paper, at=result.reached_at))


async def _decode(converter: DataConverter, payloads: Sequence[Any], kind: type[Any]) -> Any:
    return (await converter.decode(payloads, [kind]))[0]
