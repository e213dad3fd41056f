"""Bots whose workflow cannot go on: it is ended, and begun anew from the row.

A workflow task that fails fails again for ever, and with it stands everything the bot watches. The cause may be code
that does not fit the history, or Temporal's SDK: version 1.35 can cut a history into other steps when it is replayed
than when it was made, after an update has come in while its worker was starting (its issues 1146 and 1591). The row has
the books as of their last change, and what the venue knows beyond that is adopted, as after any loss of a history.
"""

import asyncio
import time
from datetime import UTC, datetime

import structlog
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from activities.fleet import RUNNING, Fleet
from domain.errors import StoreUnavailable, UnknownBot
from domain.journal import Notice
from domain.ports import Bots, Notifier
from domain.queues import BOT_PREFIX
from domain.state import BotRow

log = structlog.get_logger(__name__)

PROBLEMS = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")
"""Set by the server after several failures in a row, and taken back by the first success."""

_FAILED = "category=WorkflowTaskFailed"
_STUCK = f'{RUNNING} AND {PROBLEMS.name} = "{_FAILED}"'
_LOOK_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0


class Revival:
    """Looks for bots that are stuck, and begins them anew; one that gets stuck again waits longer each time."""

    def __init__(self, client: Client, fleet: Fleet, bots: Bots, notifier: Notifier) -> None:
        self._client = client
        self._fleet = fleet
        self._bots = bots
        self._notifier = notifier
        self._pauses: dict[str, tuple[float, float]] = {}

    async def follow(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            try:
                await self.look()
            except RPCError as error:
                log.info("stuck bots were not looked for", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> list[str]:
        """Begin anew what is stuck, and return the ids of those bots. One that cannot be is not in the way of others.

        Raises:
            RPCError: Temporal does not list them.
        """
        stuck = [run.id.removeprefix(BOT_PREFIX) async for run in self._client.list_workflows(_STUCK)]
        return [bot_id for bot_id in stuck if self._is_due(bot_id) and await self._revived(bot_id)]

    async def _revived(self, bot_id: str) -> bool:
        try:
            return await self._revive(bot_id)
        except (RPCError, StoreUnavailable) as error:
            log.warning("a stuck bot was not begun anew", bot_id=bot_id, reason=str(error))
        except Exception:
            log.exception("a stuck bot was not begun anew", bot_id=bot_id)
        return False

    async def _revive(self, bot_id: str) -> bool:
        # The list lags behind, and another worker may have been here first.
        problems = _problems(await self._client.get_workflow_handle(BOT_PREFIX + bot_id).describe())
        if _FAILED not in problems:
            return False
        try:
            row = await self._bots.get(bot_id)
        except UnknownBot:
            return False
        await self._fleet.begin_anew(row)
        self._pauses[bot_id] = (time.monotonic(), min(2 * self._pause(bot_id), _LONGEST_PAUSE))
        log.error("a bot was stuck and is begun anew", bot_id=bot_id, problems=problems)
        await self._notifier.deliver([_notice(row, problems)])
        return True

    def _is_due(self, bot_id: str) -> bool:
        last, pause = self._pauses.get(bot_id, (0.0, 0.0))
        return time.monotonic() - last >= pause

    def _pause(self, bot_id: str) -> float:
        return self._pauses.get(bot_id, (0.0, _FIRST_PAUSE / 2))[1]


def _problems(description: WorkflowExecutionDescription) -> list[str]:
    return [*(description.typed_search_attributes.get(PROBLEMS) or ())]


def _notice(row: BotRow, problems: list[str]) -> Notice:
    now = datetime.now(UTC)
    return Notice(
        bot_id=row.bot_id,
        owner_id=row.owner_id,
        n=int(now.timestamp() * 1_000_000),
        at=now,
        kind="bot_revived",
        severity="error",
        title=f"{row.bot_id}: its workflow was stuck and is begun anew",
        text=f"Its books are those of its last journaled change, and its orders at the venue are adopted. "
        f"Temporal said: {', '.join(problems)}.",
    )
