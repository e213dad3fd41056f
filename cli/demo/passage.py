"""How a bot came through the kill: what it had before, and what it did next."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from db.overview import BotOverview
from db.reads import OrderRecord, Reads


@dataclass(frozen=True)
class Standing:
    """A bot at the moment of the kill, as the journal has it: nobody writes there while there is no worker.

    Attributes:
        order: its newest order, None before the first.
        held: units of base of its open position, None while flat.
    """

    order: OrderRecord | None
    held: Decimal | None

    @property
    def in_flight(self) -> bool:
        """An order was on its way."""
        return self.order is not None and self.order.status == "pending"


@dataclass(frozen=True)
class Passage:
    """What became of a bot: `after` are its orders since then, oldest first; `settled` is the order of before, now."""

    before: Standing
    settled: OrderRecord | None
    after: tuple[OrderRecord, ...]

    @property
    def problem(self) -> str | None:
        """Why this is no going on from where the bot stood; None when it is."""
        order = self.before.order
        if order is not None and self.settled is None:
            return f"order {order.client_order_id} has vanished"
        if self.before.in_flight or not self.after:
            return None
        first, number = self.after[0], order.sequence if order else 0
        expected = "sell" if self.before.held else "buy"
        if first.leg == 0 and first.sequence != number + 1:
            return f"order {number} was followed by order {first.sequence}"
        if first.side != expected:
            return f"its next order had to be a {expected}; was a {first.side}"
        return None

    @property
    def text(self) -> str:
        """One phrase for the summary."""
        number = self.before.order.sequence if self.before.order else 0
        if self.before.in_flight and self.settled is not None:
            return f"order {number} was on its way: {self.settled.status}, once"
        had, verb = ("held", "sold") if self.before.held else ("flat", "bought")
        since = f"{had} since order {number}" if number else had
        return f"{since}, order {self.after[0].sequence} {verb}" if self.after else f"{since}, and still"


async def standing(reads: Reads, bot: BotOverview) -> Standing:
    """Return how a bot stands now."""
    orders = await reads.orders(bot.bot_id, limit=1)
    return Standing(orders[0] if orders else None, bot.position_quantity)


def passage(before: Standing, orders: Sequence[OrderRecord]) -> Passage:
    """Return how a bot went on, from all its orders."""
    last = (before.order.sequence, before.order.leg) if before.order else (0, 0)
    in_order = sorted(orders, key=lambda order: (order.sequence, order.leg))
    settled = [order for order in in_order if (order.sequence, order.leg) == last]
    after = [order for order in in_order if (order.sequence, order.leg) > last]
    return Passage(before, settled[0] if settled else None, tuple(after))
