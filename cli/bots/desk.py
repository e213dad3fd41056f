"""The rows of bots and the bots themselves: the row is written first, then the running bot hears of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.fleet import Fleet
from cli.output import CliError
from cli.plugged import open_plugins
from cli.run import sentence
from cli.store import Store, open_store
from cli.target import Target, find_target
from domain.queues import workflow_id
from workflows.command import StatusAnswer

_POLL_SECONDS = 0.2
_QUERY_TIMEOUT = timedelta(seconds=5)
_NOBODY_ANSWERS = (RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


@dataclass
class Desk:
    """The rows of bots, and the way to the bots themselves; Temporal is asked for when it is first needed."""

    target: Target
    store: Store
    _client: Client | None = None

    async def client(self) -> Client:
        """Return the client of Temporal, connecting the first time.

        Raises:
            CliError: it does not answer.
        """
        if self._client is None:
            self._client = await self.target.connect()
        return self._client

    async def handle(self, bot_id: str) -> WorkflowHandle[Any, Any]:
        """Return the handle of a bot's workflow, whether it runs or not."""
        return (await self.client()).get_workflow_handle(workflow_id(bot_id))

    async def tell(self, bot_ids: Sequence[str], *, rewatch: bool = False) -> None:
        """Tell bots that their rows have changed, starting those that should run and do not.

        Args:
            rewatch: have them watch the market anew, whatever has changed.

        Raises:
            CliError: the rows are changed, but Temporal does not answer.
        """
        try:
            with open_plugins() as plugins:
                fleet = Fleet(await self.client(), self.store.bots, self.target.watch, plugins)
                for bot_id in bot_ids:
                    await fleet.sync(await self.store.bots.get(bot_id), rewatch=rewatch)
        except (RPCError, CliError) as error:
            raise CliError(
                f"the rows are changed, but the bots could not be told: {sentence(error)}; "
                "a worker acts on them when it next starts"
            ) from error

    async def runs(self, bot_id: str) -> bool:
        """Whether the bot's workflow runs."""
        try:
            run = await (await self.handle(bot_id)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return run.status is WorkflowExecutionStatus.RUNNING

    async def status(self, bot_id: str) -> StatusAnswer | None:
        """Return what a running bot says of itself; None while no worker can answer for it."""
        try:
            answer: StatusAnswer = await (await self.handle(bot_id)).query(
                "status", result_type=StatusAnswer, rpc_timeout=_QUERY_TIMEOUT
            )
        except WorkflowQueryFailedError:
            return None
        except RPCError as error:
            if error.status in _NOBODY_ANSWERS:
                return None
            raise
        return answer

    async def confirmed(self, versions: Mapping[str, int], seconds: float) -> set[str]:
        """Wait until each bot has taken or refused this version of its row, at most so long; return those that did."""
        deadline = time.monotonic() + seconds
        done: set[str] = set()
        while True:
            done |= {bot_id for bot_id in versions.keys() - done if await self._has_taken(bot_id, versions[bot_id])}
            if done == versions.keys() or time.monotonic() >= deadline:
                return done
            await asyncio.sleep(_POLL_SECONDS)

    async def _has_taken(self, bot_id: str, version: int) -> bool:
        bot = await self.store.bots.overview(bot_id)
        if not bot.enabled:
            return not await self.runs(bot_id)
        if bot.newest_refused and bot.in_force is not None:
            # The row may know of the refusal before the bot does, which runs on and has to hear of the rest.
            status = await self.status(bot_id)
            return status is not None and status.rejected_version is not None and status.rejected_version >= version
        return version <= max(bot.observed_version or 0, bot.rejected_version or 0)


@asynccontextmanager
async def open_desk(data_dir: Path | None) -> AsyncIterator[Desk]:
    """Open the desk on the servers that `find_target` finds."""
    target = find_target(data_dir)
    async with open_store(target) as store:
        yield Desk(target, store)
