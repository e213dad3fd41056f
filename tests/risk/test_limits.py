"""What stands in the way of an entry, limit by limit."""

from decimal import Decimal
from typing import Any

import pytest

from domain.guards import Guards
from domain.positions import Book, Holding
from risk.limits import Refusal, entry_refusal, order_refusal, sized_entry
from tests.domain.builders import DAY, MINUTE, config, costs, dec, instrument, position

NIGHT = 19_000 * DAY
FLAT = Book(cash=dec(1000))


def limited(**limits: Any) -> Any:
    return config(**{f"risk_management__{key}": value for key, value in limits.items()})


def refusal(
    settings: Any, guards: Guards, *, moment: int = NIGHT + 1, book: Book = FLAT, price: str = "100"
) -> Refusal | None:
    return entry_refusal(settings, book, guards, price=dec(price), moment=moment)


def test_without_limits_nothing_stands_in_the_way() -> None:
    busy = Guards(day=19_000, entries=99, realized=dec(-999), last_exit=NIGHT)
    assert refusal(config(), busy) is None


@pytest.mark.parametrize(
    ("entries", "limit", "refused"),
    [(1, 1, True), (1, 2, False), (2, 2, True), (3, 2, True)],
)
def test_entries_open_at_once(entries: int, limit: int, refused: bool) -> None:
    held = Book(cash=dec(10), position=position(entries=entries))
    found = refusal(config(trading__max_positions=limit), Guards(), book=held)
    assert found == (Refusal(reason=f"{entries} of {limit} entries open") if refused else None)


@pytest.mark.parametrize(
    ("entries", "moment", "refused"),
    [
        pytest.param(4, NIGHT - 1, False, id="one-left"),
        pytest.param(5, NIGHT - 1, True, id="none-left-in-the-last-millisecond-of-the-day"),
        pytest.param(5, NIGHT, False, id="at-midnight-the-count-is-zero"),
        pytest.param(5, NIGHT - DAY, True, id="in-the-first-millisecond-of-the-day"),
        pytest.param(5, NIGHT - DAY - 1, True, id="a-clock-that-stepped-back-does-not-free"),
    ],
)
def test_entries_per_utc_day(entries: int, moment: int, refused: bool) -> None:
    found = refusal(limited(max_daily_trades=5), Guards(day=18_999, entries=entries), moment=moment)
    assert (found is not None) == refused
    assert found is None or (found.alert and found.reason == "max_daily_trades: 5 of 5 made today")


@pytest.mark.parametrize(
    ("realized", "price", "held", "moment", "refused"),
    [
        pytest.param("-199.99", "100", False, NIGHT - 1, False, id="a-cent-left"),
        pytest.param("-200", "100", False, NIGHT - 1, True, id="at-the-limit"),
        pytest.param("-250", "100", False, NIGHT, False, id="a-new-day"),
        pytest.param("300", "100", False, NIGHT - 1, False, id="a-good-day"),
        pytest.param("-150", "75.01", True, NIGHT - 1, False, id="with-24.99-x-2-unrealised"),
        pytest.param("-150", "75", True, NIGHT - 1, True, id="with-25-x-2-unrealised"),
        pytest.param("-250", "130", True, NIGHT - 1, False, id="an-unrealised-gain-counts-too"),
        pytest.param("0", "0.01", True, NIGHT, False, id="199.98-unrealised-on-a-new-day"),
    ],
)
def test_loss_per_utc_day(realized: str, price: str, held: bool, moment: int, refused: bool) -> None:
    book = Book(cash=dec(10), position=position(quantity="2", cost="200")) if held else FLAT
    settings = config(trading__max_positions=9, risk_management__max_daily_loss=200)
    found = refusal(settings, Guards(day=18_999, realized=dec(realized)), moment=moment, book=book, price=price)
    assert (found is not None) == refused
    assert found is None or (found.alert and found.reason == "max_daily_loss: 200.00 of 200 lost today")


@pytest.mark.parametrize(
    ("last_exit", "minutes", "moment", "left"),
    [
        pytest.param(None, 30, NIGHT, None, id="no-exit-yet"),
        pytest.param(NIGHT, 0, NIGHT, None, id="no-cooldown"),
        pytest.param(NIGHT, 30, NIGHT, "30.0 of 30", id="right-after-the-exit"),
        pytest.param(NIGHT, 30, NIGHT + 30 * MINUTE - 1, "0.0 of 30", id="a-millisecond-before-its-end"),
        pytest.param(NIGHT, 30, NIGHT + 30 * MINUTE, None, id="at-its-end"),
        pytest.param(NIGHT - MINUTE, 2.5, NIGHT, "1.5 of 2.5", id="over-midnight-in-half-minutes"),
    ],
)
def test_cooldown_after_an_exit(last_exit: int | None, minutes: float, moment: int, left: str | None) -> None:
    found = refusal(limited(cooldown_minutes=minutes), Guards(last_exit=last_exit), moment=moment)
    assert found == (None if left is None else Refusal(reason=f"cooldown: {left} minutes left"))


def order(quantity: str, price: str = "100", *, book: Book = FLAT, market: Any = None, **settings: Any) -> str | None:
    found = order_refusal(config(**settings), book, market or instrument(), quantity=dec(quantity), price=dec(price))
    return found.reason if found else None


def test_a_quantity_of_zero_is_less_than_a_lot() -> None:
    assert order("0") == "the budget buys less than one lot of 0.00001 BTC"


def test_an_entry_below_the_least_notional_is_refused() -> None:
    assert order("0.049", broker__paper_trading_config=costs(fee="0", slippage="0")) == (
        "notional 4.9 is below the least of BTC/USDT, 5 USDT"
    )


def test_an_entry_below_the_least_quantity_is_refused() -> None:
    assert order("0.09", market=instrument(least="0.1")) == "quantity 0.09 is below the least of BTC/USDT, 0.1 BTC"


@pytest.mark.parametrize(
    ("quantity", "stop", "fee", "possible"),
    [
        # Without costs: 5 = quantity × 100 × (1 - stop).
        pytest.param("0.05", None, "0", True, id="without-a-stop-the-entry-price-decides"),
        pytest.param("0.055", 10, "0", False, id="0.055-at-90-is-4.95"),
        pytest.param("0.05556", 10, "0", True, id="0.05556-at-90-is-5.0004"),
        pytest.param("0.05556", 10, "0.001", False, id="net-of-the-fee-0.05550-at-90-is-4.995"),
        pytest.param("0.05562", 10, "0.001", True, id="net-of-the-fee-0.05556-at-90-is-5.0004"),
    ],
)
def test_what_could_not_be_sold_at_its_stop_is_not_bought(
    quantity: str, stop: float | None, fee: str, possible: bool
) -> None:
    found = order(
        quantity,
        risk_management__stop_loss_pct=stop,
        broker__paper_trading_config=costs(fee=fee, slippage="0"),
    )
    assert (found is None) == possible
    assert possible or "the position could not be sold at its stop: notional" in (found or "")


def test_dust_helps_to_reach_the_least_of_the_exit() -> None:
    """0.05556 less its fee is one lot short; 0.00006 of dust make up for it."""
    dusty = Book(cash=dec(1000), dust=Holding(quantity=dec("0.00006"), cost=dec("0.006")))
    rules: dict[str, Any] = {
        "risk_management__stop_loss_pct": 10,
        "broker__paper_trading_config": costs(fee="0.001", slippage="0"),
    }
    assert order("0.05556", **rules) is not None
    assert order("0.05556", book=dusty, **rules) is None


def test_slippage_at_the_stop_counts() -> None:
    """0.05556 bought at 100.1 has its stop at 90.09, and is sold for 89.99: 4.9998."""
    rules: dict[str, Any] = {"risk_management__stop_loss_pct": 10}
    assert order("0.05556", broker__paper_trading_config=costs(fee="0", slippage="0.1"), **rules) is not None
    assert order("0.05557", broker__paper_trading_config=costs(fee="0", slippage="0.1"), **rules) is None


def test_a_sized_entry_is_a_quantity_or_a_reason() -> None:
    assert sized_entry(config(), FLAT, instrument(), dec(100)) == Decimal("0.99950")
    too_little = sized_entry(config(), Book(cash=dec(10)), instrument(), dec(100))
    assert isinstance(too_little, Refusal)
    assert too_little.alert is False
    assert "below the least" in too_little.reason
