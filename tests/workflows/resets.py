"""Histories that are sent back, as a person can with a click in the Web UI."""

import uuid

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from tests.support.bots import BotUnderTest


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
