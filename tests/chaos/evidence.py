"""Gathers what is known of every bot: from the exchange, the database, and the bots themselves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowExecutionDescription, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from db.engine import transaction
from db.reads import Reads
from db.tables import TradingOrder
from domain.errors import StoreUnavailable
from domain.queues import workflow_id
from tests.chaos.audit import Evidence
from tests.chaos.cast import CASH, Member
from tests.chaos.ledger import AccountLedger
from tests.chaos.scene import HEARTBEAT_TIMEOUT_SECONDS, Scene
from workflows.command import StatusAnswer

_ALL = 2**31 - 1
_RPC = timedelta(seconds=5)
# A watch that was silent for longer is nobody's; the server may need a moment to note a heartbeat.
_ALIVE = timedelta(seconds=2 * HEARTBEAT_TIMEOUT_SECONDS)
_ORDERING = {"submit_order", "resolve_order", "cancel_order", "find_orders"}


@dataclass(frozen=True)
class Snapshot:
    """All that is known. `quiet`: nothing was on its way while it was gathered, so that it belongs together."""

    bots: Sequence[Evidence]
    quiet: bool


async def gather(scene: Scene) -> Snapshot:
    """Look at everything once.

    Raises:
        StoreUnavailable: the database is away.
    """
    before = await scene.venue.ledger()
    reads = Reads(scene.engine)
    found = await asyncio.gather(*(_look(scene, reads, each, before.of(each.bot_id)) for each in scene.members))
    after = await scene.venue.ledger()
    quiet = before.size == after.size and all(rests for _, rests in found)
    return Snapshot([one for one, _ in found], quiet)


async def count_intents(scene: Scene) -> int | None:
    """Return how many order intents the journal knows; None while the database is away."""
    try:
        async with asyncio.timeout(3), transaction(scene.engine) as connection:
            return (await connection.execute(select(func.count()).select_from(TradingOrder))).scalar_one()
    except (StoreUnavailable, TimeoutError):
        return None


async def _look(scene: Scene, reads: Reads, member: Member, ledger: AccountLedger) -> tuple[Evidence, bool]:
    """Return the evidence of one bot, and whether the bot rests."""
    handle = scene.client.get_workflow_handle(workflow_id(member.bot_id))
    status, description = await _status(handle), await _description(handle)
    rests = status is not None and not status.journal_waiting and not _orders(description)
    evidence = Evidence(
        member=member,
        ledger=ledger,
        orders=await reads.orders(member.bot_id, limit=_ALL),
        fills=await reads.fills(member.bot_id, limit=_ALL),
        allotted=CASH,
        status=status,
        watched=_is_watched(description),
    )
    return evidence, rests


async def _status(handle: "WorkflowHandle[Any, Any]") -> StatusAnswer | None:
    try:
        answer: StatusAnswer = await handle.query("status", result_type=StatusAnswer, rpc_timeout=_RPC)
    except (RPCError, WorkflowQueryFailedError):
        return None
    return answer


async def _description(handle: "WorkflowHandle[Any, Any]") -> WorkflowExecutionDescription | None:
    try:
        return await handle.describe(rpc_timeout=_RPC)
    except RPCError:
        return None


def _orders(description: WorkflowExecutionDescription | None) -> bool:
    pending = description.raw_description.pending_activities if description else ()
    return any(each.activity_type.name in _ORDERING for each in pending)


def _is_watched(description: WorkflowExecutionDescription | None) -> bool:
    """Return whether a watch is under way that has given a sign of life."""
    for each in description.raw_description.pending_activities if description else ():
        if (
            each.activity_type.name == "watch_market"
            and each.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        ):
            signs = (each.last_started_time, each.last_heartbeat_time)
            newest = max(sign.ToDatetime(UTC) for sign in signs)
            return datetime.now(UTC) - newest < _ALIVE
    return False
