"""The audit: does the journal hold exactly what the workflow histories have recorded, once, and nothing else?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from temporalio.client import Client

from cli.recorded import RecordedOrder, recorded_orders
from db.reads import FillRecord, OrderRecord, Reads, TradeRecord
from db.values import from_ms
from domain.decisions import PARTIAL_TAKE, SOLD_BY_HAND
from domain.model import ZERO, Model, Money, Price, as_money, exact
from domain.orders import BY_A_PERSON, Fill, OrderIntent, OrderReport

_ALL = 2**31 - 1
_STEP = Decimal(1).scaleb(-18)


class Books(Model):
    """What the journal says of one bot."""

    orders: tuple[OrderRecord, ...] = ()
    fills: tuple[FillRecord, ...] = ()
    trades: tuple[TradeRecord, ...] = ()

    @property
    def told(self) -> frozenset[str]:
        """The orders of which a person has told how they ended; no answer of a broker says the same."""
        return frozenset(fill.client_order_id for fill in self.fills if fill.trade_id.endswith(BY_A_PERSON))


class Audit(Model):
    """What was compared, and what is wrong, each in a sentence that begins with the bot.

    Attributes:
        orders, fills, round_trips: in the journal.
        duplicates: something was done, decided or booked twice.
        missing: one side has it and the other has not.
        mismatches: both have it, and say different things.
    """

    orders: int = 0
    fills: int = 0
    round_trips: int = 0
    duplicates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True when nothing is wrong."""
        return not self.findings

    @property
    def findings(self) -> tuple[str, ...]:
        """All that is wrong."""
        return self.duplicates + self.missing + self.mismatches


async def audit(client: Client, reads: Reads, bot_ids: Iterable[str]) -> Audit:
    """Compare journal and histories of some bots. They must have stopped, or at least rest with an empty outbox.

    Raises:
        StoreUnavailable: the database cannot be reached.
        RPCError: Temporal does not answer, or one of the bots has never run.
    """
    return total(
        [compare(bot, await recorded_orders(client, bot), await read_books(reads, bot)) for bot in bot_ids],
    )


async def read_books(reads: Reads, bot_id: str) -> Books:
    """Return everything that the journal says of a bot."""
    return Books(
        orders=tuple(await reads.orders(bot_id, limit=_ALL)),
        fills=tuple(await reads.fills(bot_id, limit=_ALL)),
        trades=tuple(await reads.trades(bot_id, limit=_ALL)),
    )


def total(audits: Sequence[Audit]) -> Audit:
    """Return several audits as one."""
    return Audit(
        orders=sum(one.orders for one in audits),
        fills=sum(one.fills for one in audits),
        round_trips=sum(one.round_trips for one in audits),
        duplicates=tuple(finding for one in audits for finding in one.duplicates),
        missing=tuple(finding for one in audits for finding in one.missing),
        mismatches=tuple(finding for one in audits for finding in one.mismatches),
    )


def compare(bot_id: str, recorded: Iterable[RecordedOrder], books: Books) -> Audit:
    """Compare the journal of one bot with what its histories have recorded. Pure.

    Where a person has told how an order ended, the journal alone can say it: such orders count in the books only.
    """
    findings = _Findings(bot_id)
    known = _once_each(recorded, findings)
    answered = {name: order for name, order in known.items() if name not in books.told}
    journaled = {order.client_order_id: order for order in books.orders if order.client_order_id not in books.told}
    _check_orders(answered, journaled, findings)
    _check_fills(answered, [fill for fill in books.fills if fill.client_order_id not in books.told], findings)
    _check_decisions(books.orders, findings)
    numbers = [(order.intent.client_order_id, order.intent.sequence) for order in known.values()]
    told = [(order.client_order_id, order.sequence) for order in books.orders if order.client_order_id in books.told]
    _check_sequence([*numbers, *told], findings)
    _check_trades(books, findings)
    return Audit(
        orders=len(books.orders),
        fills=len(books.fills),
        round_trips=len(books.trades),
        duplicates=tuple(findings.duplicates),
        missing=tuple(findings.missing),
        mismatches=tuple(findings.mismatches),
    )


class _Findings:
    """What is wrong with one bot."""

    def __init__(self, bot_id: str) -> None:
        self._bot_id = bot_id
        self.duplicates: list[str] = []
        self.missing: list[str] = []
        self.mismatches: list[str] = []

    def twice(self, text: str) -> None:
        self.duplicates.append(f"{self._bot_id}: {text}")

    def lost(self, text: str) -> None:
        self.missing.append(f"{self._bot_id}: {text}")

    def disagree(self, text: str) -> None:
        self.mismatches.append(f"{self._bot_id}: {text}")

    def differ(self, what: str, journal: Mapping[str, Any], history: Mapping[str, Any]) -> None:
        """Note the first field that differs, if one does."""
        for field, value in history.items():
            if journal[field] != value:
                self.disagree(f"{what}: {field} is {journal[field]} in the journal, {value} in the history")
                return


def _once_each(recorded: Iterable[RecordedOrder], findings: _Findings) -> dict[str, RecordedOrder]:
    """Return the orders by client order id. To find one again in another run is fine, if it is the same one."""
    known: dict[str, RecordedOrder] = {}
    for order in recorded:
        name = order.intent.client_order_id
        other = known.setdefault(name, order)
        if other.intent != order.intent:
            findings.twice(f"order {name} was used for two intents: {_what(other.intent)}, {_what(order.intent)}")
        elif other.report is None or (other.report.rests and order.report is not None):
            known[name] = order  # a run goes on where the one before it has left an order resting
        elif order.report is not None and not order.report.rests and order.report != other.report:
            findings.twice(f"order {name} was answered twice, and differently")
    return known


def _check_orders(
    known: Mapping[str, RecordedOrder], journaled: Mapping[str, OrderRecord], findings: _Findings
) -> None:
    for name, order in known.items():
        if order.report is None:
            findings.lost(f"order {name} has no result in the history")
        elif name not in journaled:
            findings.lost(f"order {name} is in the history, not in the journal")
        else:
            findings.differ(f"order {name}", _of_journal(journaled[name]), _of_history(order.intent, order.report))
    for name in journaled.keys() - known.keys():
        findings.lost(f"order {name} is in the journal, not in the history")


def _check_fills(known: Mapping[str, RecordedOrder], journaled: Sequence[FillRecord], findings: _Findings) -> None:
    reports = [order.report for order in known.values() if order.report is not None]
    history = {(report.client_order_id, fill.trade_id): _of_fill(fill) for report in reports for fill in report.fills}
    journal: dict[tuple[str, str], dict[str, Any]] = {}
    for record in journaled:
        key = (record.client_order_id, record.trade_id)
        if key in journal:
            findings.twice(f"fill {key[1]} of order {key[0]} is in the journal twice")
        journal[key] = record.model_dump(exclude={"client_order_id", "trade_id"})
    for key, fill in history.items():
        if key in journal:
            findings.differ(f"fill {key[1]}", journal[key], fill)
        else:
            findings.lost(f"fill {key[1]} of order {key[0]} is in the history, not in the journal")
    for name, trade_id in journal.keys() - history.keys():
        findings.lost(f"fill {trade_id} of order {name} is in the journal, not in the history")
    _check_quantities(known, journaled, findings)


def _check_quantities(known: Mapping[str, RecordedOrder], fills: Sequence[FillRecord], findings: _Findings) -> None:
    filled: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in fills:
        filled[fill.client_order_id] += fill.quantity
    for name, quantity in filled.items():
        if name in known and quantity > known[name].intent.quantity:
            findings.twice(f"order {name} is of {known[name].intent.quantity:f} and was filled with {quantity:f}")


@exact()
def _check_decisions(journaled: Sequence[OrderRecord], findings: _Findings) -> None:
    """What a decision is for is traded once. An exit may take several orders, each for what those before have left."""
    # The first six characters are the bot's own: a bot that was deleted and made anew decides anew.
    traded: defaultdict[tuple[str, str], list[OrderRecord]] = defaultdict(list)
    for order in sorted(journaled, key=lambda order: (order.sequence, order.leg)):
        if not order.filled_quantity:
            continue
        earlier = traded[order.client_order_id[:6], order.decision_key]
        filled = sum((each.filled_quantity for each in earlier), ZERO)
        if earlier and order.quantity > earlier[0].quantity - filled:
            names = ", ".join(each.client_order_id for each in (*earlier, order))
            findings.twice(f"orders {names} trade twice what one decided: {order.decision_key}")
        earlier.append(order)


def _check_sequence(numbered: Iterable[tuple[str, int]], findings: _Findings) -> None:
    """The orders of a bot, each with its client order id, are numbered without a gap."""
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for name, number in numbered:
        numbers[name[:6]].add(number)
    for prefix, found in numbers.items():
        for number in sorted(set(range(1, max(found) + 1)) - found):
            findings.lost(f"order number {number} of {prefix} is in no history")


def _check_trades(books: Books, findings: _Findings) -> None:
    """Every filled order belongs to one round trip, those of an open position aside; trades add up to their fills."""
    orders = {order.client_order_id: order for order in books.orders}
    sold = _sold(books)
    trade_of: dict[str, str] = {}
    for trade in books.trades:
        for name in trade.orders:
            if trade_of.setdefault(name, trade.position_id) != trade.position_id:
                findings.twice(f"order {name} is part of the trades {trade_of[name]} and {trade.position_id}")
            if name not in orders:
                findings.lost(f"trade {trade.position_id} has an order {name} that is not in the journal")
        value = sum((sold[name] for name in trade.orders), ZERO)
        if trade.exit_value != value:
            findings.disagree(f"trade {trade.position_id} was sold for {trade.exit_value}; its fills say {value}")
    closed = max((orders[name].sequence for name in trade_of if name in orders), default=0)
    for name, order in orders.items():
        # What is bought and not sold yet is an open position; a sale closes it, unless it was of a part.
        closing = order.side == "sell" and order.reason not in (PARTIAL_TAKE, SOLD_BY_HAND)
        if order.filled_quantity and name not in trade_of and (order.sequence < closed or closing):
            findings.lost(f"order {name} was filled and belongs to no trade")


@exact()
def _sold(books: Books) -> Mapping[str, Money]:
    """Return what each order has sold for."""
    sales = {order.client_order_id for order in books.orders if order.side == "sell"}
    sold: defaultdict[str, Money] = defaultdict(lambda: ZERO)
    for fill in books.fills:
        if fill.client_order_id in sales:
            sold[fill.client_order_id] += as_money(fill.price * fill.quantity)
    return sold


def _of_journal(order: OrderRecord) -> dict[str, Any]:
    return order.model_dump(exclude={"updated_at"})


def _of_history(intent: OrderIntent, report: OrderReport) -> dict[str, Any]:
    return intent.model_dump(exclude={"candle_time", "decided_at"}) | {
        "candle_time": from_ms(intent.candle_time),
        "created_at": from_ms(intent.decided_at),
        "status": report.status,
        "filled_quantity": report.filled_quantity,
        "average_price": _average(report),
        "venue_order_id": report.venue_order_id,
        "status_reason": report.reason,
    }


def _average(report: OrderReport) -> Price | None:
    """Return what was paid or got on average, rounded as the database rounds it."""
    filled = report.filled_quantity
    if not filled:
        return None
    average = sum((fill.price * fill.quantity for fill in report.fills), ZERO) / filled
    with exact():
        return average.quantize(_STEP, ROUND_HALF_UP)


def _of_fill(fill: Fill) -> dict[str, Any]:
    return {
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee_currency": fill.fee_currency,
        "filled_at": from_ms(fill.at),
    }


def _what(intent: OrderIntent) -> str:
    return f"{intent.side} {intent.quantity:f} for {intent.decision_key}"
