"""When a bot sells: no exit is swallowed, none comes twice."""

from typing import Any

import pytest

from activities.glance import LATE_MS
from activities.watcher import Watcher
from domain.decisions import ExitLevels, ExitState
from domain.ports import LevelHit
from domain.positions import Book
from strategies.custom import CustomStrategy
from strategies.logic import Parameters
from tests.activities.stage import (
    BUY,
    SELL,
    Failing,
    Row,
    SellOnVolume,
    SellParams,
    decided,
    entered,
    held,
    row,
    state,
    strategy,
    time_of,
    view,
    watcher,
)
from tests.domain.builders import MINUTE, dec

STOPS = {"risk_management__stop_loss_pct": 3.0, "risk_management__take_profit_pct": 6.0}
POSITION = "s00000000000000001"


def guarded(book: Book | None = None, **fields: Any) -> Watcher:
    """Return the watcher of a position with a stop at 97 and a target at 106."""
    return watcher(book or held(0), settings=STOPS, **{"exit_state": state(0), **fields})


def exit_of(rows: list[Row], **fields: Any) -> tuple[str, str] | None:
    """Return reason and key of the exit that these candles make."""
    result = guarded(**fields).on_candle(view(rows))
    if result is None:
        return None
    decision = decided(result)
    assert decision.action == "exit"
    return decision.reason, decision.key


def key(candle: int, rule: str) -> str:
    return f"exit:{POSITION}:{time_of(candle)}:{rule}"


def test_the_exit_rule_sells_at_the_open_of_the_candle_that_has_begun() -> None:
    decision = decided(guarded().on_candle(view([row(BUY), row(), row(SELL)], after_ms=200, opening="99.1")))
    assert (decision.reason, decision.key) == ("SellOnVolume", key(2, "SellOnVolume"))
    assert (decision.price, decision.decided_at, decision.candle_time) == (dec("99.1"), time_of(3) + 200, time_of(2))
    assert decision.quantity is None


def test_while_no_rule_holds_the_position_stays() -> None:
    watched = guarded()
    assert watched.on_candle(view([row(BUY), row(BUY)])) is None
    assert watched.sighting.verdict == "in position: no exit rule holds"
    assert watched.sighting.levels == ExitLevels(stop=dec(97), target=dec(106))
    assert watched.sighting.exit_state is not None
    assert watched.sighting.exit_state.folded == time_of(1)


def test_missed_candles_are_folded_and_the_first_exit_among_them_counts() -> None:
    """Three candles were missed; the rule held on the second. The price is the one of now."""
    watched = guarded()
    seen = view([row(BUY), row(high=103), row(SELL), row()], after_ms=200, opening="95")
    decision = decided(watched.on_candle(seen))
    assert (decision.key, decision.price) == (key(2, "SellOnVolume"), dec(95))
    assert decision.candle_time == time_of(3), "no entry may act on the candle that this exit acted on"


def test_missed_candles_move_the_state_and_nothing_else() -> None:
    watched = guarded()
    assert watched.on_candle(view([row(BUY), row(high=103), row(high=102), row()])) is None
    assert watched.result("segment").exit_state == state(0).model_copy(
        update={"folded": time_of(3), "values": {"peak": 103.0, "bars": 3}, "stop": 51.5}
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(97.01, 105.99, None, id="inside"),
        pytest.param(97, 100, "stop_loss", id="low-at-the-stop"),
        pytest.param(100, 106, "take_profit", id="high-at-the-target"),
        pytest.param(90, 110, "stop_loss", id="both-the-stop-counts-first"),
    ],
)
def test_a_closed_candle_shows_what_no_tick_has_reported(low: float, high: float, expected: str | None) -> None:
    found = exit_of([row(BUY), row(low=low, high=high)])
    assert found == (None if expected is None else (expected, key(1, expected)))


def test_risk_exits_win_over_the_strategy_on_the_same_candle() -> None:
    assert exit_of([row(BUY), row(SELL, low=96)]) == ("stop_loss", key(1, "stop_loss"))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row(), row(low=96), row(SELL)], ("stop_loss", 1), id="the-stop"),
        pytest.param([row(), row(SELL), row(low=96)], ("SellOnVolume", 1), id="the-strategy"),
        pytest.param([row(), row(high=107), row(low=96)], ("take_profit", 1), id="the-target"),
    ],
)
def test_of_missed_candles_the_first_to_exit_decides(rows: list[Row], expected: tuple[str, int]) -> None:
    rule, candle = expected
    assert exit_of(rows) == (rule, key(candle, rule))


def test_the_candle_of_the_signal_and_those_before_touch_no_level() -> None:
    """Entered at the open of candle 2."""
    rows = [row(low=50, high=200), row(BUY, low=50, high=200), row()]
    assert exit_of(rows, book=held(1), exit_state=state(1)) is None
    assert exit_of([*rows[:2], row(low=97)], book=held(1), exit_state=state(1)) == ("stop_loss", key(2, "stop_loss"))


def test_candles_that_were_judged_before_are_not_judged_by_new_levels() -> None:
    """The stop was moved up to 99 by an edit: the low of 98 an hour ago was no exit then and is none now."""
    rows = [row(BUY), row(low=98), row(low=99.5)]
    settings = {"risk_management__stop_loss_pct": 1.0}
    assert watcher(held(0), settings=settings, exit_state=state(1)).on_candle(view(rows)) is None
    changed = watcher(held(0), settings=settings, exit_state=state(1), with_strategy=strategy(mark=1))
    assert changed.on_candle(view(rows)) is None, "even where the exit rule begins anew"


def test_a_second_entry_is_not_judged_by_candles_before_it() -> None:
    """The average rose to 110, so the stop to 106.7; candle 1, with its low of 100, was before the second entry."""
    book = held(0, quantity="2", cost="220", entries=2, entered_at=time_of(2))
    rows = [row(BUY), row(low=100), row(low=108, high=111)]
    assert exit_of(rows, book=book, exit_state=state(0)) is None


# entries in the middle of a candle


def test_a_late_entry_is_not_judged_by_what_its_candle_did_before() -> None:
    """Entered at 90, half a minute into candle 1, which had opened at 100: its high is no profit."""
    book = held(0, cost="90", opened_at=time_of(1) + 30_000, entered_at=time_of(1) + 30_000)
    rows = [row(BUY), row(high=101, low=80, close=90)]
    watched = guarded(book)
    assert watched.opened == time_of(1) + 30_000, "prices before the entry touch no level either"
    assert watched.on_candle(view(rows)) is None
    assert exit_of([*rows, row(low=87.3, high=88)], book=book) == ("stop_loss", key(2, "stop_loss"))


def test_an_entry_in_time_is_judged_by_all_of_its_candle() -> None:
    moment = time_of(1) + LATE_MS
    book = held(0, opened_at=moment, entered_at=moment)
    assert exit_of([row(BUY), row(low=96)], book=book) == ("stop_loss", key(1, "stop_loss"))


def test_while_flat_there_is_nothing_to_watch() -> None:
    watched = watcher(settings=STOPS)
    assert (watched.levels, watched.opened) == (ExitLevels(), None)


# prices between candles


@pytest.mark.parametrize(
    ("rule", "reason"), [("stop", "stop_loss"), ("target", "take_profit"), ("last_stop", "last_stop")]
)
def test_a_price_at_a_level_sells_at_the_level(rule: Any, reason: str) -> None:
    watched = guarded()
    hit = LevelHit(rule, dec("97"), time_of(4), time_of(4) + 1_234)
    decision = decided(watched.on_level(view([row(BUY)] * 4), hit))
    assert (decision.action, decision.reason, decision.key) == ("exit", reason, f"exit:{POSITION}:{reason}:0")
    assert (decision.price, decision.candle_time, decision.decided_at) == (dec(97), time_of(4), time_of(4) + 1_234)
    assert watched.sighting.verdict == f"{reason} at 97"


def test_an_exit_inside_a_candle_forbids_an_entry_at_its_close() -> None:
    hit = LevelHit("stop", dec(97), time_of(1), time_of(1) + 5)
    acted = decided(guarded().on_level(view([row(BUY)]), hit)).candle_time
    flat = watcher(acted_candle=acted)
    assert flat.on_candle(view([row(), row(BUY)])) is None
    assert flat.sighting.verdict == "this candle has been acted on"
    assert decided(flat.on_candle(view([row(), row(), row(BUY)]))).action == "enter", "the next one is free"


def test_a_level_without_a_position_is_nobodys() -> None:
    assert watcher().on_level(view([row()]), LevelHit("stop", dec(1), time_of(1), time_of(1))) is None


# exit state


def test_a_position_without_a_state_starts_at_its_signal() -> None:
    """Its books were restored from the row: everything since the signal is folded again."""
    watched = guarded(exit_state=None)
    assert watched.on_candle(view([row(BUY, high=200), row(high=104), row()])) is None
    folded = watched.result("segment").exit_state
    assert folded is not None
    assert (folded.folded, folded.values) == (time_of(2), {"peak": 104.0, "bars": 2})


def test_the_state_of_another_rule_is_dropped_and_the_new_rule_starts_at_the_signal() -> None:
    watched = guarded(exit_state=state(2, mark=9, peak=150.0, bars=40))
    assert watched.on_candle(view([row(BUY), row(high=104), row()])) is None
    folded = watched.result("segment").exit_state
    assert folded is not None
    assert folded.values == {"peak": 104.0, "bars": 2}


@pytest.mark.parametrize(
    ("request_state", "cached", "expected"),
    [
        pytest.param(state(1), state(2, bars=5), 5, id="newer-heartbeat"),
        pytest.param(state(2, bars=3), state(1, bars=9), 3, id="older-heartbeat"),
        pytest.param(state(2, bars=3), state(2, bars=9), 3, id="the-workflow-wins-a-tie"),
        pytest.param(state(1, bars=3), state(2, mark=5, bars=9), 4, id="a-heartbeat-of-another-rule"),
        pytest.param(None, state(2, bars=9), 9, id="only-a-heartbeat"),
    ],
)
def test_the_newest_state_of_workflow_and_heartbeat_goes_on(
    request_state: ExitState | None, cached: ExitState, expected: int
) -> None:
    watched = guarded(exit_state=request_state, cached=cached)
    assert watched.on_candle(view([row(BUY), row(), row()])) is None
    folded = watched.result("segment").exit_state
    assert folded is not None
    assert folded.values["bars"] == expected


def test_a_heartbeat_means_nothing_to_a_bot_that_is_flat() -> None:
    assert watcher(cached=state(3)).result("segment").exit_state is None


def test_the_same_candles_fold_alike_in_one_piece_and_in_two() -> None:
    rows = [row(BUY), row(high=103), row(high=107), row(high=101)]
    whole, parts = watcher(held(0), exit_state=state(0)), watcher(held(0), exit_state=state(0))
    assert whole.on_candle(view(rows)) is None
    for count in (2, 3, 4):
        assert parts.on_candle(view(rows[:count])) is None
    again = watcher(held(0), exit_state=parts.result("segment").exit_state)
    assert again.on_candle(view(rows)) is None
    states = [each.result("segment").exit_state for each in (whole, parts, again)]
    assert states[0] == states[1] == states[2]


def test_an_exit_whose_answer_was_lost_is_decided_again_under_the_same_key() -> None:
    rows = [row(BUY), row(SELL), row()]
    first, lost = guarded(), guarded()
    assert lost.on_candle(view(rows[:2])) is not None  # its watch was cancelled before the answer arrived
    assert decided(first.on_candle(view(rows))).key == decided(guarded().on_candle(view(rows[:2]))).key


def test_a_judgement_that_failed_has_folded_nothing() -> None:
    """The exit rule was folded, then the entry rule raised: the state must not go on without a decision."""
    broken = CustomStrategy(Failing(Parameters()), SellOnVolume(SellParams()))
    settings = {**STOPS, "trading__max_positions": 2}
    watched = watcher(held(0), settings=settings, exit_state=state(0), with_strategy=broken)
    with pytest.raises(RuntimeError):
        watched.on_candle(view([row(BUY), row()]))
    assert watched.result("failed", reason="x").exit_state == state(0)


@pytest.mark.parametrize(
    ("folded", "lost"),
    [pytest.param(-1, 0, id="none"), pytest.param(-2, 1, id="one"), pytest.param(-61, 60, id="an-hour")],
)
def test_candles_that_the_venue_keeps_no_more_are_counted(folded: int, lost: int) -> None:
    book = held(folded - 1)
    watched = watcher(book, exit_state=state(folded))
    watched.on_candle(view([row(), row()]))
    assert watched.result("segment").lost_candles == lost
    watched.on_candle(view([row(), row(), row()]))
    assert watched.result("segment").lost_candles == lost, "they are counted once"


def test_candles_that_a_new_rule_misses_are_counted_too() -> None:
    watched = watcher(held(-5), exit_state=state(1, mark=9))
    watched.on_candle(view([row(), row()]))
    assert watched.result("segment").lost_candles == 4


# without the strategy


def test_while_the_strategy_fails_its_last_stop_is_watched_by_price() -> None:
    watched = guarded(guard_only=True, exit_state=state(1).model_copy(update={"stop": 98.25}))
    assert watched.levels == ExitLevels(stop=dec(97), target=dec(106), last_stop=dec("98.25"))
    assert watched.on_candle(view([row(BUY), row(), row(SELL)])) is None
    assert watched.sighting.verdict == "the strategy has failed: only the levels are guarded"
    assert watched.seen == time_of(2)
    assert watched.result("segment").exit_state is not None
    assert watched.result("segment").exit_state.folded == time_of(1), "nothing is folded without the rule"  # type: ignore[union-attr]


def test_while_the_strategy_fails_closed_candles_still_show_a_missed_stop() -> None:
    found = exit_of([row(BUY), row(), row(low=96.5)], guard_only=True)
    assert found == ("stop_loss", key(2, "stop_loss"))


# a person's commands


def commanded(order: str, book: Book | None = None, **fields: Any) -> Watcher:
    return guarded(book, command=order, **fields) if book else watcher(command=order, **fields)


def test_closing_sells_at_the_current_price_at_once() -> None:
    watched = commanded("close", held(0), command_reason="bot_stopped")
    seen = view([row(BUY), row()], after_ms=20_000, price=dec("99.7"), price_at=time_of(2) + 19_000)
    decision = decided(watched.on_command(seen))
    assert (decision.action, decision.reason, decision.key) == ("exit", "bot_stopped", f"exit:{POSITION}:bot_stopped:0")
    assert (decision.price, decision.candle_time, decision.decided_at) == (dec("99.7"), time_of(2), time_of(2) + 20_000)


def test_closing_works_without_the_strategy_on_stale_data_and_behind_every_gate() -> None:
    watched = commanded("close", held(0), gate="paused", guard_only=True)
    assert decided(watched.on_command(view([row()], stale=True))).reason == "manual_close"


def test_closing_waits_for_a_price() -> None:
    assert commanded("close", held(0)).on_command(view([], opening=None)) is None


def test_closing_without_a_position_is_refused() -> None:
    result = commanded("close").on_command(view([row()]))
    assert result is not None
    assert (result.outcome, result.reason) == ("refused", "there is no position to close")


def test_in_a_quiet_market_a_command_acts_in_the_candle_of_its_moment() -> None:
    """No trade for three minutes: the running candle is the one of now, though it has not had its first trade."""
    seen = view([row(BUY), row()], after_ms=3 * MINUTE + 1, opening=None, price=dec(99), price_at=time_of(2))
    assert decided(commanded("close", held(0)).on_command(seen)).candle_time == time_of(5)
    seen = view([row(BUY), row()], after_ms=3 * MINUTE + 1)
    assert decided(commanded("close", held(0)).on_command(seen)).candle_time == time_of(5)


def test_opening_buys_at_the_current_price() -> None:
    watched = commanded("open", command_reason="manual_open:1")
    seen = view([row(), row()], after_ms=20_000, price=dec(80), price_at=time_of(2) + 19_000)
    decision = decided(watched.on_command(seen))
    assert (decision.action, decision.reason) == ("enter", "manual_open")
    assert decision.key == f"enter:{time_of(2)}:manual_open:1"
    assert (decision.price, decision.quantity, decision.signal_close) == (dec(80), dec("1.25"), dec(80))
    assert decision.candle_time == time_of(2)


def test_a_position_opened_by_hand_is_protected_from_its_first_moment_and_only_by_what_follows() -> None:
    opened = commanded("open").on_command(
        view([row(), row()], after_ms=20_000, price=dec(80), price_at=time_of(2) + 19_000)
    )
    decision = decided(opened)
    book = Book(cash=dec(900), position=entered(Book(cash=dec(1000)), decision))
    watched = guarded(book, exit_state=decision.exit_state)
    assert watched.opened == time_of(2) + 20_000, "the price is watched for the rest of the running candle"
    assert decision.exit_state is not None
    assert decision.exit_state.stop == 40.0, "the exit rule has its stop at once"
    running = [row(), row(), row(high=200, low=50)]
    assert watched.on_candle(view(running)) is None, "extremes of the running candle may be older than the position"
    folded = watched.result("segment").exit_state
    assert folded is not None
    assert folded.values == {"peak": 80.0, "bars": 0}
    after = decided(watched.on_candle(view([*running, row(low=77.6)])))
    assert (after.reason, after.key) == ("stop_loss", key(3, "stop_loss"))


@pytest.mark.parametrize(
    ("fields", "at", "reason"),
    [
        pytest.param({"gate": "paused"}, {}, "paused", id="gate"),
        pytest.param({}, {"stale": True}, "market data is stale", id="stale"),
        pytest.param({"guard_only": True}, {}, "there is no strategy that could close the position", id="no-strategy"),
        pytest.param(
            {"settings": {"trading__position_size": 0.001}},
            {},
            "notional 1 is below the least of BTC/USDT, 5 USDT",
            id="too-small",
        ),
    ],
)
def test_opening_is_refused_with_a_reason(fields: dict[str, Any], at: dict[str, Any], reason: str) -> None:
    result = commanded("open", **fields).on_command(view([row()], **at))
    assert result is not None
    assert (result.outcome, result.reason) == ("refused", reason)


def test_opening_beyond_the_entries_is_refused() -> None:
    result = commanded("open", held(0)).on_command(view([row(BUY)]))
    assert result is not None
    assert (result.outcome, result.reason) == ("refused", "1 of 1 entries open")


def test_opening_waits_for_the_candles_that_the_exit_rule_starts_from() -> None:
    assert commanded("open").on_command(view([])) is None


def test_without_a_command_there_is_nothing_to_carry_out() -> None:
    assert watcher().on_command(view([row()])) is None
