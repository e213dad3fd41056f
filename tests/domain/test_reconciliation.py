"""Both sides of an account, in cases whose figures can be checked by hand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from domain.account_sides import BotBooks, JournaledOrder, ListedOrder, MarketOrders, Standing, VenueSide, live_books
from domain.accounts import Balance, VenueOrder
from domain.config import parse_config
from domain.decisions import Decision
from domain.instruments import AccountRef, VenueRef
from domain.orders import Fill, OrderReport, OrderStatus, client_order_id
from domain.positions import Book, Holding, book_entry, close_position
from domain.reconciliation import Comparison, OrderLine, compare, lasting, of_bot, window_start
from domain.state import BotRow, Carried, InFlight
from tests.domain.builders import DAY, HOUR, MINUTE, dec, fill, instrument, intent, position
from tests.support.bots import LIVE, raw_config

Sides: TypeAlias = tuple[Decimal, Decimal, Decimal, bool]

NOW = 1_772_366_400_000
RSI, MACD = "3f1c1f3e-1111-4c59-9d3c-0a63a5a6b111", "9a7e57b0-2222-4c59-9d3c-0a63a5a6b222"


def books(
    bot_id: str = "rsi", *, cash: str = "0", holding: str = "0", market: str = "BTC/USDT", **more: Any
) -> BotBooks:
    uid = RSI if bot_id == "rsi" else MACD
    return BotBooks(
        bot_id=bot_id, uid=uid, instrument=instrument(symbol=market), cash=dec(cash), holding=dec(holding), **more
    )


def venue(
    own: Sequence[VenueOrder] = (), others: Sequence[ListedOrder] = (), /, **balances: str | tuple[str, str]
) -> VenueSide:
    """A balance is what is free, or that and what is locked."""
    pairs = {name: (told, "0") if isinstance(told, str) else told for name, told in balances.items()}
    return VenueSide(
        now=NOW,
        balances={name: Balance(free=dec(free), locked=dec(locked)) for name, (free, locked) in pairs.items()},
        orders=MarketOrders(own=tuple(own), others=tuple(others)),
    )


def own_order(number: int, status: OrderStatus, *fills: Fill, uid: str = RSI, symbol: str = "BTC/USDT") -> VenueOrder:
    return VenueOrder(
        report=OrderReport(client_order_id=client_order_id(uid, number), status=status, fills=fills),
        symbol=symbol,
        side="buy",
        type="market",
        quantity=dec("0.5"),
        created_at=NOW - HOUR,
    )


def journaled(number: int, status: OrderStatus, filled: str = "0", *trades: str, uid: str = RSI) -> JournaledOrder:
    return JournaledOrder(
        client_order_id=client_order_id(uid, number),
        symbol="BTC/USDT",
        side="buy",
        quantity=dec("0.5"),
        standing=Standing(status=status, filled=dec(filled), fills=trades),
    )


def foreign(status: OrderStatus, filled: str = "0", *, name: str = "web_1", at: int = NOW - HOUR) -> ListedOrder:
    return ListedOrder(
        client_order_id=name,
        venue_order_id="77",
        symbol="BTC/USDT",
        side="sell",
        type="limit",
        quantity=dec("0.2"),
        price=dec("60000"),
        standing=Standing(status=status, filled=dec(filled)),
        created_at=at,
    )


def money(comparison: Comparison) -> dict[str, Sides]:
    return {line.currency: (line.books, line.venue, line.difference, line.differs) for line in comparison.currencies}


def sides(books: str, venue: str, difference: str, *, differs: bool = False) -> Sides:
    return dec(books), dec(venue), dec(difference), differs


def only(comparison: Comparison) -> OrderLine:
    (line,) = comparison.orders
    return line


# balances


def test_books_and_account_that_are_equal_agree() -> None:
    found = compare([books(cash="900", holding="0.5")], [], venue(USDT="900", BTC="0.5"))
    assert money(found) == {"BTC": sides("0.5", "0.5", "0"), "USDT": sides("900", "900", "0")}
    assert found.differing == []


def test_more_than_the_books_is_its_owners_and_no_difference() -> None:
    found = compare([books(cash="900", holding="0.5")], [], venue(USDT="1000", BTC="0.7"))
    assert money(found) == {"BTC": sides("0.5", "0.7", "0.2"), "USDT": sides("900", "1000", "100")}


def test_less_than_the_books_by_the_last_unit_differs() -> None:
    found = compare([books(cash="900", holding="0.5")], [], venue(USDT="900", BTC="0.49999999"))
    assert money(found)["BTC"] == sides("0.5", "0.49999999", "-0.00000001", differs=True)
    assert [line.subject for line in found.differing] == ["BTC"]


def test_what_open_orders_lock_is_there_as_well() -> None:
    (btc, _) = compare([books(holding="0.5")], [], venue(BTC=("0.1", "0.4"))).currencies
    assert (btc.venue, btc.locked, btc.differs) == (dec("0.5"), dec("0.4"), False)


def test_a_currency_that_the_account_has_none_of_is_missing_whole() -> None:
    found = compare([books(holding="0.5")], [], venue(USDT="1"))
    assert money(found)["BTC"] == sides("0.5", "0", "-0.5", differs=True)


def test_two_bots_that_share_a_currency_have_it_together() -> None:
    """Each alone would fit into 1,000 USDT; 600 + 500 do not."""
    both = [books("rsi", cash="600", holding="0.1"), books("macd", cash="500", holding="2", market="ETH/USDT")]
    found = compare(both, [], venue(USDT="1000", BTC="0.1", ETH="2"))
    assert money(found)["USDT"] == sides("1100", "1000", "-100", differs=True)
    assert {line.currency: dict(line.bots) for line in found.currencies} == {
        "BTC": {"rsi": dec("0.1")},
        "ETH": {"macd": 2},
        "USDT": {"rsi": 600, "macd": 500},
    }


def test_a_coin_may_be_one_bots_base_and_anothers_quote() -> None:
    both = [books("rsi", holding="0.3"), books("macd", cash="0.2", market="ETH/BTC")]
    assert money(compare(both, [], venue(BTC="0.5")))["BTC"] == sides("0.5", "0.5", "0")


def test_who_has_nothing_of_a_currency_is_not_named_there() -> None:
    found = compare([books("rsi", cash="5"), books("macd", holding="1")], [], venue())
    assert [(line.currency, list(line.bots)) for line in found.currencies] == [("BTC", ["macd"]), ("USDT", ["rsi"])]


def test_the_currencies_that_nobody_trades_come_last_and_are_their_owners() -> None:
    found = compare([books(cash="10")], [], venue(USDT="10", ADA="5"))
    assert [line.currency for line in found.currencies] == ["BTC", "USDT", "ADA"]
    assert money(found)["ADA"] == sides("0", "5", "5")


def test_sums_of_large_amounts_stay_exact() -> None:
    """As of Decimal's 28 digits, the last unit of 18 decimals would be lost beyond 10,000,000,000."""
    large = "12345678901234567890.000000000000000001"
    found = compare([books(cash=large)], [], venue(USDT=(large, "0.000000000000000001")))
    assert money(found)["USDT"][2] == dec("0.000000000000000001")


def test_a_fee_in_a_third_coin_leaves_both_sides_equal() -> None:
    """Bought 0.5 BTC for 20,000 of 30,000 USDT; the fee of 0.04 BNB came from the owner's 1 BNB."""
    bought = fill("0.5", "40000", fee="0.04", currency="BNB")
    book = book_entry(Book(cash=dec(30_000)), intent(), bought, instrument(), signal_close=dec(40_000))
    found = compare(
        [books(cash=str(book.cash), holding=str(book.holding))], [], venue(USDT="10000", BTC="0.5", BNB="0.96")
    )
    assert money(found) == {
        "BTC": sides("0.5", "0.5", "0"),
        "USDT": sides("10000", "10000", "0"),
        "BNB": sides("0", "0.96", "0.96"),
    }


def test_fees_taken_from_a_coin_that_a_bot_holds_are_missing_there() -> None:
    holder = books("macd", holding="1", market="BNB/USDT")
    assert money(compare([books(), holder], [], venue(BNB="0.96")))["BNB"] == sides("1", "0.96", "-0.04", differs=True)


# the books of a row


def live_row(book: Book, **changes: Any) -> BotRow:
    raw = raw_config("rsi", **LIVE)
    fields: dict[str, Any] = {
        "bot_id": "rsi",
        "uid": RSI,
        "owner_id": "local",
        "version": 1,
        "enabled": True,
        "desired_paused": False,
        "config": raw,
        "status": "running",
        "carried": Carried(config=parse_config(raw), instrument=instrument(), book=book, ordered_at=7),
    }
    return BotRow.model_validate(fields | changes)


def test_dust_is_held_like_a_position() -> None:
    book, _ = close_position(
        Book(cash=dec(900), position=position(quantity="0.00000900", cost="0.36")), exit_time=1, exit_reason="test"
    )
    found = live_books(live_row(book))
    assert found == (
        AccountRef(venue=VenueRef(name="binance"), credentials="main"),
        books(cash="900", holding="0.000009", ordered_at=7),
    )


def test_the_capital_of_a_stopped_bot_is_free_and_what_it_holds_is_not() -> None:
    stopped = live_row(Book(cash=dec(900), dust=Holding(quantity=dec(2))), enabled=False, status="stopped")
    found = live_books(stopped)
    assert found is not None
    assert (found[1].cash, found[1].holding) == (dec(0), dec(2))


def test_a_bot_that_is_still_stopping_has_its_capital() -> None:
    found = live_books(live_row(Book(cash=dec(900)), enabled=False, status="stopping"))
    assert found is not None
    assert found[1].cash == 900


@pytest.mark.parametrize(
    "carried",
    [
        pytest.param(None, id="never-started"),
        pytest.param(Carried(), id="no-valid-version-yet"),
        pytest.param(Carried(config=parse_config(raw_config("rsi")), instrument=instrument()), id="books-of-paper"),
    ],
)
def test_without_live_books_there_is_nothing_to_compare(carried: Carried | None) -> None:
    assert live_books(live_row(Book(cash=dec(1)), carried=carried)) is None


def test_what_a_bot_waits_for_a_person_with_comes_from_its_row() -> None:
    wanted = intent(number=4)
    decision = Decision(
        action="enter",
        key=wanted.decision_key,
        reason=wanted.reason,
        price=wanted.reference_price,
        candle_time=wanted.candle_time,
        decided_at=wanted.decided_at,
        config_version=1,
    )
    order = InFlight(intent=wanted, decision=decision)
    row = live_row(Book(cash=dec(1)))
    assert row.carried is not None
    carried = row.carried.model_copy(update={"unknown": order, "difference": "holds less"})
    found = live_books(row.model_copy(update={"carried": carried}))
    assert found is not None
    assert (found[1].unknown, found[1].difference) == ("s00000000000000004", "holds less")


def test_what_waits_for_a_person_is_asked() -> None:
    found = compare([books(difference="holds less"), books("macd", unknown="s1")], [], venue())
    assert [(question.bot_id, question.text) for question in found.questions] == [
        ("rsi", "holds less"),
        ("macd", "order s1: only a person can tell whether the venue has it"),
    ]


# orders


def test_an_order_that_stands_alike_agrees() -> None:
    both = fill("0.2", "40000", trade=1), fill("0.3", "40010", trade=2)
    line = only(compare([books()], [journaled(1, "filled", "0.5", "1", "2")], venue([own_order(1, "filled", *both)])))
    assert (line.bot_id, line.verdict, line.detail, line.differs) == ("rsi", "agrees", "", False)


def test_an_order_that_the_journal_lacks_differs() -> None:
    line = only(compare([books()], [], venue([own_order(9, "filled", fill("0.5", "40000"))])))
    assert (line.bot_id, line.verdict, line.differs) == ("rsi", "not_in_journal", True)
    assert (line.journal, line.venue) == (None, Standing(status="filled", filled=dec("0.5"), fills=("1",)))


def test_an_own_order_that_rests_unknown_differs() -> None:
    assert only(compare([books()], [], venue([own_order(9, "open")]))).verdict == "not_in_journal"


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        pytest.param(journaled(1, "open"), "fills not in the journal: 1", id="journal-behind"),
        pytest.param(journaled(1, "cancelled", "0.5", "1"), "", id="status"),
        pytest.param(journaled(1, "filled", "0.4", "1"), "", id="quantity"),
        pytest.param(
            journaled(1, "filled", "0.5", "5"), "fills not in the journal: 1; fills not at the venue: 5", id="trades"
        ),
    ],
)
def test_an_order_that_stands_differently_says_in_what(known: JournaledOrder, detail: str) -> None:
    line = only(compare([books()], [known], venue([own_order(1, "filled", fill("0.5", "40000"))])))
    assert (line.verdict, line.detail, line.differs) == ("stands_differently", detail, True)


def test_a_persons_finding_needs_no_trade_ids() -> None:
    known = journaled(1, "filled", "0.5", f"{client_order_id(RSI, 1)}-person")
    line = only(compare([books()], [known], venue([own_order(1, "filled", fill("0.5", "40000"))])))
    assert line.verdict == "agrees"


def test_an_order_that_the_journal_believes_to_rest_and_the_venue_does_not_list_differs() -> None:
    line = only(compare([books()], [journaled(1, "open")], venue()))
    assert (line.bot_id, line.verdict, line.venue, line.differs) == ("rsi", "not_at_venue", None, True)


def test_an_order_that_has_ended_need_not_be_listed_any_more() -> None:
    assert compare([books()], [journaled(1, "filled", "0.5", "1")], venue()).orders == ()


def test_each_order_is_its_own_bots() -> None:
    both = [own_order(1, "open"), own_order(1, "open", uid=MACD)]
    known = [journaled(1, "open"), journaled(1, "open", uid=MACD)]
    found = compare([books(), books("macd")], known, venue(both))
    assert [(line.bot_id, line.verdict) for line in found.orders] == [("rsi", "agrees"), ("macd", "agrees")]


def test_a_foreign_order_is_reported_and_no_difference() -> None:
    line = only(compare([books()], [], venue([], [foreign("open")])))
    assert (line.bot_id, line.client_order_id, line.verdict, line.differs) == (None, "web_1", "foreign_order", False)


def test_a_manual_trade_of_the_last_day_is_reported_and_no_difference() -> None:
    line = only(compare([books()], [], venue([], [foreign("filled", "0.2", at=NOW - DAY)])))
    assert (line.bot_id, line.verdict, line.differs) == (None, "foreign_trade", False)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(foreign("filled", "0.2", at=NOW - DAY - 1), id="older-than-a-day"),
        pytest.param(foreign("cancelled"), id="nothing-traded"),
    ],
)
def test_what_others_have_done_with_before_is_left_out(order: ListedOrder) -> None:
    assert compare([books()], [], venue([], [order])).orders == ()


def test_a_foreign_order_that_rests_is_reported_however_old() -> None:
    assert only(compare([books()], [], venue([], [foreign("open", at=1)]))).verdict == "foreign_order"


def test_an_order_of_a_bot_that_is_gone_is_nobodys_manual_trade() -> None:
    """Its uid belongs to no bot any more, but the journal has the order."""
    name = client_order_id("gone", 1)
    known = journaled(1, "open", uid="gone")
    assert compare([books()], [known], venue([], [foreign("filled", "0.2", name=name)])).orders == ()


# looking twice, and at one bot


def test_only_what_differs_in_both_looks_differs() -> None:
    """An order that was under way at each look, but never the same; and BTC that is missing both times."""
    first = compare([books(holding="1", cash="1")], [], venue([own_order(1, "filled")], BTC="0.9"))
    second = compare([books(holding="1", cash="1")], [], venue([own_order(2, "filled")], BTC="0.9", USDT="1"))
    assert [line.subject for line in first.differing] == ["BTC", "USDT", client_order_id(RSI, 1)]
    assert [line.subject for line in second.differing] == ["BTC", client_order_id(RSI, 2)]
    found = lasting(first, second)
    assert [line.subject for line in found.differing] == ["BTC"]
    assert [line.venue for line in found.orders] == [line.venue for line in second.orders]


def test_one_bot_is_shown_its_currencies_its_orders_and_those_of_nobody_in_its_market() -> None:
    rsi, macd = books(holding="0.5", cash="600"), books("macd", cash="500", market="ETH/USDT", difference="less")
    orders = [own_order(1, "open"), own_order(1, "open", uid=MACD, symbol="ETH/USDT")]
    elsewhere = foreign("open").model_copy(update={"symbol": "ETH/USDT", "client_order_id": "web_2"})
    whole = compare([rsi, macd], [], venue(orders, [foreign("open"), elsewhere], USDT="1000", BTC="0.5", ADA="3"))
    found = of_bot(whole, rsi)
    assert money(found) == {"BTC": sides("0.5", "0.5", "0"), "USDT": sides("1100", "1000", "-100", differs=True)}
    assert [line.client_order_id for line in found.orders] == [client_order_id(RSI, 1), "web_1"]
    assert found.questions == ()


@pytest.mark.parametrize(
    ("ordered", "start"),
    [
        pytest.param([], NOW - DAY, id="no-bot"),
        pytest.param([0], NOW - DAY, id="never"),
        pytest.param([NOW - HOUR, 0], NOW - DAY, id="an-hour-ago"),
        pytest.param([NOW - HOUR, NOW - 3 * DAY], NOW - 3 * DAY - MINUTE, id="three-days-ago"),
        pytest.param([NOW - 30 * DAY], NOW - 7 * DAY, id="a-month-ago"),
    ],
)
def test_orders_are_compared_for_a_day_or_since_the_last_known_one_for_a_week_at_most(
    ordered: list[int], start: int
) -> None:
    assert window_start([books(ordered_at=at) for at in ordered], NOW) == start
