"""The workflow of one bot: what may be said to it and asked of it. Its life is in `workflows.loop`."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.config import parse_config
    from domain.config_errors import InvalidConfig
    from domain.decisions import MANUAL_CLOSE, MANUAL_OPEN
    from domain.model import ZERO
    from domain.state import BotStart, Reconfigure
    from workflows.applying import refusal
    from workflows.command import (
        Command,
        OrderFound,
        PositionAnswer,
        Resolution,
        StatusAnswer,
        position_answer,
        refused,
        status_answer,
    )
    from workflows.desired import PATIENCE
    from workflows.inquiries import check_config, misnamed
    from workflows.loop import Loop


@workflow.defn
class BotWorkflow:
    """Trades one bot. Its id is `bot-<id>`, so there is never a second one."""

    @workflow.init
    def __init__(self, start: BotStart) -> None:
        self._loop = Loop(start)
        self._state = self._loop.state
        self._desired = self._loop.desired

    @workflow.run
    async def run(self, _start: BotStart) -> str:
        """Run until the bot is to be stopped; returns how it ended."""
        return await self._loop.run()

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
            if self._state.row.version != version:
                self._loop.disturb()
        if request.config is not None:
            self._desired.proposal = request.config
        if request.rewatch:
            self._loop.outbox.send_again()
            self._loop.look_for_orders()

    @workflow.signal
    def stop(self) -> None:
        """Stop, as `trading.on_stop` says; the row is disabled too, so the bot stays stopped."""
        self._desired.command(enabled=False, author="signal stop")
        self._loop.disturb()

    @workflow.signal
    def pause(self) -> None:
        """Make no entries; exits go on."""
        self._desired.command(paused=True, author="signal pause")
        self._loop.outbox.event("paused", "no entries from now on")
        self._loop.disturb()

    @workflow.signal
    def resume(self) -> None:
        """Make entries again."""
        self._desired.command(paused=False, author="signal resume")
        self._loop.outbox.event("resumed", "entries are made again")
        self._loop.disturb()

    # updates

    @workflow.update
    async def close_position(self) -> str:
        """Sell the position at the current price; returns what came of it."""
        return await self._loop.carry_out(Command(order="close", reason=MANUAL_CLOSE))

    @close_position.validator
    def _may_close(self) -> None:
        self._may_command()
        if self._state.carried.book.position is None:
            raise refused("there is no position to close")

    @workflow.update
    async def open_position(self) -> str:
        """Buy at the current price, as much as an entry would; returns what came of it."""
        return await self._loop.carry_out(Command(order="open", reason=f"{MANUAL_OPEN}:{workflow.uuid4()}"))

    @open_position.validator
    def _may_open(self) -> None:
        self._may_command()
        if gate := self._loop.gate():
            raise refused(f"no entry is possible: {gate}")
        config, position = self._state.config, self._state.carried.book.position
        if config is not None and position is not None and position.entries >= config.trading.max_positions:
            raise refused(f"{position.entries} of {config.trading.max_positions} entries are open already")

    @workflow.update
    async def resolve_order(self, found: OrderFound) -> str:
        """Say how an order ended that is unknown; returns what came of it."""
        return await self._loop.resolve(Resolution(found))

    @resolve_order.validator
    def _may_resolve(self, found: OrderFound) -> None:
        unknown = self._state.carried.unknown
        if unknown is None:
            raise refused("no order is unknown")
        if self._loop.wishes.resolution is not None:
            raise refused("a finding is being booked")
        if found.quantity > unknown.intent.quantity:
            raise refused(f"at most {unknown.intent.quantity:f} can be filled; was {found.quantity:f}")
        if found.quantity and not found.price:
            raise refused("a price is needed with what was filled")

    @workflow.update
    async def book_sale(self, sold: OrderFound) -> str:
        """Say what of the position was sold by hand at the exchange; returns what came of it."""
        return await self._loop.resolve(Resolution(sold, by_hand=True))

    @book_sale.validator
    def _may_book_sale(self, sold: OrderFound) -> None:
        position = self._state.carried.book.position
        if position is None:
            raise refused("there is no position of which anything could have been sold")
        if self._state.config is None or self._state.config.account is None:
            raise refused("the position is on paper: `bots close` sells it")
        if self._loop.wishes.resolution is not None:
            raise refused("a finding is being booked")
        if self._state.carried.unknown is not None:
            raise refused("an order is unknown: first say how that one ended")
        if not ZERO < sold.quantity <= position.qty_open:
            raise refused(f"at most the {position.qty_open:f} held can have been sold; was {sold.quantity:f}")

    @workflow.update
    async def explain_difference(self) -> str:
        """Go on buying, although books and venue differ: a person knows why."""
        explained = self._state.carried.difference
        self._state.carry(difference=None)
        self._loop.outbox.event("difference_explained", f"a person has explained: {explained}")
        self._loop.outbox.row_changed()
        self._loop.disturb()
        return "entries are made again"

    @explain_difference.validator
    def _may_explain(self) -> None:
        if self._state.carried.difference is None:
            raise refused("books and venue do not differ, as far as is known")

    @workflow.update
    async def set_config(self, raw: dict[str, Any]) -> str:
        """Trade by another configuration; it becomes the row's next version."""
        prepared = await check_config(raw, self._state.row.bot_id, patience=PATIENCE)
        if problem := refusal(self._state.carried, prepared):
            raise refused(problem, type_=InvalidConfig.__name__)
        self._desired.propose(raw, prepared, author="update set_config")
        self._loop.disturb()
        return f"accepted as version {self._state.row.version}"

    @set_config.validator
    def _may_set_config(self, raw: dict[str, Any]) -> None:
        try:
            problem = misnamed(parse_config(raw), self._state.row.bot_id)
        except InvalidConfig as error:
            problem = str(error)
        if problem:
            raise refused(problem, type_=InvalidConfig.__name__)

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
        command = self._loop.wishes.command
        if command is not None:
            raise refused(f"a command to {command.order} the position is being carried out")
        if not self._state.enabled:
            raise refused("the bot is stopping")
        if self._state.config is None:
            raise refused("the bot has no valid configuration yet")
