from decimal import Decimal

import pytest

from simulator.rules import DEFAULT_SYMBOLS, decimals, rules_for


@pytest.mark.parametrize(
    ("symbol", "tick", "step", "least"),
    [
        ("BTCUSDT", "0.01", "0.00001", "5"),
        ("ETHUSDT", "0.01", "0.0001", "5"),
        ("XRPUSDT", "0.0001", "0.1", "5"),
        ("DOGEUSDT", "0.00001", "1", "1"),
    ],
)
def test_known_symbols_have_the_real_venues_rules(symbol: str, tick: str, step: str, least: str) -> None:
    rules = rules_for(symbol)
    assert (rules.tick, rules.step, rules.min_notional) == (Decimal(tick), Decimal(step), Decimal(least))


def test_every_default_symbol_has_rules_under_its_own_name() -> None:
    assert [rules_for(symbol).symbol for symbol in DEFAULT_SYMBOLS] == list(DEFAULT_SYMBOLS)


def test_an_unlisted_symbol_gets_sane_rules_and_always_the_same() -> None:
    rules = rules_for("PEPEUSDC")
    assert (rules.base, rules.quote) == ("PEPE", "USDC")
    assert 1 <= rules.typical_price <= 100
    assert rules == rules_for("PEPEUSDC")
    # A lot is worth less than the least notional, so that the step never decides what can be bought.
    assert rules.step * Decimal(rules.typical_price) < rules.min_notional


@pytest.mark.parametrize("symbol", ["BTC", "USDT", "BTC/USDT", "btcusdt", "", "BTCXYZ"])
def test_a_symbol_without_a_known_quote_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="symbol must be capital letters and digits and end in one of USDT"):
        rules_for(symbol)


@pytest.mark.parametrize(("number", "places"), [("0.01", 2), ("0.0100", 2), ("1", 0), ("100", 0), ("1E-5", 5)])
def test_decimals_are_counted_without_idle_zeros(number: str, places: int) -> None:
    assert decimals(Decimal(number)) == places


def test_a_finer_file_makes_the_tick_finer_and_a_coarser_one_leaves_it() -> None:
    rules = rules_for("BTCUSDT")
    assert rules.with_price_decimals(4).tick == Decimal("0.0001")
    assert rules.with_price_decimals(1).tick == Decimal("0.01")
