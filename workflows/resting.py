"""Orders that wait for their price: an offer to buy or sell, and the stop that protects a position at the exchange."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.instruments import Instrument
    from domain.levels import is_off, protective_stop
    from domain.model import ZERO
    from domain.orders import OrderReport
    from domain.paper import paper_limit_filled, paper_terms
    from domain.positions import sellable_quantity
    from domain.state import BotState
    from workflows.books import Books
    from workflows.desk import Desk
    from workflows.sender import Sender
    from workflows.stance import ORDER_RESTS


class Resting:
    """Ends the orders that are not wanted any more, and keeps the stop at the exchange where it should be."""

    def __init__(self, state: BotState, books: Books, desk: Desk, sender: Sender) -> None:
        self._state = state
        self._books = books
        self._desk = desk
        self._sender = sender

    async def tend(self, config: BotConfig, instrument: Instrument, *, closed: str | None, leaving: bool) -> None:
        """Bring what rests in line with what the bot wants.

        Args:
            closed: why no entry may be made, or None.
            leaving: the bot stops, and keeps what it has: it leaves no order behind.
        """
        if leaving:
            await self._sender.end_resting(config, instrument, why="the bot is stopping")
            await self._sender.end_protection(config, instrument, why="the bot is stopping")
            return
        if closed not in (None, ORDER_RESTS):
            await self.withdraw(config, instrument, why=closed or "")
        await self._protect(config, instrument)

    async def withdraw(self, config: BotConfig, instrument: Instrument, *, why: str) -> None:
        """Cancel what is left of an offer to buy, if one rests."""
        order = self._state.resting
        if order is not None and order.intent.side == "buy":
            await self._sender.end_resting(config, instrument, why=why)

    async def give_up(self, config: BotConfig, instrument: Instrument, *, why: str | None) -> None:
        """Cancel what is left of a limit order; what was to be sold is sold at market.

        Args:
            why: None: it has rested long enough.
        """
        why = why or f"not filled within {config.trading.limit_timeout_seconds:g} s"
        await self._sender.end_resting(config, instrument, why=why)
        self._desk.hurry()

    def filled(self, report: OrderReport, config: BotConfig, instrument: Instrument) -> None:
        """Book what has been filled of the limit order that rests; what it leaves unsold is sold at market."""
        self._books.fold(report, config, instrument)
        if self._state.resting is None:
            self._desk.hurry()

    def reached(self, at: int, config: BotConfig, instrument: Instrument) -> None:
        """Book that the market has traded through the limit of a paper order, at a venue's time in milliseconds UTC."""
        order = self._state.resting
        if order is not None:
            request = self._sender.request(order.intent, config, instrument)
            self.filled(paper_limit_filled(request, paper_terms(config), at=at), config, instrument)

    def forget_refusal(self) -> None:
        """Have a stop that the exchange has refused placed once more."""
        if self._state.carried.protection is None:
            self._state.stop_tried = None

    async def _protect(self, config: BotConfig, instrument: Instrument) -> None:
        """Have a stop rest at the exchange: at the level of now, for all that is held, and never beside an exit."""
        state = self._state
        carried, protection = state.carried, state.carried.protection
        if carried.in_flight is not None or carried.exiting is not None or state.exit_blocked:
            return
        wanted = protective_stop(state.levels, config, instrument)
        quantity = sellable_quantity(carried.book, instrument, wanted) if wanted else ZERO
        if protection is not None:
            if protection.intent.quantity == quantity and not is_off(protection.intent.price, wanted):
                return
            await self._sender.end_protection(config, instrument, why="the stop is moved")
            await self._protect(config, instrument)
        elif is_off(state.stop_tried, wanted):
            state.stop_tried = wanted
            if wanted is not None and quantity > ZERO:
                await self._desk.protect(wanted, quantity, config, instrument)
