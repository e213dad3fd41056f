"""The life of one bot: watch, decide, order, journal; for ever, through every restart.

The loop waits for one of two things: the watch ends, or something has come in. Everything that has come in is
handled between two watches, so no order and no configuration is ever changed in the middle of something.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.watch import WatchActivities
    from domain.config import BotConfig, parse_config
    from domain.decisions import BOT_STOPPED, MANUAL_CLOSE, MANUAL_OPEN, Decision
    from domain.instruments import Instrument
    from domain.journal import BotStatus, JournalReceipt
    from domain.queues import Role
    from domain.state import BotStart, BotState, Reconfigure
    from domain.watch import Sighting, WatchResult
    from workflows.command import Answer, Command, PositionAnswer, StatusAnswer, position_answer, status_answer
    from workflows.desired import PATIENCE, Desired, newborn
    from workflows.desk import Desk
    from workflows.inquiries import abandonable, check_config, misnamed
    from workflows.outbox import Outbox
    from workflows.page import page, summary
    from workflows.stance import backoff_seconds, farewell, gate, status_of, watch_request

BOT_STATUS = SearchAttributeKey.for_keyword("BotStatus")

_WATCH_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_LONGEST_REASON = 500
_JITTER = 0.1
# The check of a configuration mostly takes a moment: to wait for it saves a watch that would be given up at once.
_GRACE = timedelta(seconds=2)


@workflow.defn
class BotWorkflow:
    """Trades one bot. Its id is `bot-<id>`, so there is never a second one."""

    @workflow.init
    def __init__(self, start: BotStart) -> None:
        self._state: BotState = start.state or newborn(start.row, start.options)
        self._outbox = Outbox(self._state, self._on_receipt)
        self._desired = Desired(self._state, self._outbox, self._disturb, loaded=start.state is not None)
        self._desk = Desk(self._state, self._outbox)
        self._command: Command | None = None
        self._cancelled = False
        self._dirty = False
        self._renew = False

    @workflow.run
    async def run(self, _start: BotStart) -> str:
        """Run until the bot is to be stopped; returns how it ended."""
        background = [
            abandonable(asyncio.create_task(work))
            for work in (
                self._outbox.run_journal(),
                self._outbox.run_notices(),
                self._desired.run_loads(),
                self._desired.run_checks(),
            )
        ]
        try:
            while not await self._turn():
                pass
            if self._desired.successor is not None:
                workflow.continue_as_new(BotStart(row=self._desired.successor, options=self._state.options))
            return farewell(self._state)
        finally:
            for task in background:
                task.cancel()

    # the loop

    async def _turn(self) -> bool:
        """Take one turn, whatever happens in it. Returns True when the bot has stopped."""
        self._heed_cancellation()
        try:
            try:
                return await self._step()
            except ActivityError as error:
                if not is_cancelled_exception(error):
                    await self._stumble(str(error.cause or error))
        except asyncio.CancelledError:
            workflow.logger.info("interrupted")  # by a cancellation of the workflow, which the next turn heeds
        return False

    def _heed_cancellation(self) -> None:
        """Take a cancellation of the workflow for what was meant: a stop, in which nothing may be lost."""
        if not self._cancelled and workflow.cancellation_reason() is not None:
            self._cancelled = True
            self._desired.command(enabled=False, author="cancellation")

    async def _step(self) -> bool:
        """Handle what has come in, then watch once. Returns True when the bot has stopped."""
        await workflow.wait_condition(lambda: self._desired.loaded)
        self._dirty = False
        await self._take_in()
        config, instrument = self._state.config, self._state.instrument
        if config is not None and instrument is not None:
            await self._desk.resume(config, instrument)
            if self._wanted() or self._closes():
                await self._carry_exit(config, instrument)
        if await self._stopping():
            return True
        self._set_status()
        await self._continue_as_new_if_due()
        workflow.set_current_details(page(self._state))
        if config is None or instrument is None:
            await workflow.wait_condition(lambda: self._dirty)
        elif not self._dirty and not self._desk.exit_latched():
            await self._watch(config, instrument)
        return False

    async def _take_in(self) -> None:
        """Apply a configuration that has come in, once it was checked; the venue may be away, so for a moment only."""
        desired = self._desired
        if desired.busy:
            try:
                await workflow.wait_condition(lambda: self._dirty or not desired.busy, timeout=_GRACE)
            except TimeoutError:
                self._outbox.row_changed()
        self._renew = desired.take_in() or self._renew

    async def _watch(self, config: BotConfig, instrument: Instrument) -> None:
        """Watch the market until the watch ends or something comes in."""
        state = self._state
        jitter = 1 + _JITTER * (2 * workflow.random().random() - 1)
        request = watch_request(state, config, instrument, self._command, closed=self._gate(), jitter=jitter)
        watch = workflow.start_activity_method(
            WatchActivities.watch_market,
            request,
            task_queue=Role.MARKET,
            start_to_close_timeout=timedelta(seconds=request.segment_seconds * 2 + 60),
            heartbeat_timeout=timedelta(seconds=state.options.heartbeat_timeout_seconds),
            retry_policy=_WATCH_RETRY,
            cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
            summary=summary(state),
        )
        abandonable(watch)
        try:
            await workflow.wait_condition(lambda: self._dirty or watch.done())
        finally:
            if not watch.done():
                watch.cancel()
        result = await watch  # a decision that raced what has come in is still here
        await self._act_on(result, config, instrument)

    async def _act_on(self, result: WatchResult, config: BotConfig, instrument: Instrument) -> None:
        state = self._state
        self._see(result.sighting)
        if result.lost_candles:
            text = f"{result.lost_candles} candles were missed for good; the exit rule goes on without them"
            self._outbox.event("candles_lost", text, severity="warning")
        if state.carried.book.position is not None and result.exit_state is not None:
            state.carry(exit_state=result.exit_state)
        if result.decision is not None:
            await self._decide(result.decision, config, instrument)
        elif result.outcome == "limited":
            self._alert(result, config)
        elif result.outcome == "refused":
            self._answer(Answer(done=False, text=result.reason or "refused"))
        elif result.outcome == "failed":
            await self._stumble(f"strategy: {result.reason}", config=config)
        elif result.outcome == "recovered":
            self._recover()
        if state.guarding and result.outcome != "failed":
            state.guarding = False  # the pause is over: try the strategy again

    async def _decide(self, decision: Decision, config: BotConfig, instrument: Instrument) -> None:
        meant = self._command is not None and self._command.meant(decision)
        obstacle = self._desk.accept(decision, gate=self._gate())
        if obstacle is not None:
            workflow.logger.info("decision %s dropped: %s", decision.key, obstacle)
            answer = Answer(done=False, text=obstacle)
        elif decision.action == "exit":
            await self._carry_exit(config, instrument)
            return
        else:
            answer = await self._desk.enter(decision, config, instrument)
        if meant:
            self._answer(answer)

    async def _carry_exit(self, config: BotConfig, instrument: Instrument) -> None:
        """Carry a latched exit through; what cannot be sold now is tried again after a pause."""
        if not self._desk.exit_latched():
            return
        text = await self._desk.exit(config, instrument)
        stuck = self._desk.exit_latched()
        if self._command is not None and self._command.order == "close":
            self._answer(Answer(done=not stuck, text=f"{text}; it is tried again" if stuck else text))
        if stuck:
            await self._stumble(text, config=config)

    async def _stopping(self) -> bool:
        """Return True when the bot has nothing left to do here; closes the position first where that is wished."""
        if self._wanted():
            return False
        if self._closes():
            self._command = self._command or Command(order="close", reason=BOT_STOPPED)
            return False
        self._answer(Answer(done=False, text="the bot has stopped"))
        self._set_status("stopped")
        self._outbox.event("stopped", "the bot has stopped")
        workflow.set_current_details(page(self._state))
        await workflow.wait_condition(
            lambda: self._wanted() or (self._outbox.idle and workflow.all_handlers_finished())
        )
        return not self._wanted()

    def _closes(self) -> bool:
        """Whether there is a position that is closed when the bot is stopped."""
        config = self._state.config
        held = self._state.carried.book.position is not None
        return held and config is not None and config.trading.on_stop == "close_position"

    def _wanted(self) -> bool:
        """Whether the bot is to run."""
        return self._state.enabled

    async def _continue_as_new_if_due(self) -> None:
        """Begin a new run once the configuration has changed or the history is long, with nothing under way."""
        if not (self._renew or workflow.info().is_continue_as_new_suggested()):
            return
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or self._has_work())
        if self._has_work():
            return
        self._outbox.settle()
        if not self._outbox.portable:
            return  # the database has been away for very long: later
        workflow.continue_as_new(BotStart(row=self._state.row, options=self._state.options, state=self._state))

    # troubles

    async def _stumble(self, reason: str, *, config: BotConfig | None = None) -> None:
        """Note a failure and wait longer each time; meanwhile the levels of an open position stay guarded."""
        state, reason = self._state, reason[:_LONGEST_REASON]
        state.failures += 1
        state.error_count += 1
        state.last_error = reason
        if state.failures == 1:
            self._outbox.event("error", reason, severity="error")
            if config is None or config.notifications.error_notifications:
                self._outbox.tell("error", f"{state.row.bot_id}: error", reason, severity="error")
        self._outbox.row_changed()
        self._set_status()
        if config is not None and not self._desk.exit_latched():
            state.guarding = True
            return
        try:
            await workflow.wait_condition(lambda: self._dirty, timeout=timedelta(seconds=backoff_seconds(state)))
        except TimeoutError:
            workflow.logger.info("trying again after: %s", reason)

    def _recover(self) -> None:
        self._state.failures = 0
        self._outbox.event("recovered", "the bot works again")
        self._outbox.row_changed()
        self._set_status()

    def _alert(self, result: WatchResult, config: BotConfig) -> None:
        """Tell of a daily limit, once a day."""
        state, reason = self._state, result.reason or ""
        state.carry(guards=state.carried.guards.after_alert(result.sighting.venue_time or 0))
        self._outbox.row_changed()
        self._outbox.event("risk_limit", f"no entries until the next UTC day: {reason}", severity="warning")
        if config.notifications.risk_alerts:
            self._outbox.tell("risk_alert", f"{config.name}: risk limit", reason, severity="warning")

    # small things

    def _gate(self) -> str | None:
        return gate(self._state, journal_full=self._outbox.full)

    def _set_status(self, status: BotStatus | None = None) -> None:
        """Show how the bot stands, where that has changed."""
        status = status or status_of(self._state)
        if status != self._state.status:
            self._state.status = status
            workflow.upsert_search_attributes([BOT_STATUS.value_set(status)])
            self._outbox.row_changed()

    def _see(self, sighting: Sighting) -> None:
        if sighting.candle_time is not None or sighting.price is not None:
            self._state.sighting = sighting

    def _answer(self, answer: Answer) -> None:
        if self._command is not None:
            self._command.answer, self._command = answer, None

    def _has_work(self) -> bool:
        return self._dirty or self._command is not None or self._desired.proposal is not None

    def _disturb(self) -> None:
        self._dirty = True

    def _on_receipt(self, receipt: JournalReceipt, command: bool) -> None:
        self._desired.on_receipt(receipt, command)

    # signals

    @workflow.signal
    def reconfigure(self, request: Reconfigure | None = None) -> None:
        """Take a desired state: the fleet's row, a person's configuration, or nothing: the row is read again."""
        if request is None or (request.row is None and request.config is None and not request.rewatch):
            self._desired.reload(reconsider=True)
            return
        if request.options is not None:
            self._state.options = request.options
        if request.row is not None:
            version = self._state.row.version
            self._desired.take_row(request.row)
            self._dirty = self._dirty or self._state.row.version != version
        if request.config is not None:
            self._desired.proposal = request.config
        if request.rewatch:
            self._outbox.send_again()
            self._dirty = True

    @workflow.signal
    def stop(self) -> None:
        """Stop, as `trading.on_stop` says; the row is disabled too, so the bot stays stopped."""
        self._desired.command(enabled=False, author="signal stop")
        self._dirty = True

    @workflow.signal
    def pause(self) -> None:
        """Make no entries; exits go on."""
        self._desired.command(paused=True, author="signal pause")
        self._outbox.event("paused", "no entries from now on")
        self._dirty = True

    @workflow.signal
    def resume(self) -> None:
        """Make entries again."""
        self._desired.command(paused=False, author="signal resume")
        self._outbox.event("resumed", "entries are made again")
        self._dirty = True

    # updates

    @workflow.update
    async def close_position(self) -> str:
        """Sell the position at the current price; returns what came of it."""
        return await self._carry_out(Command(order="close", reason=MANUAL_CLOSE))

    @close_position.validator
    def _may_close(self) -> None:
        self._may_command()
        if self._state.carried.book.position is None:
            raise ValueError("there is no position to close")

    @workflow.update
    async def open_position(self) -> str:
        """Buy at the current price, as much as an entry would; returns what came of it."""
        return await self._carry_out(Command(order="open", reason=f"{MANUAL_OPEN}:{workflow.uuid4()}"))

    @open_position.validator
    def _may_open(self) -> None:
        self._may_command()
        if gate := self._gate():
            raise ValueError(f"no entry is possible: {gate}")
        config, position = self._state.config, self._state.carried.book.position
        if config is not None and position is not None and position.entries >= config.trading.max_positions:
            raise ValueError(f"{position.entries} of {config.trading.max_positions} entries are open already")

    @workflow.update
    async def set_config(self, raw: dict[str, Any]) -> str:
        """Trade by another configuration; it becomes the row's next version."""
        prepared = await check_config(raw, self._state.row.bot_id, patience=PATIENCE)
        if prepared.problems:
            raise ApplicationError("; ".join(prepared.problems), type="InvalidConfig", non_retryable=True)
        self._desired.propose(raw, prepared, author="update set_config")
        self._dirty = True
        return f"accepted as version {self._state.row.version}"

    @set_config.validator
    def _may_set_config(self, raw: dict[str, Any]) -> None:
        if problem := misnamed(parse_config(raw), self._state.row.bot_id):
            raise ValueError(problem)

    # queries

    @workflow.query
    def status(self) -> StatusAnswer:
        """Return how the bot stands."""
        return status_answer(self._state, journal_waiting=len(self._state.outbox))

    @workflow.query
    def position(self) -> PositionAnswer:
        """Return what the bot holds."""
        return position_answer(self._state)

    def _may_command(self) -> None:
        if self._command is not None:
            raise ValueError(f"a command to {self._command.order} the position is being carried out")
        if not self._state.enabled:
            raise ValueError("the bot is stopping")
        if self._state.config is None:
            raise ValueError("the bot has no valid configuration yet")

    async def _carry_out(self, command: Command) -> str:
        self._command, self._dirty = command, True
        await workflow.wait_condition(lambda: command.answer is not None)
        answer = command.answer
        if answer is None or not answer.done:
            raise ApplicationError(answer.text if answer else "", type="CommandRefused", non_retryable=True)
        return answer.text
