"""When a bot buys."""

from decimal import Decimal
from typing import Any

import pytest

from activities.glance import LATE_MS
from domain.decisions import Condition
from domain.guards import Guards
from domain.positions import Book
from domain.watch import WatchResult
from strategies.custom import CustomStrategy
from strategies.logic import Parameters
from tests.activities.stage import (
    BUY,
    QUIET,
    Failing,
    Row,
    SellOnVolume,
    SellParams,
    decided,
    held,
    row,
    state,
    time_of,
    view,
    watcher,
)
from tests.domain.builders import DAY, MINUTE, dec

SIGNAL = [row(), row(BUY, close=99.5)]


def verdict(
    rows: list[Row] = SIGNAL, *, book: Book | None = None, at: dict[str, Any] | None = None, **fields: Any
) -> str:
    """Return why no order was made."""
    watched = watcher(book, **fields)
    assert watched.on_candle(view(rows, **(at or {}))) is None
    return watched.sighting.verdict


def test_a_signal_buys_at_the_open_of_the_candle_that_has_begun() -> None:
    watched = watcher()
    result = watched.on_candle(view(SIGNAL, after_ms=300, opening="101.5", price=dec(102), price_at=time_of(2) + 200))
    decision = decided(result)
    assert (decision.action, decision.reason, decision.key) == ("enter", "BuyOnVolume", f"enter:{time_of(1)}")
    assert (decision.price, decision.candle_time, decision.decided_at) == (dec("101.5"), time_of(1), time_of(2) + 300)
    assert (decision.signal_close, decision.config_version) == (dec("99.5"), 7)
    assert decision.quantity == dec("0.98522"), "100 / 101.5, in lots"
    assert decision.exit_state is not None
    assert (decision.exit_state.folded, decision.exit_state.values) == (time_of(1), {"peak": 99.5, "bars": 0})
    assert watched.sighting.verdict == "entry signal"
    assert watched.seen == time_of(1)


def test_without_a_signal_nothing_is_bought_and_the_conditions_tell_why() -> None:
    watched = watcher()
    assert watched.on_candle(view([row(), row(QUIET)])) is None
    assert watched.sighting.verdict == "no entry signal"
    assert watched.sighting.conditions[0] == Condition(name="volume", left=1.0, op=">=", right=2.0, holds=False)
    assert watched.sighting.candle_time == time_of(1)
    assert watched.sighting.price == 100


def test_only_the_newest_candle_may_signal() -> None:
    assert verdict([row(BUY), row(QUIET)]) == "no entry signal"


def test_without_candles_the_bot_waits() -> None:
    assert verdict([]) == "waiting for candles"


def test_missing_values_are_named() -> None:
    assert verdict([row(), row(float("nan"))]) == "waiting for candles: volume, not to sell"


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [
        pytest.param(MINUTE - 1, None, id="younger-than-one-interval"),
        pytest.param(MINUTE, "the newest closed candle is older than one interval", id="one-interval-old"),
        pytest.param(90 * MINUTE, "the newest closed candle is older than one interval", id="after-downtime"),
    ],
)
def test_a_stale_signal_is_no_signal(after_ms: int, expected: str | None) -> None:
    watched = watcher()
    result = watched.on_candle(view(SIGNAL, after_ms=after_ms))
    assert (None if result else watched.sighting.verdict) == expected


@pytest.mark.parametrize(
    ("late", "price", "expected"),
    [
        pytest.param(LATE_MS, "103", "100", id="in-time"),
        pytest.param(LATE_MS + 1, "103", "103", id="late-takes-the-price-of-its-moment"),
        pytest.param(LATE_MS + 1, None, "100", id="late-without-a-price-takes-the-open"),
    ],
)
def test_a_late_decision_takes_the_price_of_its_own_moment(late: int, price: str | None, expected: str) -> None:
    at = None if price is None else time_of(2) + late
    seen = view(SIGNAL, after_ms=late, price=None if price is None else dec(price), price_at=at)
    assert decided(watcher().on_candle(seen)).price == dec(expected)


def test_a_price_that_is_older_than_the_running_candle_is_not_the_current_one() -> None:
    """Prices are read seldom while a bot is flat: its last one may be of yesterday."""
    seen = view(SIGNAL, after_ms=LATE_MS + 1, opening="104", price=dec(80), price_at=time_of(2) - 1)
    assert decided(watcher().on_candle(seen)).price == 104


def test_without_an_open_and_a_price_the_close_must_do() -> None:
    assert decided(watcher().on_candle(view(SIGNAL, opening=None))).price == dec("99.5")


def test_a_candle_is_acted_on_once() -> None:
    assert verdict(acted_candle=time_of(1)) == "this candle has been acted on"
    assert decided(watcher(acted_candle=time_of(0)).on_candle(view(SIGNAL))).action == "enter"


@pytest.mark.parametrize(("gate", "expected"), [("paused", "paused"), ("the bot is stopping", "the bot is stopping")])
def test_a_gate_stops_entries_and_says_so(gate: str, expected: str) -> None:
    assert verdict(gate=gate) == expected


def test_stale_market_data_makes_no_entry() -> None:
    assert verdict(at={"stale": True}) == "market data is stale"
    watched = watcher()
    watched.on_candle(view(SIGNAL, stale=True))
    assert watched.sighting.stale is True


def test_a_signal_that_waited_for_fresh_data_is_taken_then() -> None:
    watched = watcher()
    assert watched.on_candle(view(SIGNAL, stale=True)) is None
    assert decided(watched.on_candle(view(SIGNAL, after_ms=1_000))).candle_time == time_of(1)


def test_what_the_venue_would_refuse_is_not_bought() -> None:
    assert verdict(book=Book(cash=dec(10))) == "entry signal, but notional 1 is below the least of BTC/USDT, 5 USDT"


def test_a_daily_limit_ends_the_watch_once_to_tell_people() -> None:
    day = time_of(2) // DAY
    limits: dict[str, Any] = {"settings": {"risk_management__max_daily_trades": 1}}
    watched = watcher(guards=Guards(day=day, entries=1), **limits)
    result = watched.on_candle(view(SIGNAL))
    assert isinstance(result, WatchResult)
    assert (result.outcome, result.reason) == ("limited", "max_daily_trades: 1 of 1 made today")
    assert result.sighting.venue_time == time_of(2), "the workflow dates the alert by it"
    told = Guards(day=day, entries=1).after_alert(time_of(2))
    assert verdict(guards=told, **limits) == "entry signal, but max_daily_trades: 1 of 1 made today"


def test_a_limit_that_is_not_daily_alerts_nobody() -> None:
    text = verdict(guards=Guards(last_exit=time_of(2)), settings={"risk_management__cooldown_minutes": 5})
    assert text == "entry signal, but cooldown: 5.0 of 5 minutes left"


def test_more_entries_join_the_position_and_keep_its_exit_state() -> None:
    watched = watcher(held(0), exit_state=state(0, peak=100.0), settings={"trading__max_positions": 2})
    decision = decided(watched.on_candle(view([row(), row(BUY, high=110)])))
    assert decision.action == "enter"
    assert decision.exit_state is not None
    assert decision.exit_state.values == {"peak": 110.0, "bars": 1}


def test_a_full_position_makes_no_entry() -> None:
    assert verdict([row(), row(BUY)], book=held(0), exit_state=state(0)) == "in position: no exit rule holds"


def test_a_failing_strategy_raises_and_its_candle_is_judged_again() -> None:
    broken = CustomStrategy(Failing(Parameters()), SellOnVolume(SellParams()))
    watched = watcher(with_strategy=broken)
    with pytest.raises(RuntimeError, match="no such model file"):
        watched.on_candle(view(SIGNAL))
    assert watched.seen is None


def test_a_strategy_that_works_again_ends_the_watch() -> None:
    watched = watcher(recovering=True)
    assert watched.on_candle(view([])) is None, "nothing was evaluated yet"
    result = watched.on_candle(view([row()]))
    assert result is not None
    assert result.outcome == "recovered"


def test_a_decision_wins_over_the_news_of_a_recovery() -> None:
    assert decided(watcher(recovering=True).on_candle(view(SIGNAL))).action == "enter"


def test_a_decision_fits_the_books() -> None:
    decision = decided(watcher().on_candle(view(SIGNAL)))
    assert decision.quantity is not None
    assert decision.quantity * decision.price == Decimal(100)
