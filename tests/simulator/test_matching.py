"""Taking from a book, and exact amounts."""

from decimal import Decimal

import pytest

from simulator.exchange import generated_market
from simulator.trading.matching import Offer, cut, offers, take_quantity, take_value, total
from simulator.trading.money import floor_to_eight, text
from simulator.trading.orders import Side

NOW = 1_700_000_000_000
LEVELS = [Offer(Decimal(price), Decimal(quantity)) for price, quantity in (("10", "1"), ("11", "2"), ("12", "3"))]


def plain(taken: list[Offer]) -> list[tuple[str, str]]:
    return [(str(price), str(quantity)) for price, quantity in taken]


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0.5", [("10", "0.5")]),
        ("1", [("10", "1")]),
        ("2.5", [("10", "1"), ("11", "1.5")]),
        ("9", [("10", "1"), ("11", "2"), ("12", "3")]),
    ],
)
def test_a_quantity_is_taken_level_by_level(quantity: str, expected: list[tuple[str, str]]) -> None:
    assert plain(take_quantity(LEVELS, Decimal(quantity))) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # 10 for the first, and 6 more buy 0.545 at 11, in steps of 0.1: 0.5.
        ("16", [("10", "1"), ("11", "0.5")]),
        ("10", [("10", "1")]),
        ("0.9", []),
        # 10 + 22 + 36 are all there is.
        ("100", [("10", "1"), ("11", "2"), ("12", "3")]),
    ],
)
def test_a_value_is_taken_in_steps_of_the_lot(value: str, expected: list[tuple[str, str]]) -> None:
    assert plain(take_value(LEVELS, Decimal(value), Decimal("0.1"))) == expected


def test_what_was_taken_is_cut_into_pieces() -> None:
    pieces = cut([Offer(Decimal(10), Decimal("2.5")), Offer(Decimal(11), Decimal(1))], Decimal(1))
    assert plain(pieces) == [("10", "1"), ("10", "1"), ("10", "0.5"), ("11", "1")]


@pytest.mark.parametrize("side", list(Side))
def test_a_deep_order_meets_every_level_of_the_book_once(side: Side) -> None:
    market = generated_market("BTCUSDT")
    book = market.book(NOW, 600)
    taken = take_quantity(offers(market, side, NOW), Decimal(120))
    prices = book.ask_prices if side is Side.BUY else book.bid_prices
    assert 30 < len(taken) < 600
    assert [int(offer.price * 100) for offer in taken] == prices[: len(taken)]
    assert total(taken) == 120


def test_offers_end_at_the_worst_price() -> None:
    market = generated_market("BTCUSDT")
    book = market.book(NOW, 5)
    third = Decimal(book.bid_prices[2]) / 100
    assert [int(offer.price * 100) for offer in offers(market, Side.SELL, NOW, third)] == book.bid_prices[:3]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1", "1.00000000"),
        ("0.5000", "0.50000000"),
        ("0.00000001", "0.00000001"),
        ("12.1234567891", "12.1234567891"),
        ("1E+3", "1000.00000000"),
        ("0", "0.00000000"),
    ],
)
def test_amounts_have_eight_decimals_or_all_they_need(amount: str, shown: str) -> None:
    assert text(Decimal(amount)) == shown


def test_commissions_are_cut_not_rounded() -> None:
    assert floor_to_eight(Decimal("0.123456789")) == Decimal("0.12345678")
