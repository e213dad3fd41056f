"""The level book against a plain list."""

from decimal import Decimal

from hypothesis import given, strategies

from domain.decisions import ExitLevels
from market.levels import Crossing, LevelBook, crossing

prices = strategies.integers(1, 12).map(Decimal)
maybe = strategies.none() | prices
owners = strategies.integers(1, 6)
actions = strategies.lists(
    strategies.tuples(
        owners,
        strategies.none()
        | strategies.builds(ExitLevels, stop=maybe, target=maybe, last_stop=maybe, limit_buy=maybe, limit_sell=maybe),
    )
)


@given(actions, prices)
def test_the_book_finds_whom_a_search_of_all_levels_finds(
    history: list[tuple[int, ExitLevels | None]], price: Decimal
) -> None:
    book, plain = LevelBook(), dict[int, ExitLevels]()
    for owner, levels in history:
        if levels is None:
            book.discard(owner)
            plain.pop(owner, None)
        else:
            book.put(owner, levels)
            plain[owner] = levels
    expected = {
        owner
        for owner, each in plain.items()
        if any(level is not None and price <= level for level in (each.stop, each.last_stop, each.limit_buy))
        or any(level is not None and price >= level for level in (each.target, each.limit_sell))
    }
    found = book.crossed(price)
    assert set(found) == expected
    assert len(found) == len(expected), "each once"
    assert len(book) == sum(levels != ExitLevels() for levels in plain.values())


def test_whoever_has_the_nearest_stop_is_told_first() -> None:
    book = LevelBook()
    for owner, stop in ((1, 90), (2, 95), (3, 80)):
        book.put(owner, ExitLevels(stop=Decimal(stop)))
    assert book.crossed(Decimal(85)) == [2, 1]


def test_at_the_same_level_the_stop_goes_before_the_last_stop() -> None:
    levels = ExitLevels(stop=Decimal(90), last_stop=Decimal(90))
    assert crossing(levels, Decimal(90)) == Crossing("stop", Decimal(90))


def test_of_a_stop_and_an_offer_to_buy_a_falling_price_has_reached_the_higher_first() -> None:
    levels = ExitLevels(stop=Decimal(90), limit_buy=Decimal(95))
    assert crossing(levels, Decimal(89)) == Crossing("limit_buy", Decimal(95))
    assert crossing(ExitLevels(stop=Decimal(96), limit_buy=Decimal(95)), Decimal(89)) == Crossing("stop", Decimal(96))


def test_of_a_target_and_an_offer_to_sell_a_rising_price_has_reached_the_lower_first() -> None:
    levels = ExitLevels(target=Decimal(110), limit_sell=Decimal(105))
    assert crossing(levels, Decimal(120)) == Crossing("limit_sell", Decimal(105))
    assert crossing(levels, Decimal(104)) is None
