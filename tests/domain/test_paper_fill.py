"""The rule by which paper orders fill."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instruments import against_taker, floor_to
from domain.orders import OrderReport, OrderRequest, Side
from domain.paper import fee_of, paper_limit_filled, paper_report, taker_price
from tests.domain.builders import dec, instrument, intent, order, terms


def rejection(request: OrderRequest) -> str:
    report = paper_report(request)
    assert (report.status, report.fills, report.final) == ("rejected", (), True)
    return report.reason or ""


@pytest.mark.parametrize(
    ("side", "reference", "slippage", "tick", "expected"),
    [
        pytest.param("buy", "100", "0.05", "0.01", "100.05", id="buy-on-the-tick"),
        pytest.param("sell", "100", "0.05", "0.01", "99.95", id="sell-on-the-tick"),
        pytest.param("buy", "100.01", "0.05", "0.01", "100.07", id="buy-rounds-100.060005-up"),
        pytest.param("sell", "100.01", "0.05", "0.01", "99.95", id="sell-rounds-99.959995-down"),
        pytest.param("buy", "100.003", "0", "0.01", "100.01", id="reference-off-the-tick"),
        pytest.param("sell", "100.003", "0", "0.01", "100.00", id="sell-off-the-tick"),
        pytest.param("buy", "100", "0", "0.01", "100", id="no-slippage"),
        pytest.param("buy", "101", "0.1", "0.5", "101.5", id="tick-that-is-no-power-of-ten"),
        pytest.param("buy", "0.00001", "0.05", "0.00000001", "0.00001001", id="small-price"),
        pytest.param("buy", "7", "0.3", "0", "7.021", id="no-tick"),
    ],
)
def test_slippage_is_against_the_taker_and_so_is_the_rounding(
    side: Side, reference: str, slippage: str, tick: str, expected: str
) -> None:
    price = taker_price(dec(reference), terms(slippage=slippage), tick=dec(tick), side=side)
    assert price == dec(expected)


@pytest.mark.parametrize(
    ("side", "currency", "quantity", "price", "fee", "in_base"),
    [
        pytest.param("buy", "received", "0.5", "100", "0.0005", True, id="purchase-in-base"),
        pytest.param("sell", "received", "0.5", "100", "0.05", False, id="sale-in-quote"),
        pytest.param("buy", "quote", "0.5", "100", "0.05", False, id="purchase-in-quote"),
        pytest.param("sell", "quote", "0.5", "100", "0.05", False, id="sale-in-quote-anyway"),
        pytest.param("buy", "received", "0.00001", "100", "0.00000001", True, id="exactly-the-least-fee"),
        pytest.param("buy", "received", "0.000015", "100", "0.00000002", True, id="rounded-up"),
        pytest.param("sell", "received", "0.12345", "43.21", "0.00533428", False, id="5.3342745e-3-rounded-up"),
    ],
)
def test_the_fee_is_rounded_up_to_eight_decimals(
    side: Side, currency: str, quantity: str, price: str, *, fee: str, in_base: bool
) -> None:
    assert fee_of(dec(quantity), dec(price), terms(currency=currency), side=side) == (dec(fee), in_base)


def test_a_purchase_fills_whole_at_once() -> None:
    report = paper_report(order(intent(quantity="0.5", price="100", number=7, at=123)))
    (fill,) = report.fills
    assert (report.status, report.client_order_id) == ("filled", f"s{7:017d}")
    assert (fill.price, fill.quantity, fill.fee, fill.fee_currency) == (dec("100.05"), dec("0.5"), dec("0.0005"), "BTC")
    assert fill.at == 123
    assert report.filled_quantity == dec("0.5")


def test_a_sale_pays_its_fee_in_quote() -> None:
    (fill,) = paper_report(order(intent(side="sell", quantity="0.5", price="100"), holding="0.5")).fills
    assert (fill.price, fill.fee, fill.fee_currency) == (dec("99.95"), dec("0.049975"), "USDT")


@pytest.mark.parametrize(
    ("currency", "cash", "filled"),
    [
        pytest.param("received", "50.025", True, id="the-last-cent"),
        pytest.param("received", "50.02499999", False, id="a-cent-short"),
        pytest.param("quote", "50.075025", True, id="fee-included"),
        pytest.param("quote", "50.07502499", False, id="short-of-the-fee"),
    ],
)
def test_cash_is_checked_with_slippage_and_fee(currency: str, cash: str, filled: bool) -> None:
    report = paper_report(order(intent(quantity="0.5", price="100"), paper=terms(currency=currency), cash=cash))
    assert report.status == ("filled" if filled else "rejected")
    assert filled or "insufficient cash" in (report.reason or "")


def test_more_than_is_held_cannot_be_sold() -> None:
    wanted = intent(side="sell", quantity="0.50001")
    assert "cannot sell 0.50001 BTC: 0.5 held" in rejection(order(wanted, holding="0.5"))


def test_a_quantity_off_the_lot_step_is_rejected() -> None:
    assert "not a multiple of the lot step" in rejection(order(intent(quantity="0.500001")))


def test_a_quantity_beyond_the_largest_order_is_rejected() -> None:
    assert "too large" in rejection(order(intent(quantity="1.1"), market=instrument(most="1")))
    assert paper_report(order(intent(quantity="1"), market=instrument(most="1"))).status == "filled"


def test_a_quantity_below_the_least_is_rejected() -> None:
    market = instrument(least="0.1", notional="0")
    assert "below the least" in rejection(order(intent(quantity="0.09999"), market=market))


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_least_notional_is_held_against_the_price_before_slippage(side: Side) -> None:
    """Else a sale of exactly the minimum, which was judged sellable, would slip below it and be refused for ever."""
    assert paper_report(order(intent(side=side, quantity="0.05"), holding="1")).status == "filled"
    assert "notional" in rejection(order(intent(side=side, quantity="0.04999"), holding="1"))


def test_without_paper_terms_nothing_fills() -> None:
    request = order(intent()).model_copy(update={"paper": None})
    assert "no paper terms" in rejection(request)


quantities = st.integers(0, 10**9).map(lambda lots: str(lots * dec("0.000005")))


@settings(deadline=None)
@given(quantity=quantities, price=st.decimals("0.01", 10**6, places=4), side=st.sampled_from(["buy", "sell"]))
def test_the_same_request_gets_the_same_report(quantity: str, price: Decimal, side: Side) -> None:
    request = order(intent(side=side, quantity=quantity, price=str(price)), holding="100", cash="10000")
    first = paper_report(request)
    again = paper_report(OrderRequest.model_validate_json(request.model_dump_json()))
    assert OrderReport.model_validate_json(first.model_dump_json()) == again == first
    if first.fills:
        (fill,) = first.fills
        assert fill.price % dec("0.01") == 0
        assert fill.price >= price if side == "buy" else fill.price <= price


steps = st.sampled_from([dec(text) for text in ("0.00001", "1", "0.5", "1E-18", "3", "0.07", "1E+3")])


@settings(deadline=None)
@given(value=st.decimals(0, 10**21, places=18), step=steps)
def test_rounding_to_a_step_is_exact_at_any_size(value: Decimal, step: Decimal) -> None:
    exact_steps = Fraction(value) / Fraction(step)
    floor = exact_steps.numerator // exact_steps.denominator
    assert Fraction(floor_to(value, step)) == floor * Fraction(step)
    assert Fraction(against_taker(value, step, buying=False)) == floor * Fraction(step)
    ceiling = floor + (exact_steps != floor)
    assert Fraction(against_taker(value, step, buying=True)) == ceiling * Fraction(step)


def test_a_third_of_the_way_to_a_step_is_not_rounded_to_it() -> None:
    """Divided in 28 digits, this is a whole number of steps, and one lot too many is bought."""
    assert floor_to(dec("2.99999999999999999999999999999"), dec(1)) == 2


def offer(side: Side = "buy", *, price: str = "99.5", **changes: Any) -> OrderRequest:
    wanted = intent(side=side, quantity=changes.pop("quantity", "1")).model_copy(
        update={"type": "limit", "price": dec(price)}
    )
    return order(wanted, **changes)


def test_a_limit_order_rests_until_the_market_has_traded_through_it_and_fills_at_its_price() -> None:
    """A fee of 0.1 % of 1 BTC, in BTC; no slippage: others came to us."""
    request = offer()
    placed = paper_report(request)
    assert (placed.status, placed.fills) == ("open", ())
    assert request.paper is not None
    filled = paper_limit_filled(request, request.paper, at=2_000)
    (fill,) = filled.fills
    assert (filled.status, filled.venue_order_id) == ("filled", placed.venue_order_id)
    assert (fill.price, fill.quantity, fill.fee, fill.fee_currency, fill.at) == (
        dec("99.5"), dec(1), dec("0.001"), "BTC", 2_000,
    )  # fmt: skip


def test_a_limit_order_is_held_against_its_own_price() -> None:
    """0.05 BTC at 99.5 are 4.975 USDT; 5 is the least. At 120, 1 BTC costs more than the 100 there are."""
    assert "notional 4.975 is below the least" in rejection(offer(quantity="0.05"))
    assert "insufficient cash: 120" in rejection(offer(price="120", cash="100"))
    assert "cannot sell" in rejection(offer("sell", price="120", holding="0.5"))
