"""The fleet, first form: makes Temporal run what the database wants. Idempotent; may be repeated at any time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.checking import checked
from domain.config import BotConfig, parse_config
from domain.config_errors import InvalidConfig
from domain.errors import SteadyhandError, StoreUnavailable, UnknownBot
from domain.model import Model
from domain.ports import Bots
from domain.queues import BOT_PREFIX, Role, workflow_id
from domain.state import BotRow, BotStart, BotState, Reconfigure, WatchOptions
from strategies.plugs import NO_PLUGINS, Plugs

log = structlog.get_logger(__name__)

WORKFLOW = "BotWorkflow"
RECONFIGURE = "reconfigure"
RUNNING = f'WorkflowType = "{WORKFLOW}" AND ExecutionStatus = "Running"'

# How many starts are under way at once: a server that is asked for thousands at a time serves nobody.
_AT_ONCE = 20
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
# A workflow task that is lost with its worker is given to another one after so long.
_TASK_TIMEOUT = timedelta(seconds=3)


class SyncReport(Model):
    """What a synchronisation did: ids of bots that run, that were refused, and that were told to stop."""

    running: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


class Fleet:
    """Starts, tells and stops bots, by their rows."""

    def __init__(self, client: Client, bots: Bots, options: WatchOptions, plugs: Plugs = NO_PLUGINS) -> None:
        self._client = client
        self._bots = bots
        self._options = options
        self._plugs = plugs
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def sync_all(self) -> SyncReport:
        """Make every row true: enabled ones run, others do not. One bot's trouble is not another's."""
        rows = await self._bots.all_enabled()
        outcomes = await asyncio.gather(*(self._sync_alone(row) for row in rows))
        wanted = {row.bot_id for row in rows}
        surplus = [bot_id for bot_id in await self._running_ids() if bot_id not in wanted]
        await asyncio.gather(*(self._tell_surplus(bot_id) for bot_id in surplus))
        return SyncReport(
            running=tuple(row.bot_id for row, well in zip(rows, outcomes, strict=True) if well),
            refused=tuple(row.bot_id for row, well in zip(rows, outcomes, strict=True) if not well),
            stopped=tuple(surplus),
        )

    async def sync_when_possible(self) -> None:
        """Make every row true, once. A database that is away or not migrated yet is waited for; running bots go on."""
        delay = _FIRST_DELAY
        while True:
            try:
                report = await self.sync_all()
            except StoreUnavailable as error:
                log.warning("rows not read, trying again", reason=str(error), seconds=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                counts = {name: len(ids) for name, ids in report}
                log.info("fleet started", **counts)
                return

    async def rewatch_all(self) -> int:
        """Have every bot that runs watch anew, and look up its orders: the process that did is gone.

        It asks Temporal alone, so it works while the database is away. A bot that is not told could act on a history
        that has gone back, so each is told until it has heard. Returns how many were.
        """
        running = untold = await self._running_ids()
        request = Reconfigure(options=self._options, rewatch=True)
        while untold:
            told = await asyncio.gather(*(self._tell(bot_id, request) for bot_id in untold))
            untold = [bot_id for bot_id, heard in zip(untold, told, strict=True) if not heard]
            await asyncio.sleep(_FIRST_DELAY if untold else 0)
        return len(running)

    async def sync(self, row: BotRow, *, rewatch: bool = False) -> str | None:
        """Make one row true. Returns why its configuration is refused, None when it is not, as far as is known now.

        Raises:
            RPCError: Temporal does not answer, or refuses.
            StoreUnavailable: the bot is told, but its row cannot be marked as refused.
        """
        last_valid = row.carried.config if row.carried else None
        row = row.bare()
        request = Reconfigure(row=row, options=self._options, rewatch=rewatch)
        if not row.enabled:
            await self._signal(row.bot_id, request)
            return None
        try:
            config = await self._config_of(row)
        except InvalidConfig as error:
            # A bot that had a valid version runs on by it, and shows the refusal too.
            if last_valid is not None:
                await self._start(row, last_valid, request)
            else:
                await self._signal(row.bot_id, request)
            await self._bots.refuse(row.bot_id, row.version, str(error))
            return str(error)
        await self._start(row, config, request)
        # Its venue has refused it before; the bot has it checked again.
        return (row.last_error or "refused before") if row.rejected_version == row.version else None

    async def begin_anew(self, row: BotRow) -> None:
        """End the bot's workflow, which cannot go on, and start another one from its row, in one step.

        A bot whose row is disabled begins as well, to stop as it should. One that never had a valid configuration is
        only ended: it has nothing to look after.

        Raises:
            RPCError: Temporal does not answer, or refuses.
        """
        try:
            config = row.carried.config if row.carried and row.carried.config else await self._config_of(row)
        except InvalidConfig as error:
            await self._client.get_workflow_handle(workflow_id(row.bot_id)).terminate(str(error))
            return
        request = Reconfigure(row=row.bare(), options=self._options)
        await self._start(row.bare(), config, request, conflict=WorkflowIDConflictPolicy.TERMINATE_EXISTING)

    async def _config_of(self, row: BotRow) -> BotConfig:
        """Return the configuration of a row, as far as it can be checked now; the bot has it checked anyway.

        Raises:
            InvalidConfig: with every problem at once.
        """
        try:
            return await checked(row.config, self._plugs)
        except SteadyhandError:  # a plugin has no time for it
            return parse_config(row.config)

    async def _sync_alone(self, row: BotRow) -> bool:
        async with self._slots:
            try:
                refusal = await self.sync(row)
            except RPCError:
                log.exception("bot could not be started", bot_id=row.bot_id)
                return False
            except StoreUnavailable as error:
                log.warning("bot refused, but its row cannot be marked so", bot_id=row.bot_id, reason=str(error))
                return False
        if refusal is not None:
            in_force = row.carried.version or None if row.carried else None
            log.warning("bot refused", bot_id=row.bot_id, version=row.version, in_force=in_force, reason=refusal)
        elif row.observed_version == row.version:
            log.info("bot started", bot_id=row.bot_id)
        else:
            log.info("bot starting: its configuration is checked first", bot_id=row.bot_id, version=row.version)
        return refusal is None

    async def _start(
        self,
        row: BotRow,
        config: BotConfig,
        request: Reconfigure,
        *,
        conflict: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.USE_EXISTING,
    ) -> None:
        """Start the bot's workflow, or tell the one that runs: one call, whichever it is."""
        await self._client.start_workflow(
            WORKFLOW,
            BotStart(state=BotState.newborn(row, self._options)),
            id=workflow_id(row.bot_id),
            task_queue=Role.TRADING,
            id_conflict_policy=conflict,
            start_signal=RECONFIGURE,
            start_signal_args=[request],
            search_attributes=search_attributes(config),
            static_summary=f"{config.name} · {config.symbol} {config.data.interval} · {config.broker.trading_mode}",
            static_details=config.description,
            task_timeout=_TASK_TIMEOUT,
        )

    async def _signal(self, bot_id: str, request: Reconfigure) -> bool:
        """Signal a bot; False when it does not run."""
        try:
            await self._client.get_workflow_handle(workflow_id(bot_id)).signal(RECONFIGURE, request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _running_ids(self) -> Sequence[str]:
        return [run.id.removeprefix(BOT_PREFIX) async for run in self._client.list_workflows(RUNNING)]

    async def _tell_surplus(self, bot_id: str) -> None:
        """Tell a bot that runs without an enabled row what its row says now; one that is gone it finds gone itself."""
        try:
            request = Reconfigure(row=(await self._bots.get(bot_id)).bare(), options=self._options)
        except UnknownBot:
            request = Reconfigure()
        await self._tell(bot_id, request)

    async def _tell(self, bot_id: str, request: Reconfigure) -> bool:
        """Signal a bot, if it runs. Returns whether that went well."""
        async with self._slots:
            try:
                await self._signal(bot_id, request)
            except RPCError:
                log.exception("bot could not be told", bot_id=bot_id)
                return False
        log.debug("bot told", bot_id=bot_id, rewatch=request.rewatch)
        return True


def search_attributes(config: BotConfig) -> TypedSearchAttributes:
    """Return what a bot can be found by in Temporal."""
    values = {
        "BotId": config.id,
        "BotStatus": "starting",
        "Strategy": config.strategy.type,
        "Symbol": config.symbol,
        "TradingMode": config.broker.trading_mode,
    }
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values.items()]
    )
