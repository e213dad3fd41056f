"""What an order of ccxt means, whatever a venue calls it."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.ccxt_orders import client_id_of, fills_of, mismatch, report_of
from domain.instruments import Instrument, VenueRef
from domain.model import Money
from domain.orders import Fill, OrderIntent

INSTRUMENT = Instrument(
    venue=VenueRef(name="any"),
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot_step=Decimal("0.001"),
    tick_size=Decimal("0.01"),
)


def fill(quantity: str) -> Fill:
    return Fill(
        trade_id=quantity, price=Decimal(1), quantity=Decimal(quantity), fee=Decimal(0), fee_currency="USDT", at=1
    )


def trade(**told: Any) -> dict[str, Any]:
    usual = {"id": "1", "price": "100.10", "amount": "0.5", "timestamp": 7}
    return usual | {"fee": {"cost": "0.05", "currency": "USDT"}} | told


@pytest.mark.parametrize(
    ("status", "filled", "fills", "expected"),
    [
        pytest.param("closed", "1", ["0.4", "0.6"], "filled", id="whole"),
        pytest.param("open", "1", ["1"], "filled", id="whole-though-called-open"),
        pytest.param("canceled", "1", ["1"], "filled", id="whole-though-called-canceled"),
        pytest.param(None, "1", ["1"], "filled", id="whole-and-called-nothing"),
        pytest.param("closed", "0.4", ["0.4"], "cancelled", id="bybit-and-kucoin-call-the-rest-closed"),
        pytest.param("canceled", "0.4", ["0.4"], "cancelled", id="gate-calls-it-canceled"),
        pytest.param("expired", "0.4", ["0.4"], "expired", id="expired-in-part"),
        pytest.param("canceled", "0", [], "cancelled", id="nothing"),
        pytest.param("rejected", "0", [], "rejected", id="rejected"),
        pytest.param("open", "0", [], "open", id="rests"),
        pytest.param("open", "0.4", ["0.4"], "partially_filled", id="rests-in-part"),
        pytest.param(None, None, [], "open", id="nothing-is-known"),
        pytest.param("closed", "1", ["0.4"], "partially_filled", id="trades-are-not-all-listed"),
        pytest.param("closed", "1", [], "open", id="trades-are-not-listed"),
        pytest.param("canceled", "0.4", [], "open", id="trades-of-a-cancelled-order-are-not-listed"),
        pytest.param("closed", None, ["0.4"], "cancelled", id="no-quantity-is-told"),
        pytest.param("a-new-word", "0.4", ["0.4"], "partially_filled", id="a-word-nobody-knows"),
    ],
)
def test_what_is_filled_decides_and_not_what_the_venue_calls_it(
    status: str | None, filled: str | None, fills: list[str], expected: str
) -> None:
    """An order of 1 BTC."""
    order = {"id": "1", "status": status, "filled": filled}
    report = report_of(order, [fill(each) for each in fills], client_order_id="a", quantity=Decimal(1))
    assert report.status == expected


@pytest.mark.parametrize(
    ("status", "fills", "expected"),
    [("closed", ["0.98"], "filled"), ("canceled", ["0.98"], "filled"), ("closed", [], "cancelled"),
     ("open", ["0.5"], "partially_filled"), (None, ["0.98"], "partially_filled")],
)  # fmt: skip
def test_an_order_by_cost_is_filled_once_it_has_ended_with_anything(
    status: str | None, fills: list[str], expected: str
) -> None:
    order = {"id": "1", "status": status, "filled": None}
    assert report_of(order, [fill(each) for each in fills], client_order_id="a", quantity=None).status == expected


def test_trades_become_fills_once_each_and_in_order() -> None:
    trades = [trade(id="2", timestamp=9), trade(id="1"), trade(id="2", timestamp=9), trade(id=None)]
    fills = fills_of(trades, INSTRUMENT, at=5)
    assert [(each.trade_id, each.at) for each in fills] == [("1", 7), ("2", 9)]
    assert (fills[0].price, fills[0].quantity) == (Decimal("100.10"), Decimal("0.5"))
    assert (fills[0].fee, fills[0].fee_currency) == (Decimal("0.05"), "USDT")


def test_a_trade_without_a_time_happened_with_its_order() -> None:
    (only,) = fills_of([trade(timestamp=None)], INSTRUMENT, at=5)
    assert only.at == 5


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"fee": None}, (Decimal(0), "USDT"), id="none"),
        pytest.param({"fee": {"cost": None, "currency": None}}, (Decimal(0), "USDT"), id="empty"),
        pytest.param({"fee": {"cost": "0", "currency": "BNB"}}, (Decimal(0), "USDT"), id="zero"),
        pytest.param({"fees": [{"cost": "0", "currency": "GT"}, {"cost": "0.1", "currency": "BTC"}]},
                     (Decimal("0.1"), "BTC"), id="zero-in-another-currency"),
        pytest.param({"fee": {"cost": "-0.01", "currency": "USDT"}}, (Decimal("-0.01"), "USDT"), id="rebate"),
    ],
)  # fmt: skip
def test_a_fee_is_what_was_really_taken(told: dict[str, Any], expected: tuple[Money, str]) -> None:
    (only,) = fills_of([trade(**told)], INSTRUMENT, at=5)
    assert (only.fee, only.fee_currency) == expected


def test_fees_in_several_currencies_are_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    fees = [{"cost": "0.1", "currency": "BTC"}, {"cost": "3", "currency": "GT"}]
    (only,) = fills_of([trade(fees=fees)], INSTRUMENT, at=5)
    assert (only.fee, only.fee_currency) == (Decimal("0.1"), "BTC")
    assert "several currencies" in caplog.text


INTENT = OrderIntent(
    client_order_id="a", sequence=1, symbol="BTC/USDT", side="buy", quantity=Decimal("0.50"),
    reference_price=Decimal(1), reason="", decision_key="", decided_at=1, candle_time=0, config_version=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "by_cost", "expected"),
    [
        ({}, False, None),
        ({"symbol": "BTC/USDT", "side": "buy", "amount": "0.5"}, False, None),
        ({"symbol": "ETH/USDT"}, False, "symbol is ETH/USDT, expected BTC/USDT"),
        ({"side": "sell"}, False, "side is sell, expected buy"),
        ({"amount": "0.51"}, False, "amount is 0.51, expected 0.50"),
        ({"amount": "0.51"}, True, None),
        ({"amount": None}, False, None),
    ],
)
def test_an_order_is_ours_if_side_symbol_and_quantity_are(
    told: dict[str, Any], by_cost: bool, expected: str | None
) -> None:
    assert mismatch(told, INTENT, by_cost=by_cost) == expected


@pytest.mark.parametrize(("told", "expected"), [("t-s1", "s1"), ("s1", "s1"), (None, ""), ("", "")])
def test_a_client_order_id_is_read_as_it_was_chosen(told: str | None, expected: str) -> None:
    assert client_id_of({"clientOrderId": told}) == expected
