"""The loop of one bot: watch, decide, order; for ever, through every restart.

It waits for one of two things: the watch ends, or something has come in. Everything that has come in is handled
between two watches, so no order and no configuration is ever changed in the middle of something.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.decisions import BOT_STOPPED
    from domain.instruments import Instrument
    from domain.journal import JournalReceipt
    from domain.state import BotStart, BotState
    from workflows.acting import Acting
    from workflows.adopting import Adoption, history_was_reset
    from workflows.books import Books
    from workflows.command import Answer, Command, Resolution, Wishes, answered
    from workflows.desired import Desired
    from workflows.desk import Desk
    from workflows.inquiries import abandonable
    from workflows.outbox import Outbox
    from workflows.page import page
    from workflows.resting import Resting
    from workflows.sender import Sender
    from workflows.stance import farewell, gate
    from workflows.standing import Standing
    from workflows.watching import Watching

# The check of a configuration mostly takes a moment: to wait for it saves a watch that would be given up at once.
_GRACE = timedelta(seconds=2)
# Events. A worker that starts replays the histories of all its bots before they trade: a thousand events take it a
# good half of a second each time. The server suggests a new run after four to ten thousand.
_LONG_HISTORY = 500


class Loop:
    """Trades one bot, for one run of its workflow. The workflow's handlers leave their news here."""

    def __init__(self, start: BotStart) -> None:
        self.state = start.state
        self.outbox = Outbox(self.state, self._on_receipt)
        self.desired = Desired(self.state, self.outbox, self.disturb, loaded=start.continued)
        self.wishes = Wishes()
        self._books = Books(self.state, self.outbox)
        self._sender = Sender(self.state, self._books)
        self._standing = Standing(self.state, self.outbox)
        self._desk = Desk(self.state, self._books, self._sender, self._standing)
        self._resting = Resting(self.state, self._books, self._desk, self._sender)
        self._watching = Watching(self.state)
        self._adoption = Adoption(
            self.state, self.outbox, self._books, self._sender, self._standing, continued=start.continued
        )
        self._acting = Acting(
            self.state,
            outbox=self.outbox,
            wishes=self.wishes,
            desk=self._desk,
            resting=self._resting,
            adoption=self._adoption,
            standing=self._standing,
            interrupted=lambda: self._dirty,
        )
        self._cancelled = False
        self._dirty = False
        self._renew = False

    def disturb(self) -> None:
        """Have what has come in handled: the watch under way is given up for it."""
        self._dirty = True

    def look_for_orders(self) -> None:
        """Have the venue's orders adopted again: what this history knows of them may be out of date."""
        self._adoption.begin_anew()
        self.disturb()

    def gate(self) -> str | None:
        """Return why no entry may be made now, or None."""
        return gate(self.state, journal_full=self.outbox.full)

    async def carry_out(self, command: Command) -> str:
        """Carry out a person's wish; see `answered`."""
        self.wishes.command = command
        self.disturb()
        return await answered(command)

    async def resolve(self, resolution: Resolution) -> str:
        """Book what a person has found out about an order that nobody else can tell of; see `answered`."""
        self.wishes.resolution = resolution
        self.disturb()
        return await answered(resolution)

    async def run(self) -> str:
        """Run until the bot is to be stopped; returns how it ended."""
        background = [
            abandonable(asyncio.create_task(work))
            for work in (
                self.outbox.run_journal(),
                self.outbox.run_notices(),
                self.desired.run_loads(),
                self.desired.run_checks(),
            )
        ]
        try:
            while not await self._turn():
                pass
            if self.desired.successor is not None:
                workflow.continue_as_new(BotStart(state=BotState.newborn(self.desired.successor, self.state.options)))
            return farewell(self.state)
        finally:
            for task in background:
                task.cancel()

    async def _turn(self) -> bool:
        """Take one turn, whatever happens in it. Returns True when the bot has stopped."""
        self._heed_cancellation()
        try:
            try:
                return await self._step()
            except ActivityError as error:
                if history_was_reset(error):
                    self._adoption.begin_anew()
                elif not is_cancelled_exception(error):
                    await self._acting.stumble(str(error.cause or error))
        except asyncio.CancelledError:
            workflow.logger.info("interrupted")  # by a cancellation of the workflow, which the next turn heeds
        return False

    def _heed_cancellation(self) -> None:
        """Take a cancellation of the workflow for what was meant: a stop, in which nothing may be lost."""
        if not self._cancelled and workflow.cancellation_reason() is not None:
            self._cancelled = True
            self.desired.command(enabled=False, author="cancellation")

    async def _step(self) -> bool:
        """Handle what has come in, then watch once. Returns True when the bot has stopped."""
        await workflow.wait_condition(lambda: self.desired.loaded)
        self._dirty = False
        await self._take_in()
        config, instrument = self.state.config, self.state.instrument
        if config is not None and instrument is not None and not self._ends():
            if not await self._adoption.done(config, instrument, overtaken=lambda: self._dirty):
                return False
            await self._settle(config, instrument)
        if await self._stopping():
            return True
        self._standing.show()
        await self._continue_as_new_if_due()
        workflow.set_current_details(page(self.state))
        if config is None or instrument is None or self.state.exit_blocked:
            await workflow.wait_condition(lambda: self._dirty)
        elif not self._dirty and (not self._desk.exit_latched() or self.state.resting is not None):
            await self._watch(config, instrument)
        return False

    async def _take_in(self) -> None:
        """Apply a configuration that has come in, once it was checked; the venue may be away, so for a moment only."""
        desired, state = self.desired, self.state
        config, instrument = state.config, state.instrument
        if state.fresh and config is not None and instrument is not None and self._adoption.is_done(config):
            await self._resting.withdraw(config, instrument, why="the configuration is changing")
        if desired.busy:
            try:
                await workflow.wait_condition(
                    lambda: self._dirty or not desired.busy,
                    timeout=_GRACE,
                    timeout_summary="the configuration is being checked",
                )
            except TimeoutError:
                self.outbox.row_changed()
        self._renew = desired.take_in() or self._renew

    async def _settle(self, config: BotConfig, instrument: Instrument) -> None:
        """Finish what was begun: an order under way, one that a person has looked up, an exit that was decided."""
        if self.wishes.resolution is not None:
            resolution, self.wishes.resolution = self.wishes.resolution, None
            resolution.answer = await self._desk.resolve(resolution, config, instrument)
        await self._sender.resume(config, instrument)
        if not self._adoption.is_done(config):
            return
        leaving = not (self.state.enabled or self._closes())
        await self._resting.tend(config, instrument, closed=self.gate(), leaving=leaving)
        stuck = self._desk.exit_latched() and self.state.resting is None
        if leaving or not stuck or self.state.exit_blocked:
            return
        if self.state.failures:
            # What could not be carried through at the old price may be at the price of now, where there is one.
            self._desk.reprice(await self._watching.price_of_now(config, instrument))
        await self._acting.carry_exit(config, instrument)

    async def _watch(self, config: BotConfig, instrument: Instrument) -> None:
        """Watch the market until the watch ends or something comes in."""
        watch = self._watching.start(config, instrument, self.wishes.command, closed=self.gate())
        fills = self._sender.watch_fills(config, instrument)
        try:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._dirty or watch.done() or (fills is not None and fills.done()),
                    timeout=self._adoption.due_in(),
                    timeout_summary="the venue is asked for orders once more",
                )
        finally:
            for each in (watch, fills):
                if each is not None and not each.done():
                    each.cancel()
        if fills is not None and fills.done():
            self._resting.filled(await fills, config, instrument)
            if not watch.done():
                return
        result = await watch  # a decision that raced what has come in is still here
        await self._acting.act_on(result, config, instrument)

    async def _stopping(self) -> bool:
        """Return True when the bot has nothing left to do here; closes the position first where that is wished."""
        if self.state.enabled:
            return False
        if self._closes():
            self.wishes.command = self.wishes.command or Command(order="close", reason=BOT_STOPPED)
            return False
        self.wishes.answer(Answer(done=False, text="the bot has stopped"))
        self._standing.show("stopped")
        self.outbox.event("stopped", "the bot has stopped")
        workflow.set_current_details(page(self.state))
        await workflow.wait_condition(
            lambda: self.state.enabled or (self.outbox.idle and workflow.all_handlers_finished())
        )
        return not self.state.enabled

    def _ends(self) -> bool:
        """Whether the bot is to stop without another order."""
        carried = self.state.carried
        orders = (carried.in_flight, carried.protection, self.wishes.resolution)
        unfinished = any(order is not None for order in orders)
        return not self.state.enabled and not self._closes() and not unfinished

    def _closes(self) -> bool:
        """Whether there is a position that is closed when the bot is stopped."""
        config = self.state.config
        held = self.state.carried.book.position is not None
        return held and config is not None and config.trading.on_stop == "close_position"

    async def _continue_as_new_if_due(self) -> None:
        """Begin a new run once the configuration has changed or the history is long, with nothing under way."""
        info = workflow.info()
        long = info.get_current_history_length() >= _LONG_HISTORY or info.is_continue_as_new_suggested()
        if not (self._renew or long):
            return
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or self._has_work())
        if self._has_work():
            return
        self.outbox.settle()
        if not self.outbox.portable:
            return  # the database has been away for very long: later
        workflow.continue_as_new(BotStart(state=self.state, continued=True))

    def _on_receipt(self, receipt: JournalReceipt, command: bool) -> None:
        self.desired.on_receipt(receipt, command)

    def _has_work(self) -> bool:
        waiting = (self.wishes.command, self.wishes.resolution, self.desired.proposal)
        return self._dirty or any(each is not None for each in waiting)
