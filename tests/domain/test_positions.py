"""The books of a bot, worked out by hand."""

from decimal import Decimal

import pytest

from domain.positions import Book, BookError, Holding, book_entry, book_exit, close_position, sellable_quantity
from tests.domain.builders import dec, fill, instrument, intent, position

BTC = instrument()
ONE = dec(1)


def bought(book: Book, quantity: str, price: str, *, number: int = 1, **fee: str) -> Book:
    return book_entry(book, intent(number=number), fill(quantity, price, **fee), BTC, signal_close=ONE)  # type: ignore[arg-type]


def sold(book: Book, quantity: str, price: str, *, number: int = 9, **fee: str) -> Book:
    return book_exit(book, intent(side="sell", number=number), fill(quantity, price, **fee), BTC)  # type: ignore[arg-type]


def test_three_units_at_1_1_and_2_sold_at_2_earn_exactly_2() -> None:
    book = Book(cash=dec(10))
    for number, price in enumerate(["1", "1", "2"], start=1):
        book = bought(book, "1", price, number=number)
    assert book.position is not None
    assert book.position.entries == 3
    book, trade = close_position(sold(book, "3", "2"), exit_time=5, exit_reason="test")
    assert (trade.gross_pnl, trade.net_pnl, trade.commission) == (dec(2), dec(2), dec(0))
    assert (book.cash, book.position, book.dust) == (dec(12), None, Holding())


def test_a_fee_in_base_leaves_the_quantity_at_the_price_of_the_fill_and_is_booked_once() -> None:
    """1 @ 100, fee 0.001 base: 0.999 held at a cost of 99.9, commission 0.1, cash 100 less."""
    book = bought(Book(cash=dec(1000)), "1", "100", fee="0.001", currency="BTC")
    assert book.position is not None
    assert (book.cash, book.position.qty_open, book.position.cost) == (dec(900), dec("0.999"), dec("99.9"))
    assert (book.position.commission, book.position.avg_price) == (dec("0.1"), dec(100))


def test_a_fee_in_quote_is_paid_from_the_cash_and_is_no_cost() -> None:
    book = bought(Book(cash=dec(1000)), "1", "100", fee="0.1", currency="USDT")
    assert book.position is not None
    assert (book.cash, book.position.qty_open, book.position.cost) == (dec("899.9"), dec(1), dec(100))
    assert book.position.commission == dec("0.1")


def test_a_round_trip_with_both_fees() -> None:
    """Buy 1 @ 100 with 0.001 BTC, sell 0.999 @ 110 with 0.10989 USDT: 109.89 - 99.9 - 0.1 - 0.10989 = 9.78011."""
    book = bought(Book(cash=dec(1000)), "1", "100", fee="0.001", currency="BTC")
    book, trade = close_position(sold(book, "0.999", "110", fee="0.10989"), exit_time=9_000, exit_reason="take_profit")
    assert (trade.entry_price, trade.entry_value) == (dec(100), dec("99.9"))
    assert (trade.exit_price, trade.exit_value, trade.size) == (dec(110), dec("109.89"), dec("0.999"))
    assert (trade.gross_pnl, trade.commission, trade.net_pnl) == (dec("9.99"), dec("0.20989"), dec("9.78011"))
    assert trade.pnl_percentage == dec("9.78011") / dec("99.9") * 100
    assert book.cash == 1000 + trade.net_pnl
    assert (trade.entry_time, trade.exit_time, trade.exit_reason) == (1_000, 9_000, "take_profit")


def test_a_fee_in_a_third_coin_is_commission_at_its_value_and_leaves_the_cash_alone() -> None:
    """Buy 1 @ 100 and sell it @ 110, 0.0002 BNB each time, worth 0.12 and 0.13: 10 − 0.25 = 9.75 are left of 10."""
    paid = fill("1", "100", fee="0.0002", currency="BNB").model_copy(update={"fee_value": dec("0.12")})
    got = fill("1", "110", fee="0.0002", currency="BNB").model_copy(update={"fee_value": dec("0.13")})
    book = book_entry(Book(cash=dec(1000)), intent(), paid, BTC, signal_close=ONE)
    book = book_exit(book, intent(side="sell", number=9), got, BTC)
    book, trade = close_position(book, exit_time=9_000, exit_reason="test")
    assert (trade.gross_pnl, trade.commission, trade.net_pnl) == (dec(10), dec("0.25"), dec("9.75"))
    assert (book.cash, book.dust) == (dec(1010), Holding())


def test_a_reduction_releases_cost_in_proportion_and_the_last_one_what_remains() -> None:
    """3 units for 10: one unit costs 3.333…, which no decimal holds; the three releases are 10 all the same."""
    book = bought(Book(cash=dec(10)), "2", "3", number=1)
    book = bought(book, "1", "4", number=2)
    costs = []
    for number in (3, 4, 5):
        before = book.position.cost if book.position else dec(0)
        book = sold(book, "1", "5", number=number)
        assert book.position is not None
        costs.append(before - book.position.cost)
    assert costs == [dec("3.333333333333333333"), dec("3.333333333333333334"), dec("3.333333333333333333")]
    book, trade = close_position(book, exit_time=5, exit_reason="test")
    assert (trade.gross_pnl, trade.entry_value, book.cash) == (dec(5), dec(10), dec(15))


def test_reducing_more_than_is_open_is_an_error() -> None:
    book = bought(Book(cash=dec(100)), "1", "10")
    with pytest.raises(BookError, match=r"sold 1\.00001 BTC of BTC/USDT, but 1 is open"):
        sold(book, "1.00001", "10")


def test_selling_without_a_position_is_an_error() -> None:
    with pytest.raises(BookError, match="but 0 is open"):
        sold(Book(cash=dec(1), dust=Holding(quantity=dec(5), cost=dec(5))), "1", "10")


def test_closing_without_a_position_is_an_error() -> None:
    with pytest.raises(BookError, match="no position"):
        close_position(Book(cash=dec(1)), exit_time=0, exit_reason="test")


def test_dust_keeps_its_cost_and_is_the_first_part_of_the_next_position() -> None:
    book = bought(Book(cash=dec(1000)), "1.000009", "100")
    book, trade = close_position(sold(book, "1", "100"), exit_time=5, exit_reason="test")
    assert book.dust == Holding(quantity=dec("0.000009"), cost=dec("0.0009"))
    assert (trade.size, trade.gross_pnl) == (dec(1), dec(0))
    book = bought(book, "1", "200", number=2)
    assert book.position is not None
    assert (book.position.qty_open, book.position.cost) == (dec("1.000009"), dec("200.0009"))
    assert book.dust == Holding()


def test_an_order_filled_in_parts_is_one_entry() -> None:
    book = Book(cash=dec(1000))
    for trade, (quantity, price) in enumerate([("0.4", "100"), ("0.6", "101")], start=1):
        part = fill(quantity, price, trade=trade, at=trade)
        book = book_entry(book, intent(), part, BTC, signal_close=dec(99))
    assert book.position is not None
    assert (book.position.entries, len(book.position.orders)) == (1, 1)
    assert (book.position.qty_open, book.position.cost) == (dec(1), dec("100.6"))
    assert (book.position.opened_at, book.position.entered_at) == (1, 2)


def test_an_exit_in_legs_is_one_trade_with_all_orders() -> None:
    book = bought(Book(cash=dec(1000)), "3", "100")
    book = sold(book, "1", "110", number=2)
    book = sold(book, "1.5", "100", number=3)
    book = sold(book, "0.5", "90", number=3)
    book, trade = close_position(book, exit_time=5, exit_reason="test")
    assert trade.gross_pnl == 10 + 0 - 5
    assert trade.orders == tuple(f"s{number:017d}" for number in (1, 2, 3))
    assert trade.exit_price == dec("101.666666666666666667")


def test_a_position_of_which_nothing_could_be_sold_closes_without_a_price() -> None:
    book = bought(Book(cash=dec(1000)), "1", "100", fee="0.1")
    book, trade = close_position(book, exit_time=5, exit_reason="stop_loss")
    assert (trade.size, trade.entry_price, trade.exit_price, trade.net_pnl) == (dec(0), dec(0), dec(0), dec("-0.1"))
    assert trade.pnl_percentage == 0
    assert book.dust == Holding(quantity=dec(1), cost=dec(100))


@pytest.mark.parametrize(
    ("held", "price", "expected"),
    [
        pytest.param("0.123456", "100", "0.12345", id="whole-lots"),
        pytest.param("0.05", "100", "0.05", id="at-the-least-notional"),
        pytest.param("0.05", "99.99", "0", id="below-the-least-notional"),
        pytest.param("0.000009", "1000000000", "0", id="below-one-lot"),
    ],
)
def test_what_can_be_sold(held: str, price: str, expected: str) -> None:
    book = Book(cash=dec(0), position=position(quantity=held))
    assert sellable_quantity(book, BTC, dec(price)) == dec(expected)


def test_dust_of_an_earlier_position_cannot_be_sold() -> None:
    book = Book(cash=dec(0), dust=Holding(quantity=dec(1), cost=dec(1)))
    assert sellable_quantity(book, BTC, dec(100)) == 0
    assert book.holding == 1


def test_no_leg_exceeds_what_one_order_may_be() -> None:
    book = Book(cash=dec(0), position=position(quantity="25"))
    assert sellable_quantity(book, instrument(most="10"), dec(100)) == 10


def test_equity_values_the_holding_at_the_price_or_at_cost() -> None:
    book = Book(cash=dec(50), position=position(quantity="2", cost="100"))
    assert (book.equity(dec(60)), book.equity(None)) == (dec(170), dec(150))
    assert book.position is not None
    assert book.position.unrealized_pnl(dec(60)) == 20
    assert Book(cash=dec(50), dust=Holding(quantity=dec(1), cost=dec(3))).equity(None) == 53


def test_rupiahs_keep_their_last_digit() -> None:
    """Three lots for a cost that needs more than the 28 digits that Decimal keeps by default."""
    book = Book(cash=dec("200000000000"))
    book = bought(book, "70", "1600000000.01")
    book = bought(book, "0.00003", "1600000000.13", number=2)
    assert book.cash == dec("200000000000") - dec("112000000000.7") - dec("48000.0000039")
    book = sold(book, "3.00001", "1700000000", number=3)
    assert book.position is not None
    assert book.position.cost + book.position.released_cost == dec("112000048000.7000039")
    assert len(book.position.cost.as_tuple().digits) > 28
    book = sold(book, "67.00002", "1700000000", number=4)
    book, trade = close_position(book, exit_time=5, exit_reason="test")
    assert trade.entry_value == dec("112000048000.7000039")
    assert book.cash == dec("200000000000") + trade.net_pnl
    assert book.dust.cost == 0


def test_a_billion_coins_at_a_hundred_thousandth() -> None:
    shib = instrument(symbol="SHIB/USDT", lot="1", tick="0.00000001")
    book = book_entry(
        Book(cash=dec(20_000)),
        intent(),
        fill("1234567891", "0.00001001", fee="1234567.89100001", currency="SHIB"),
        shib,
        signal_close=dec("0.00001"),
    )
    assert book.position is not None
    assert book.position.qty_open == dec("1233333323.10899999")
    assert book.cash == dec(20_000) - dec("12358.02458891")
    assert book.position.cost + book.position.commission == dec("12358.02458891")
    quantity = sellable_quantity(book, shib, dec("0.00001"))
    assert quantity == 1233333323
    book = book_exit(book, intent(side="sell", number=2), fill("1233333323", "0.00001"), shib)
    book, trade = close_position(book, exit_time=5, exit_reason="test")
    assert book.dust.quantity == dec("0.10899999")
    assert book.cash + book.dust.cost == dec(20_000) + trade.net_pnl


def test_books_keep_no_more_decimals_than_the_database() -> None:
    """A price of 12 decimals times a quantity of 8: 20 decimals, of which numeric(38,18) would drop two."""
    book = bought(Book(cash=dec(1)), "1.23456789", "0.000000123457")
    assert book.position is not None
    assert book.position.cost == Decimal("0.000000152416047996")
    assert book.cash == 1 - Decimal("0.000000152416047996")
