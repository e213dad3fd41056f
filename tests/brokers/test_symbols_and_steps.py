"""Which market a symbol names, and in which steps it is traded."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.instruments import DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE, instrument_of, step_of
from brokers.nearest import nearest
from brokers.symbols import resolve
from domain.errors import VenueMisfit
from domain.instruments import VenueRef

BINANCE = VenueRef(name="binance")


def market(symbol: str, market_id: str | None = None, **more: Any) -> dict[str, Any]:
    base, quote = symbol.split("/")
    told = {"precision": {"amount": "0.001", "price": "0.01"}, "limits": {}, "info": {}}
    return {"symbol": symbol, "id": market_id or base + quote, "base": base, "quote": quote} | told | more


MARKETS = {
    each["symbol"]: each
    for each in (
        market("BTC/USDT"),
        market("BTC/USD", "XXBTZUSD"),
        market("AB/CUSDT"),
        market("ABC/USDT"),
        market("1INCH/USDT", "1INCH-USDT"),
    )
}


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("BTCUSDT", "BTC/USDT"),
        ("btcusdt", "BTC/USDT"),
        ("btc/usdt", "BTC/USDT"),
        ("BTCUSD", "BTC/USD"),
        ("XXBTZUSD", "BTC/USD"),
        ("1INCH-USDT", "1INCH/USDT"),
        ("ABC/USDT", "ABC/USDT"),
    ],
)
def test_a_symbol_is_found_by_every_spelling(symbol: str, expected: str) -> None:
    assert resolve(symbol, MARKETS, "binance")["symbol"] == expected


def test_a_symbol_that_can_be_split_in_two_ways_is_refused_with_both() -> None:
    with pytest.raises(VenueMisfit, match="'ABCUSDT' is ambiguous at binance; expected one of AB/CUSDT, ABC/USDT"):
        resolve("ABCUSDT", MARKETS, "binance")


def test_an_unknown_symbol_is_refused_with_the_nearest() -> None:
    with pytest.raises(VenueMisfit, match="no spot market 'BTC/USTD'; did you mean BTC/USD, BTC/USDT or"):
        resolve("BTC/USTD", MARKETS, "binance")


def test_a_symbol_like_nothing_is_refused_without_a_guess() -> None:
    with pytest.raises(VenueMisfit, match=r"no spot market 'QQQQ'$"):
        resolve("QQQQ", MARKETS, "binance")


def test_up_to_three_names_are_listed_in_words() -> None:
    assert nearest("abcd", ["abcde", "abcdf", "abcdg", "xyz"]).count("abcd") == 3
    assert " or " in nearest("abcd", ["abcde", "abcdf"])
    assert not nearest("abcd", ["zzzz"])


@pytest.mark.parametrize(
    ("precision", "mode", "expected"),
    [
        pytest.param("0.00100000", TICK_SIZE, "0.001", id="tick"),
        pytest.param("5", TICK_SIZE, "5", id="tick-of-five"),
        pytest.param("3", DECIMAL_PLACES, "0.001", id="places"),
        pytest.param("0", DECIMAL_PLACES, "1", id="whole"),
        pytest.param("-2", DECIMAL_PLACES, "100", id="hundreds"),
        pytest.param("5", SIGNIFICANT_DIGITS, "0.00000001", id="digits-mean-no-step"),
        pytest.param(None, TICK_SIZE, None, id="unknown"),
        pytest.param("0", TICK_SIZE, None, id="no-step"),
    ],
)
def test_a_precision_means_a_step(precision: str | None, mode: int, expected: str | None) -> None:
    assert step_of(precision, mode) == (None if expected is None else Decimal(expected))


def filters(step: str) -> dict[str, Any]:
    return {"filters": [{"filterType": "PRICE_FILTER"}, {"filterType": "MARKET_LOT_SIZE", "stepSize": step}]}


@pytest.mark.parametrize(
    ("market_step", "expected"),
    [pytest.param("0.00000000", "0.001", id="zero-is-none"), pytest.param("0.10000000", "0.1", id="coarser")],
)
def test_the_step_of_market_orders_counts_when_it_is_coarser(market_step: str, expected: str) -> None:
    found = instrument_of(market("BTC/USDT", info=filters(market_step)), BINANCE, TICK_SIZE)
    assert found.lot_step == Decimal(expected)


def test_the_tighter_of_two_bounds_counts_and_zero_is_no_bound() -> None:
    limits = {
        "amount": {"min": "0.002", "max": "900"},
        "market": {"min": "0", "max": "120"},
        "cost": {"min": "5", "max": None},
    }
    found = instrument_of(market("BTC/USDT", limits=limits), BINANCE, TICK_SIZE)
    assert (found.min_quantity, found.max_quantity, found.min_notional) == (Decimal("0.002"), Decimal(120), Decimal(5))


def test_no_rule_at_all_is_no_bound() -> None:
    found = instrument_of(market("BTC/USDT", limits={"amount": {"min": 0, "max": 0}}), BINANCE, TICK_SIZE)
    assert (found.min_quantity, found.max_quantity, found.min_notional) == (Decimal(0), None, Decimal(0))


def test_a_market_without_steps_cannot_be_traded() -> None:
    with pytest.raises(VenueMisfit, match="in which steps"):
        instrument_of(market("BTC/USDT", precision={"amount": None, "price": None}), BINANCE, TICK_SIZE)
