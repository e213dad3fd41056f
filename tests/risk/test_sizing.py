"""How much an entry buys: never more than its budget, and never a lot less."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.orders import OrderRequest
from domain.paper import FEE_STEP, fee_of, paper_report, paper_terms, taker_price
from domain.positions import Book, Holding
from risk.sizing import entry_budget, entry_quantity
from tests.domain.builders import config, costs, dec, instrument, intent, position


def book(cash: str, **fields: Any) -> Book:
    return Book(cash=dec(cash), **fields)


@pytest.mark.parametrize(
    ("size", "cash", "price", "quantity"),
    [
        pytest.param(0.1, "1000", "100", "0.99950", id="100-at-100.05-is-0.99950024"),
        pytest.param(1, "1000", "100", "9.99500", id="all-of-it"),
        pytest.param(0.1, "0", "100", "0", id="no-cash"),
        pytest.param(0.1, "1", "100000", "0", id="less-than-one-lot"),
        pytest.param(1, "1.0005", "100000", "0.00001", id="one-lot-costs-1.0005-at-100050"),
        pytest.param(1, "1.0004", "100000", "0", id="just-less-than-one-lot"),
    ],
)
def test_the_budget_buys_whole_lots_at_the_price_after_slippage(
    size: float, cash: str, price: str, quantity: str
) -> None:
    bought = entry_quantity(config(trading__position_size=size), book(cash), instrument(lot="0.00001"), dec(price))
    assert bought == dec(quantity)


def test_a_fee_in_quote_is_part_of_the_budget() -> None:
    """100 / (100.05 × 1.001) = 0.99850173…"""
    settings_ = config(broker__paper_trading_config=costs(currency="quote"))
    assert entry_quantity(settings_, book("1000"), instrument(), dec(100)) == dec("0.99850")


def test_the_position_size_of_the_trading_section_wins() -> None:
    assert entry_budget(config(), book("1000")) == 100
    assert entry_budget(config(trading__position_size=0.3), book("1000")) == 300
    parameters = config().strategy.parameters.model_dump() | {"position_size": 0.7}
    assert entry_budget(config(strategy__parameters=parameters), book("1000")) == 700
    assert entry_budget(config(strategy__parameters=parameters, trading__position_size=1), book("1000")) == 1000


@pytest.mark.parametrize(
    ("held", "budget"),
    [
        pytest.param({}, 150, id="flat"),
        pytest.param({"dust": Holding(quantity=dec(1), cost=dec(4))}, 146, id="dust-counts"),
        pytest.param({"position": position(cost="120")}, 30, id="an-open-position-counts"),
        pytest.param({"position": position(cost="150")}, 0, id="at-the-cap"),
        pytest.param({"position": position(cost="151")}, 0, id="beyond-the-cap"),
    ],
)
def test_the_cap_on_the_position_leaves_what_is_not_held(held: dict[str, Any], budget: int) -> None:
    capped = config(trading__position_size=0.5, risk_management__max_position_size=150)
    assert entry_budget(capped, book("1000", **held)) == budget


def test_a_cap_above_the_budget_changes_nothing() -> None:
    assert entry_budget(config(risk_management__max_position_size=1000), book("1000")) == 100


def test_no_entry_exceeds_the_largest_order() -> None:
    assert entry_quantity(config(), book("1000000"), instrument(most="2.5"), dec(100)) == dec("2.5")


def test_a_fee_that_is_rounded_up_does_not_break_the_budget() -> None:
    """A lot of 0.333 @ 3 costs 0.999; its fee, 1.998e-7, is booked as 2.0e-7, which 0.9990001998 does not cover."""
    settings_ = config(
        broker__cash=1,
        broker__paper_trading_config=costs(fee="0.0000002", slippage="0", currency="quote"),
        trading__position_size=1,
    )
    market = instrument(lot="0.333", notional="0")
    assert entry_quantity(settings_, book("0.9990001998"), market, dec(3)) == 0
    assert entry_quantity(settings_, book("0.9990002"), market, dec(3)) == dec("0.333")


shares = st.decimals("0.01", 1, places=4)


@settings(max_examples=300, deadline=None)
@given(
    share=shares,
    cash=st.decimals(0, 10**9, places=18),
    price=st.decimals("0.000001", 10**7, places=8),
    fee=st.decimals(0, "0.02", places=5),
    slippage=st.decimals(0, 2, places=3),
    currency=st.sampled_from(["received", "quote"]),
    lot=st.sampled_from(["0.00001", "1", "0.1", "0.00000001", "7"]),
    cap=st.none() | st.decimals(1, 10**7, places=2),
)
def test_the_budget_is_never_exceeded_and_one_lot_more_would(
    *,
    share: Decimal,
    cash: Decimal,
    price: Decimal,
    fee: Decimal,
    slippage: Decimal,
    currency: str,
    lot: str,
    cap: Decimal | None,
) -> None:
    settings_ = config(
        trading__position_size=str(share),
        broker__paper_trading_config=costs(fee=str(fee), slippage=str(slippage), currency=currency),
        risk_management__max_position_size=None if cap is None else str(cap),
    )
    market = instrument(lot=lot, tick="0.00000001", notional="0")
    own, terms = book(str(cash)), paper_terms(settings_)
    quantity = entry_quantity(settings_, own, market, price)
    paid = taker_price(price, terms, tick=market.tick_size, side="buy")

    def cost(wanted: Decimal) -> Fraction:
        amount, in_base = fee_of(wanted, paid, terms, side="buy")
        return Fraction(wanted) * Fraction(paid) + (0 if in_base else Fraction(amount))

    budget = Fraction(share) * Fraction(cash)
    budget = budget if cap is None else min(budget, Fraction(cap))
    assert quantity % market.lot_step == 0
    assert cost(quantity) <= budget
    least_step = max(
        market.lot_step, FEE_STEP / paid
    )  # of what costs less than the last digit of a fee, it may be more
    assert cost(quantity + least_step) > budget
    request = OrderRequest(
        bot_id="bot",
        intent=intent(quantity=str(quantity), price=str(price)),
        instrument=market,
        paper=terms,
        cash=own.cash,
        holding=dec(0),
    )
    assert paper_report(request).status == ("filled" if quantity else "rejected")
