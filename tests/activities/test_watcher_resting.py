"""What a watch sees while an order of its bot rests."""

from typing import Any

import pytest

from activities.glance import LATE_MS
from domain.decisions import ExitLevels, ExitState
from domain.ports import LevelHit
from domain.watch import RestingOrder
from tests.activities.stage import BUY, SELL, Row, decided, held, request, row, state, time_of, view, watcher
from tests.domain.builders import dec
from tests.support.bots import LIVE

STOPS = {"risk_management__stop_loss_pct": 3.0, "risk_management__take_profit_pct": 6.0}


def offer(side: str = "buy", **changes: Any) -> RestingOrder:
    """An order of candle 1's open, at 99 or 101, for five minutes."""
    fields = {
        "client_order_id": "s1",
        "side": side,
        "type": "limit",
        "price": "99" if side == "buy" else "101",
        "since": time_of(1),
        "until": time_of(6),
        "paper": True,
    }
    return RestingOrder.model_validate(fields | changes)


def stop(price: str) -> RestingOrder:
    return offer("sell", type="stop", price=price, until=None, paper=False)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(offer(), ExitLevels(limit_buy=dec("98.99")), id="to-buy-a-tick-below"),
        pytest.param(offer("sell"), ExitLevels(limit_sell=dec("101.01")), id="to-sell-a-tick-above"),
        pytest.param(offer(paper=False), ExitLevels(), id="the-venue-fills-its-own"),
    ],
)
def test_on_paper_an_offer_waits_for_a_price_beyond_it(order: RestingOrder, expected: ExitLevels) -> None:
    watched = watcher(resting=[order])
    assert (watched.levels, watched.opened) == (expected, time_of(1))


def test_a_price_beyond_an_offer_fills_it_then() -> None:
    watched = watcher(resting=[offer()])
    result = watched.on_level(view([row()]), LevelHit("limit_buy", dec("98.99"), time_of(1), time_of(1) + 700))
    assert result is not None
    assert (result.outcome, result.reached_at) == ("reached", time_of(1) + 700)


@pytest.mark.parametrize(
    ("rows", "changes", "expected"),
    [
        pytest.param([row(), row(low=98.99)], {}, time_of(2), id="below-it"),
        pytest.param([row(), row(low=99)], {}, None, id="at-it-is-not-through-it"),
        pytest.param([row(low=90), row()], {}, None, id="before-it"),
        pytest.param([row(), row(low=98)], {"since": time_of(1) + LATE_MS}, time_of(2), id="placed-at-the-open"),
        pytest.param([row(), row(low=98)], {"since": time_of(1) + LATE_MS + 1}, None, id="placed-in-the-middle"),
        pytest.param([row(), row(low=98)], {"until": time_of(2)}, time_of(2), id="in-time-to-the-last"),
        pytest.param([row(), row(low=98)], {"paper": False}, None, id="the-venue-knows-better"),
        pytest.param([row(), row(high=102)], {"side": "sell", "price": "101"}, time_of(2), id="above-a-sale"),
    ],
)
def test_a_candle_that_trades_through_an_offer_fills_it_at_its_end(
    rows: list[Row], changes: dict[str, Any], expected: int | None
) -> None:
    result = watcher(resting=[offer(**changes)]).on_time(view(rows))
    assert (result.reached_at if result else None) == expected


def test_a_candle_that_ends_after_an_offer_does_not_fill_it() -> None:
    result = watcher(resting=[offer(until=time_of(2) - 1)]).on_time(view([row(), row(low=98)]))
    assert result is not None
    assert result.outcome == "overdue"


def test_an_offer_is_overdue_by_the_venue_s_clock() -> None:
    watched = watcher(resting=[offer(until=time_of(2) + 30_000)])
    assert watched.on_time(view([row(), row()], after_ms=29_999)) is None
    assert watched.due_in(view([row(), row()], after_ms=29_000)) == 1.0
    result = watched.on_time(view([row(), row()], after_ms=30_000))
    assert result is not None
    assert result.outcome == "overdue"


def test_an_offer_to_buy_does_not_outlive_a_halt_and_one_to_sell_does() -> None:
    buying, selling = watcher(resting=[offer()]), watcher(held(0), resting=[offer("sell")])
    buying.closed = selling.closed = "halted: a person said so"
    result = buying.on_time(view([row()]))
    assert result is not None
    assert (result.outcome, result.reason) == ("overdue", "halted: a person said so")
    assert selling.on_time(view([row()])) is None


def test_without_an_offer_nothing_is_due() -> None:
    watched = watcher(held(0), settings=LIVE, resting=[stop("97")])
    assert watched.due_in(view([row()])) is None
    assert watched.on_time(view([row(), row(low=90)])) is None


def test_while_an_exit_rests_only_the_stops_are_watched() -> None:
    watched = watcher(held(0), settings=STOPS, exit_state=state(0), resting=[offer("sell")])
    assert watched.levels == ExitLevels(stop=dec(97), limit_sell=dec("101.01"))
    assert watched.on_candle(view([row(BUY), row(SELL, high=110)])) is None
    assert watched.sighting.verdict == "an exit order rests: only the levels are guarded"
    decision = decided(watched.on_candle(view([row(BUY), row(SELL), row(low=96)])))
    assert (decision.reason, decision.urgent) == ("stop_loss", True)


def test_on_a_candle_that_shows_both_the_stop_counts_before_the_offer_to_sell() -> None:
    watched = watcher(held(0), settings=STOPS, exit_state=state(0), resting=[offer("sell")])
    both = view([row(BUY), row(low=96, high=102)])
    assert watched.on_time(both) is None
    assert decided(watched.on_candle(both)).reason == "stop_loss"


def test_an_entry_at_a_limit_is_sized_by_it_and_still_refers_to_the_market() -> None:
    """100 of 1000 at 99 are 1.01010 BTC in lots."""
    settings = {"trading__entry_order": "limit", "trading__limit_offset_pct": 1.0}
    decision = decided(watcher(settings=settings).on_candle(view([row(), row(BUY)])))
    assert (decision.price, decision.quantity, decision.urgent) == (dec(100), dec("1.01010"), False)


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        pytest.param(None, "unprotected", id="none-rests"),
        pytest.param("97", None, id="it-rests-there"),
        pytest.param("96", "unprotected", id="it-rests-elsewhere"),
    ],
)
def test_a_stop_at_the_exchange_that_is_not_where_it_should_be_is_told(tried: str | None, expected: str | None) -> None:
    settings = LIVE | {"risk_management__exchange_stop": True, "risk_management__stop_loss_pct": 3.0}
    known = ExitState(logic=state(0).logic, folded=time_of(0), values={"peak": 100.0, "bars": 0}, stop=50.0)
    watched = watcher(held(0), settings=settings, exit_state=known, stop_tried=tried)
    result = watched.on_candle(view([row(BUY), row()]))
    assert (result.outcome if result else None) == expected


def test_a_request_knows_its_offer_among_what_rests() -> None:
    asked = request(resting=[stop("97"), offer("sell")])
    assert (asked.limit, asked.leaving) == (offer("sell"), True)
    assert (request(resting=[stop("97")]).limit, request(resting=[offer()]).leaving) == (None, False)
