"""Whole numbers and decimals give the same purchases, prices, fees and sales, to the last digit."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.books import Ledger
from backtest.history import NotTestable
from backtest.units import Units, as_decimal, as_reference, divided, read_reference
from domain.model import exact
from domain.paper import fee_of, paper_terms, taker_price
from domain.positions import Book, Holding, sellable_quantity
from risk.limits import Refusal, sized_entry
from tests.domain.builders import config, costs, dec, instrument, position

MONEY = st.decimals("0.01", "100000", places=8)
PRICES = st.one_of(st.decimals("0.0001", "0.1", places=10), st.decimals("1", "90000", places=2))
RATES = st.sampled_from(["0", "0.001", "0.00075", "0.0333333333333"])
MARKETS = st.builds(
    instrument,
    lot=st.sampled_from(["0.00001", "0.000000001", "0.1", "1", "0.003"]),
    tick=st.sampled_from(["0.01", "0.0000000001", "0.05", "0.000000000007"]),
    least=st.sampled_from(["0", "0.0001", "2.00005"]),
    most=st.sampled_from([None, "1.5", "20.00003"]),
    notional=st.sampled_from(["0", "5", "10.00000001"]),
)
BOTS = st.builds(
    lambda fee, slippage, currency, size, cap, stop: config(
        broker__paper_trading_config=costs(fee=fee, slippage=slippage, currency=currency),
        trading__position_size=size,
        **({} if cap is None else {"risk_management__max_position_size": cap}),
        **({} if stop is None else {"risk_management__stop_loss_pct": stop}),
    ),
    RATES,
    st.sampled_from(["0", "0.05", "1.234567"]),
    st.sampled_from(["received", "quote"]),
    st.sampled_from([0.1, 1, "0.333333333333333333"]),
    st.sampled_from([None, 25.5, 1000]),
    st.sampled_from([None, 3, "12.345"]),
)


@settings(max_examples=400, deadline=None)
@given(BOTS, MARKETS, PRICES, MONEY, st.tuples(st.decimals("0", "3", places=8), st.booleans()))
@exact()
def test_an_entry_buys_what_a_live_bot_buys_or_nothing_where_that_is_refused(
    bot: Any, market: Any, price: Decimal, cash: Decimal, held_inside: tuple[Decimal, bool]
) -> None:
    held, inside = held_inside
    cost = held * 7
    holding = (
        {"position": position(quantity=str(held), cost=str(cost))}
        if inside
        else {"dust": Holding(quantity=held, cost=cost)}
    )
    live = sized_entry(bot, Book(cash=cash, **holding), market, price)
    units = Units(bot, market)
    digits = units.digits
    scaled = {"cash": int(cash.scaleb(18)), "held_cost": int(cost.scaleb(18)), "holding": int(held.scaleb(digits))}
    ours = units.purchase(**scaled, reference=as_reference(price))
    if isinstance(live, Refusal):
        assert ours is None
        return
    assert ours is not None
    terms = paper_terms(bot)
    paid = taker_price(price, terms, tick=market.tick_size, side="buy")
    fee, in_base = fee_of(live, paid, terms, side="buy")
    assert as_decimal(ours.units, digits) == live
    assert ours.ticks * market.tick_size == paid
    assert (as_decimal(ours.fee, digits if in_base else 18), units.fee_in_base) == (fee, in_base)


@settings(max_examples=300, deadline=None)
@given(BOTS, MARKETS, PRICES, st.decimals("0", "50", places=8))
@exact()
def test_a_sale_gets_what_a_live_one_gets(bot: Any, market: Any, price: Decimal, held: Decimal) -> None:
    units, terms = Units(bot, market), paper_terms(bot)
    got = taker_price(price, terms, tick=market.tick_size, side="sell")
    ticks = units.sells_at(as_reference(price))
    assert ticks * market.tick_size == got
    book = Book(cash=dec(0), position=position(quantity=str(held), cost="1"))
    sellable = sellable_quantity(book, market, got)
    ours = units.sellable(int(held.scaleb(units.digits)), ticks)
    assert as_decimal(ours, units.digits) == sellable
    fee, _ = fee_of(sellable, got, terms, side="sell")
    assert as_decimal(units.fee_of_sale(ticks, ours), 18) == fee


def test_a_fee_that_is_rounded_up_never_makes_an_entry_cost_more_than_its_budget() -> None:
    # 0.333 at 3 cost 0.999, and 0.0000000999 of fee are booked as 0.0000001: with the budget a unit less, a lot less.
    bot = config(
        broker__paper_trading_config=costs(fee="0.0000001", slippage="0", currency="quote"), trading__position_size=1
    )
    market = instrument(lot="0.001", notional="0")
    for cash, bought in (("0.9990001", "0.333"), ("0.99900009995", "0.332")):
        purchase = Ledger(dec(cash), Units(bot, market)).affordable(as_reference(dec(3)))
        assert purchase is not None
        assert as_decimal(purchase.units, 8) == dec(bought)


@pytest.mark.parametrize(
    ("number", "divisor", "quotient"), [(7, 2, 4), (5, 2, 2), (3, 2, 2), (1, 3, 0), (2, 3, 1), (9, 3, 3)]
)
def test_division_rounds_to_the_nearest_and_ties_to_even(number: int, divisor: int, quotient: int) -> None:
    assert divided(number, divisor) == quotient


@given(st.floats(1e-9, 1e12))
def test_a_candles_price_is_the_shortest_decimal_that_reads_as_it(price: float) -> None:
    assert read_reference(price) == int(Decimal(repr(price)) * 10**30)


def test_a_market_without_steps_cannot_be_tested() -> None:
    with pytest.raises(NotTestable, match="BTC/USDT must have a tick and a lot step above 0"):
        Units(config(), instrument(tick="0"))
