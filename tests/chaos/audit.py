"""The audit of a chaos run: do the exchange's ledger, the journal and the bots say the same? Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from db.reads import FillRecord, OrderRecord
from domain.model import exact
from tests.chaos.cast import Member
from tests.chaos.ledger import AccountLedger, LedgerOrder, LedgerTrade
from workflows.command import StatusAnswer

KINDS = ("duplicates", "lost", "orphans", "unknown", "mismatches", "unprotected")

_STATUS: Mapping[str, str] = {"NEW": "open", "FILLED": "filled", "CANCELED": "cancelled", "EXPIRED": "expired"}
_FINAL = {"filled", "cancelled", "rejected", "expired"}
_EPOCH = datetime.fromtimestamp(0, UTC)
_STEP = Decimal(1).scaleb(-18)
# Twice the venue's least order, in quote: what is worth less may be dust of the last position, which an entry takes in.
_DUST = Decimal(10)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one bot at the end.

    Attributes:
        allotted: quote that it was given.
        status: what it says of itself; None when it does not answer.
        watched: a watch of its market is under way, and has given a sign of life.
    """

    member: Member
    ledger: AccountLedger
    orders: Sequence[OrderRecord]
    fills: Sequence[FillRecord]
    allotted: Decimal
    status: StatusAnswer | None
    watched: bool


@dataclass
class Findings:
    """What is wrong, each in a sentence that begins with the bot."""

    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """All of them, with their kind."""
        return [f"{kind}: {text}" for kind in KINDS for text in getattr(self, kind)]


def audit(evidence: Iterable[Evidence]) -> Findings:
    """Return everything that is wrong with some bots."""
    findings = Findings()
    for one in evidence:
        findings.duplicates.extend(doubled(one.member, one.ledger))
        _check_decisions(one, findings)
        _check_orders(one, findings)
        _check_fills(one, findings)
        _check_bot(one, findings)
    return findings


def doubled(member: Member, ledger: AccountLedger) -> list[str]:
    """Return what the exchange's ledger alone shows to have been done twice: nothing that comes later undoes it."""
    accepted = Counter(order.client_order_id for order in ledger.orders)
    twice = [f"order {name} was accepted {times} times" for name, times in accepted.items() if times > 1]
    return [f"{member.bot_id}: {what}" for what in (*twice, *_bought_twice(member, ledger))]


def _bought_twice(member: Member, ledger: AccountLedger) -> Iterator[str]:
    """Yield each purchase while something is held, whatever the ids say: these bots hold one entry at a time."""
    trades: defaultdict[int, list[LedgerTrade]] = defaultdict(list)
    for trade in ledger.trades:
        trades[trade.order_id].append(trade)
    held = Decimal(0)
    for order in ledger.orders:
        if order.side == "BUY" and order.executed:
            worth = held * order.executed_quote / order.executed
            if worth >= _DUST:
                yield f"order {order.client_order_id} buys while {held} are held"
        moved = order.executed if order.side == "BUY" else -order.executed
        fees = (t.commission for t in trades[order.order_id] if t.commission_asset == member.base)
        held += moved - sum(fees, Decimal(0))


@exact()
def _check_decisions(one: Evidence, findings: Findings) -> None:
    """What a decision is for is ordered once: a later order asks for no more than the earlier ones have left of it.

    An exit may take several: one that the venue does not take, or not all of it, is tried again until it is through.
    """
    decisions = {record.client_order_id: record.decision_key for record in one.orders}
    earlier: defaultdict[str, list[LedgerOrder]] = defaultdict(list)
    for order in one.ledger.orders:
        decision = decisions.get(order.client_order_id)
        if decision is None:
            continue
        orders = earlier[decision]
        filled = sum((each.executed for each in orders), Decimal(0))
        if orders and order.quantity > orders[0].quantity - filled:
            names = ", ".join(each.client_order_id for each in (*orders, order))
            findings.duplicates.append(
                f"{one.member.bot_id}: orders {names} ask twice for what one decided: {decision}"
            )
        orders.append(order)


def _check_orders(one: Evidence, findings: Findings) -> None:
    bot = one.member.bot_id
    journaled = {record.client_order_id: record for record in one.orders}
    accepted = {order.client_order_id: order for order in one.ledger.orders}
    for name, order in accepted.items():
        if name not in journaled:
            text = f"{bot}: order {name} ({order.side} {order.quantity}) is at the venue, not in the journal"
            findings.orphans.append(text)
        else:
            _differ(f"{bot}: order {name}", _of_record(journaled[name]), _of_order(order), findings)
    for name, record in journaled.items():
        if name not in accepted and (record.filled_quantity or record.venue_order_id):
            findings.lost.append(f"{bot}: order {name} is {record.status} in the journal; the venue has none")
        if record.status not in _FINAL and not _protects(record, one.status):
            findings.unknown.append(f"{bot}: order {name} is {record.status}: {record.status_reason}")


def _protects(record: OrderRecord, status: StatusAnswer | None) -> bool:
    """Return whether an order is open by right: the stop of what is held."""
    held = status is not None and bool(status.position.quantity)
    return held and record.type == "stop" and record.status == "open"


def _check_fills(one: Evidence, findings: Findings) -> None:
    bot = one.member.bot_id
    ids = {order.order_id: order.client_order_id for order in one.ledger.orders}
    happened = {(ids[trade.order_id], str(trade.trade_id)): _of_trade(trade) for trade in one.ledger.trades}
    booked = {(fill.client_order_id, fill.trade_id): _of_fill(fill) for fill in one.fills}
    for key, trade in happened.items():
        if key in booked:
            _differ(f"{bot}: fill {key[1]} of {key[0]}", booked[key], trade, findings)
        else:
            findings.lost.append(f"{bot}: fill {key[1]} of order {key[0]} is at the venue, not in the journal")
    for name, trade_id in booked.keys() - happened.keys():
        findings.mismatches.append(f"{bot}: fill {trade_id} of order {name} is in the journal; the venue has none")


def _check_bot(one: Evidence, findings: Findings) -> None:
    bot, status = one.member.bot_id, one.status
    if status is None:
        findings.lost.append(f"{bot}: the bot does not answer")
        return
    if status.unknown_order is not None:
        findings.unknown.append(f"{bot}: the bot does not know what has become of order {status.unknown_order}")
    if status.difference is not None:
        findings.mismatches.append(f"{bot}: the bot has found books and venue to differ: {status.difference}")
    if status.journal_waiting:
        findings.lost.append(f"{bot}: {status.journal_waiting} entries are not in the journal yet")
    _check_balances(one, status, findings)
    position, levels = status.position, status.position.levels
    guarded = one.watched and (levels.stop or levels.target or position.strategy_stop)
    if position.quantity and not guarded:
        why = "no level is set" if one.watched else "nobody watches"
        findings.unprotected.append(f"{bot}: holds {position.quantity}, and {why}; last error: {status.last_error}")


@exact()
def _check_balances(one: Evidence, status: StatusAnswer, findings: Findings) -> None:
    member, position = one.member, status.position
    expected = {
        member.quote: one.ledger.deposited(member.quote) + position.cash - one.allotted,
        member.base: (position.quantity or Decimal(0)) + position.dust,
    }
    for asset, books in expected.items():
        if (there := one.ledger.balance(asset)) != books:
            text = f"{member.bot_id}: the account holds {there} {asset}, by the books it is {books}"
            findings.mismatches.append(text)


def _differ(what: str, journal: Mapping[str, object], venue: Mapping[str, object], findings: Findings) -> None:
    for name, value in venue.items():
        if journal[name] != value:
            findings.mismatches.append(f"{what}: {name} is {journal[name]} in the journal, {value} at the venue")


@exact()
def _of_order(order: LedgerOrder) -> dict[str, object]:
    average = order.executed_quote / order.executed if order.executed else None
    return {
        "symbol": order.symbol,
        "side": order.side.lower(),
        "quantity": order.quantity,
        "filled": order.executed,
        "average": None if average is None else average.quantize(_STEP, ROUND_HALF_UP),
        "status": _STATUS.get(order.status, order.status.lower()),
        "venue id": str(order.order_id),
    }


def _of_record(record: OrderRecord) -> dict[str, object]:
    return {
        "symbol": record.symbol.replace("/", ""),
        "side": record.side,
        "quantity": record.quantity,
        "filled": record.filled_quantity,
        "average": record.average_price,
        "status": record.status,
        "venue id": record.venue_order_id,
    }


def _of_trade(trade: LedgerTrade) -> dict[str, object]:
    return {
        "price": trade.price,
        "quantity": trade.quantity,
        "fee": trade.commission,
        "fee currency": trade.commission_asset,
        "time": _EPOCH + timedelta(milliseconds=trade.time),
    }


def _of_fill(fill: FillRecord) -> dict[str, object]:
    return {
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee currency": fill.fee_currency,
        "time": fill.filled_at,
    }
