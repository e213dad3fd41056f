"""Reconciliation: the books of all bots of an account, held against what its venue says. Pure.

An account may hold more than its bots' books: what is not allotted to a bot is its owner's, and so are orders under ids
that are no bot's. They are shown and never touched. Less money than the books, and an order of a bot that the journal
lacks or knows otherwise, are differences.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

from domain.account_sides import BotBooks, JournaledOrder, ListedOrder, Standing, VenueSide
from domain.accounts import Balance, VenueOrder
from domain.intervals import DAY_MS, WEEK_MS
from domain.model import ZERO, Milliseconds, Model, Money, Price, Quantity, exact
from domain.orders import BY_A_PERSON, Side, order_prefix

Verdict = Literal["agrees", "not_in_journal", "stands_differently", "not_at_venue", "foreign_order", "foreign_trade"]

_DIFFERENCES: tuple[Verdict, ...] = ("not_in_journal", "stands_differently", "not_at_venue")
# Some venues answer for a week at most, and show nothing when they are asked for more.
_LONGEST_MS = WEEK_MS
# Between the decision, whose time the books know, and the acceptance lies the error of a clock.
_SLACK_MS = 60_000
_NOTHING = Balance(free=ZERO, locked=ZERO)

_LineT = TypeVar("_LineT", "CurrencyLine", "OrderLine")


class CurrencyLine(Model):
    """One currency of an account, on both sides.

    Attributes:
        books: the sum of `bots`, what the books of each say that it has.
        venue: all that the account holds, `locked` by open orders included.
        difference: venue − books. More than zero is its owner's.
    """

    currency: str
    books: Money
    venue: Money
    locked: Money
    difference: Money
    bots: Mapping[str, Money]
    differs: bool

    @property
    def subject(self) -> str:
        """What tells it from the other lines of the account."""
        return self.currency


class OrderLine(Model):
    """One order, on both sides.

    Attributes:
        bot_id: whose id it has; None for a foreign one.
        detail: what differs beyond status and filled quantity; empty if nothing does.
    """

    bot_id: str | None
    client_order_id: str
    venue_order_id: str | None
    symbol: str
    side: Side
    quantity: Quantity
    price: Price | None = None
    created_at: Milliseconds | None = None
    journal: Standing | None
    venue: Standing | None
    verdict: Verdict
    detail: str = ""
    differs: bool

    @property
    def subject(self) -> str:
        """What tells it from the other lines of the account."""
        return self.client_order_id or f"{self.symbol} {self.venue_order_id}"


class Question(Model):
    """What a bot waits for a person to explain; until then it buys nothing."""

    bot_id: str
    text: str


class Comparison(Model):
    """Both sides of an account.

    Attributes:
        currencies: those that the bots trade first.
        orders: those of bots that are compared, and the foreign ones.
    """

    currencies: tuple[CurrencyLine, ...]
    orders: tuple[OrderLine, ...]
    questions: tuple[Question, ...]

    @property
    def differing(self) -> Sequence[CurrencyLine | OrderLine]:
        """The lines on which the sides do not agree."""
        lines: list[CurrencyLine | OrderLine] = [*self.currencies, *self.orders]
        return [line for line in lines if line.differs]


def window_start(books: Iterable[BotBooks], now: Milliseconds) -> Milliseconds:
    """Return since when orders are compared: for a day, or since the last that the books know, at most for a week."""
    last = min((each.ordered_at - _SLACK_MS for each in books if each.ordered_at), default=now)
    return max(min(last, now - DAY_MS), now - _LONGEST_MS, 0)


def compare(books: Sequence[BotBooks], journal: Sequence[JournaledOrder], venue: VenueSide) -> Comparison:
    """Return both sides of an account.

    Args:
        books: of all bots of the account, so that `venue.orders.own` are theirs.
        journal: those of the venue's orders that it knows, whosever they are, and all that it believes to rest.
    """
    return Comparison(
        currencies=tuple(_currencies(books, venue.balances)),
        orders=tuple(_order_lines(books, {order.client_order_id: order for order in journal}, venue)),
        questions=tuple(question for each in books for question in _questions(each)),
    )


def lasting(first: Comparison, second: Comparison) -> Comparison:
    """Return the second look, in which only what differed in the first as well still does.

    Books follow the venue within a moment, so in a large account there is nearly always an order that they do not know
    yet; but never the same one for long.
    """
    seen = {line.subject for line in first.differing}
    return second.model_copy(
        update={"currencies": _seen_twice(second.currencies, seen), "orders": _seen_twice(second.orders, seen)}
    )


def of_bot(comparison: Comparison, bot: BotBooks) -> Comparison:
    """Return what of an account concerns one bot: its currencies, its orders, and those of nobody in its market."""
    market = bot.instrument
    return comparison.model_copy(
        update={
            "currencies": tuple(line for line in comparison.currencies if line.currency in (market.base, market.quote)),
            "orders": tuple(
                line
                for line in comparison.orders
                if line.bot_id == bot.bot_id or (line.bot_id is None and line.symbol == market.symbol)
            ),
            "questions": tuple(question for question in comparison.questions if question.bot_id == bot.bot_id),
        }
    )


def _seen_twice(lines: Iterable[_LineT], seen: Collection[str]) -> tuple[_LineT, ...]:
    return tuple(line.model_copy(update={"differs": line.differs and line.subject in seen}) for line in lines)


@exact()
def _currencies(books: Iterable[BotBooks], balances: Mapping[str, Balance]) -> list[CurrencyLine]:
    claims: dict[str, dict[str, Money]] = {}
    for each in books:
        for currency, amount in ((each.instrument.quote, each.cash), (each.instrument.base, each.holding)):
            claims.setdefault(currency, {})[each.bot_id] = amount
    names = (*sorted(claims), *sorted(balances.keys() - claims.keys()))
    return [_currency(name, claims.get(name, {}), balances.get(name, _NOTHING)) for name in names]


def _currency(name: str, claims: Mapping[str, Money], balance: Balance) -> CurrencyLine:
    claimed, held = sum(claims.values(), ZERO), balance.free + balance.locked
    return CurrencyLine(
        currency=name,
        books=claimed,
        venue=held,
        locked=balance.locked,
        difference=held - claimed,
        bots={bot_id: amount for bot_id, amount in claims.items() if amount},
        differs=held < claimed,
    )


def _order_lines(books: Sequence[BotBooks], journal: Mapping[str, JournaledOrder], venue: VenueSide) -> list[OrderLine]:
    owners = {order_prefix(each.uid): each.bot_id for each in books}
    own = [_own_line(order, journal, _owner(order.report.client_order_id, owners)) for order in venue.orders.own]
    there = {line.client_order_id for line in own}
    absent = [
        _absent_line(order, owner)
        for name, order in journal.items()
        if name not in there and order.standing.rests and (owner := _owner(name, owners))
    ]
    # What a bot has placed that is gone or trades on paper by now is in the journal, and nobody's manual trade.
    others = [order for order in venue.orders.others if order.client_order_id not in journal]
    since = venue.now - DAY_MS
    foreign = [_foreign_line(order) for order in others if order.standing.rests or _traded(order, since)]
    return [*own, *absent, *foreign]


def _owner(client_order_id: str, owners: Mapping[str, str]) -> str | None:
    return next((bot_id for prefix, bot_id in owners.items() if client_order_id.startswith(prefix)), None)


def _own_line(order: VenueOrder, journal: Mapping[str, JournaledOrder], bot_id: str | None) -> OrderLine:
    report, known = order.report, journal.get(order.report.client_order_id)
    there = Standing(
        status=report.status,
        filled=report.filled_quantity,
        fills=tuple(fill.trade_id for fill in report.fills),
    )
    verdict, detail = _judge(known.standing if known else None, there)
    return OrderLine(
        bot_id=bot_id,
        client_order_id=report.client_order_id,
        venue_order_id=report.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        created_at=order.created_at,
        journal=known.standing if known else None,
        venue=there,
        verdict=verdict,
        detail=detail,
        differs=verdict in _DIFFERENCES,
    )


def _judge(journal: Standing | None, venue: Standing) -> tuple[Verdict, str]:
    """Return how an order stands on both sides, and which fills one of them lacks."""
    if journal is None:
        return "not_in_journal", ""
    detail = _differing_fills(journal.fills, venue.fills)
    alike = (journal.status, journal.filled) == (venue.status, venue.filled)
    return ("agrees" if alike and not detail else "stands_differently"), detail


def _differing_fills(journal: Sequence[str], venue: Sequence[str]) -> str:
    if any(fill.endswith(BY_A_PERSON) for fill in journal):
        return ""  # a person has told how much was filled, not by which trades
    parts = (
        ("not in the journal", [fill for fill in venue if fill not in journal]),
        ("not at the venue", [fill for fill in journal if fill not in venue]),
    )
    return "; ".join(f"fills {where}: {', '.join(fills)}" for where, fills in parts if fills)


def _absent_line(order: JournaledOrder, bot_id: str) -> OrderLine:
    return OrderLine(
        bot_id=bot_id,
        client_order_id=order.client_order_id,
        venue_order_id=None,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        journal=order.standing,
        venue=None,
        verdict="not_at_venue",
        differs=True,
    )


def _foreign_line(order: ListedOrder) -> OrderLine:
    return OrderLine(
        bot_id=None,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        created_at=order.created_at,
        journal=None,
        venue=order.standing,
        verdict="foreign_order" if order.standing.rests else "foreign_trade",
        differs=False,
    )


def _traded(order: ListedOrder, since: Milliseconds) -> bool:
    return bool(order.standing.filled) and order.created_at >= since


def _questions(books: BotBooks) -> list[Question]:
    texts = [books.difference] if books.difference else []
    if books.unknown:
        texts.append(f"order {books.unknown}: only a person can tell whether the venue has it")
    return [Question(bot_id=books.bot_id, text=text) for text in texts]
