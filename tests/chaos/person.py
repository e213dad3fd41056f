"""A person without patience, who has bots buy and sell at once: the strategies alone would take their time."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta

from temporalio.client import WorkflowUpdateStage
from temporalio.exceptions import TemporalError

from domain.queues import workflow_id
from tests.chaos.events import Seconds
from tests.chaos.scene import Scene

# What the person wishes; of the two a bot can do but one.
_WISHES = ("open_position", "close_position")
_RPC = timedelta(seconds=3)


async def wish_forever(scene: Scene, chance: random.Random, pause: Seconds) -> None:
    """Ask one bot after the other. Whatever a bot answers, or whether it can be asked at all, is as it is."""
    task = asyncio.current_task()
    # The client turns a cancellation into an error of its own.
    while task is not None and not task.cancelling():
        await asyncio.sleep(chance.uniform(*pause))
        handle = scene.client.get_workflow_handle(workflow_id(chance.choice(scene.members).bot_id))
        with suppress(TemporalError):
            await handle.start_update(
                chance.choice(_WISHES), wait_for_stage=WorkflowUpdateStage.ACCEPTED, rpc_timeout=_RPC
            )
