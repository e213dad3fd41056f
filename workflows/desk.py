"""The trading desk of a bot: turns decisions into orders.

The intent, with its client order id, is part of the workflow's history before anything is sent. One order at a time,
except for the stop that rests at the exchange beside a position; before anything is sold, that stop is ended.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.decisions import EXCHANGE_STOP, SOLD_BY_HAND, Decision, price_exit_key
    from domain.instruments import Instrument
    from domain.intervals import interval_ms
    from domain.levels import limit_price
    from domain.metrics import Performance
    from domain.model import ZERO, Price, Quantity
    from domain.orders import OrderIntent, OrderType, Side, client_order_id
    from domain.positions import Position
    from domain.state import DECIDED_KEPT, BotState, InFlight
    from workflows.books import Books
    from workflows.command import Answer, Resolution
    from workflows.sender import Sender
    from workflows.standing import Standing


class Desk:
    """Carries decisions out. The books themselves live in the bot's state."""

    def __init__(self, state: BotState, books: Books, sender: Sender, standing: Standing) -> None:
        self._state = state
        self._books = books
        self._sender = sender
        self._standing = standing

    def accept(self, decision: Decision, *, gate: str | None) -> str | None:
        """Take a decision on, or return why not. An accepted exit is latched: it will be carried through."""
        carried = self._state.carried
        if decision.key in carried.decided:
            return "it was decided before"
        if decision.action == "enter" and decision.config_version != carried.version:
            return f"it was made under version {decision.config_version}, now it is {carried.version}"
        if decision.action == "exit" and carried.book.position is None:
            return "there is no position"
        if decision.action == "enter" and gate:
            return gate
        self._state.carry(
            decided=(*carried.decided, decision.key)[-DECIDED_KEPT:],
            acted_candle=max(carried.acted_candle, decision.candle_time),
            performance=carried.performance
            or Performance.begin(started=decision.decided_at, equity=carried.book.equity(None)),
            exiting=decision if decision.action == "exit" else carried.exiting,
        )
        return None

    def exit_latched(self) -> bool:
        """Whether an exit was decided and is not yet carried through."""
        return self._state.carried.exiting is not None

    def let_go(self, config: BotConfig, instrument: Instrument) -> None:
        """Give up the sale of a part that could not be carried through: it is decided anew, unless some of it is sold.

        Only an exit of everything stays latched: while one does, nothing else is watched for.
        """
        carried = self._state.carried
        if carried.exiting is None or carried.exiting.quantity is None or self._state.exit_blocked:
            return
        if not self._state.sells_part(carried.exiting.quantity):
            self._books.finish(carried.exiting, config, instrument, at=carried.exiting.decided_at)
            return
        again = tuple(key for key in carried.decided if key != carried.exiting.key)
        self._state.carry(exiting=None, decided=again)

    def reprice(self, decision: Decision | None) -> None:
        """Go on with the latched exit at a newer price, where there is one."""
        exiting = self._state.carried.exiting
        if exiting is not None and decision is not None:
            moment = {"price": decision.price, "decided_at": decision.decided_at}
            self._state.carry(exiting=exiting.model_copy(update=moment))

    async def enter(self, decision: Decision, config: BotConfig, instrument: Instrument) -> Answer:
        """Buy what a decision says, or offer to. Returns whether anything was bought, in one sentence."""
        before = self._state.carried.book.holding
        intent = self._intent(decision, config, instrument, "buy", decision.quantity or ZERO, leg=0)
        expires = workflow.now() + timedelta(milliseconds=interval_ms(config.data.interval))
        order = InFlight(intent=intent, decision=decision, expires=expires, until=_until(intent, config))
        text = await self._sender.send(order, config, instrument)
        return Answer(done=self._state.carried.book.holding != before, text=text)

    async def exit(self, config: BotConfig, instrument: Instrument) -> str:
        """Sell, leg after leg, until the latched exit leaves the position flat or dust, or has sold its part.

        It ends as well when an order rests.

        A leg of which nothing was filled ends the attempt; the exit stays latched. Where the account has less than the
        books, what it has is sold, and a person has to explain the rest, once two legs in a row have found that: what
        a stop had locked may come back a moment after it was cancelled.
        """
        answer = await self._make_way(config, instrument) or "there is no position"
        leg = 0
        while (decision := self._state.carried.exiting) is not None and not self._state.exit_blocked:
            quantity = self._books.sellable(decision, config, instrument)
            if quantity <= ZERO:
                return self._books.finish(decision, config, instrument, at=decision.decided_at)
            offered = self._books.offered(quantity, decision, instrument)
            intent = self._intent(decision, config, instrument, "sell", offered, leg=leg)
            before, missed = self._state.carried.book.holding, self._state.carried.sellable is not None
            order = InFlight(intent=intent, decision=decision, until=_until(intent, config))
            answer = await self._sender.send(order, config, instrument)
            if self._state.resting is not None:
                return answer
            self.hurry()
            there = self._state.carried.sellable
            if there is not None and missed:
                how = f"the account can sell {there:f} {instrument.base}, the books of this bot {quantity:f}"
                self._standing.differs(how, config)
            sold = self._state.carried.book.holding != before
            if not sold and self._books.offered(quantity, decision, instrument) >= offered:
                return answer
            leg += 1
        return answer

    def hurry(self) -> None:
        """Have what is left of a latched exit sold at the market: it was offered at a limit for long enough."""
        exiting = self._state.carried.exiting
        if exiting is not None and not exiting.urgent:
            self._state.carry(exiting=exiting.model_copy(update={"urgent": True}))

    async def protect(self, price: Price, quantity: Quantity, config: BotConfig, instrument: Instrument) -> None:
        """Have a stop rest at the exchange beside the position."""
        position = self._state.carried.book.position
        if position is None:
            return
        decision = self._decision(position, EXCHANGE_STOP, price)
        intent = self._intent(decision, config, instrument, "sell", quantity, leg=0)
        stop = intent.model_copy(update={"type": "stop", "price": price})
        await self._sender.send(InFlight(intent=stop, decision=decision), config, instrument)

    async def resolve(self, resolution: Resolution, config: BotConfig, instrument: Instrument) -> Answer:
        """Book what a person says of the order that was unknown, or has sold by hand."""
        if resolution.by_hand:
            return await self._book_sale(resolution, config, instrument)
        order = self._state.carried.unknown
        if order is None:
            return Answer(done=False, text="no order is unknown")
        self._state.carry(in_flight=order, unknown=None)
        return Answer(done=True, text=self._books.fold(resolution.report(order.intent, instrument), config, instrument))

    async def _book_sale(self, resolution: Resolution, config: BotConfig, instrument: Instrument) -> Answer:
        """Book a sale by hand as an order of its own, which no venue has; the difference is explained by it.

        What rests is ended first: it may have been filled meanwhile, and offers what is no longer there.
        """
        await self._make_way(config, instrument)
        position, quantity = self._state.carried.book.position, resolution.found.quantity
        if self._state.carried.in_flight is not None:
            return Answer(done=False, text="an order of the bot is under way: say it again when that has ended")
        if position is None or quantity > position.qty_open:
            held = position.qty_open if position else ZERO
            return Answer(done=False, text=f"the bot has sold meanwhile: it holds {held:f}")
        decision = self._decision(position, SOLD_BY_HAND, resolution.found.price)
        intent = self._intent(decision, config, instrument, "sell", quantity, leg=0)
        self._state.carry(in_flight=InFlight(intent=intent, decision=decision), difference=None)
        return Answer(done=True, text=self._books.fold(resolution.report(intent, instrument), config, instrument))

    def _decision(self, position: Position, reason: str, price: Price) -> Decision:
        """Return an exit that no look at the market has decided, as of the last one."""
        return Decision(
            action="exit",
            key=price_exit_key(position.id, reason, self._state.carried.sequence),
            reason=reason,
            price=price,
            candle_time=self._state.carried.acted_candle,
            decided_at=max(self._state.sighting.venue_time or 0, position.entered_at),
            config_version=self._state.carried.version,
            urgent=True,
        )

    async def _make_way(self, config: BotConfig, instrument: Instrument) -> str | None:
        """End what rests: nothing may be sold twice, and a venue locks what a resting order would sell."""
        why = "the position is being sold"
        rested = await self._sender.end_resting(config, instrument, why=why)
        protected = await self._sender.end_protection(config, instrument, why=why)
        return protected or rested

    def _intent(
        self,
        decision: Decision,
        config: BotConfig,
        instrument: Instrument,
        side: Side,
        quantity: Quantity,
        *,
        leg: int,
    ) -> OrderIntent:
        sequence = self._state.carried.sequence + (leg == 0)
        self._state.carry(sequence=sequence, leg=leg)
        kind = _kind(decision, config, side)
        limit = limit_price(config, instrument, decision.price, side=side) if kind == "limit" else None
        return OrderIntent(
            client_order_id=client_order_id(self._state.row.uid, sequence, leg),
            sequence=sequence,
            leg=leg,
            symbol=instrument.symbol,
            side=side,
            type=kind,
            quantity=quantity,
            reference_price=decision.price,
            price=limit,
            reason=decision.reason,
            decision_key=decision.key,
            decided_at=decision.decided_at,
            candle_time=decision.candle_time,
            config_version=decision.config_version,
        )


def _kind(decision: Decision, config: BotConfig, side: Side) -> OrderType:
    preferred = config.trading.entry_order if side == "buy" else config.trading.exit_order
    return "market" if decision.urgent else preferred


def _until(intent: OrderIntent, config: BotConfig) -> int | None:
    """Return how long an order may rest, by the venue's clock."""
    if intent.type != "limit":
        return None
    return intent.decided_at + round(config.trading.limit_timeout_seconds * 1000)
