from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adoption import HISTORY_WAS_RESET
from activities.orders import OrderActivities, ResolveOrder, SubmitOrder
from domain.errors import AccountRefused, InsufficientBalance, NotSent, OrderMismatch, OrderUncertain, VenueUnavailable
from domain.guards import Guards
from domain.instruments import AccountRef
from domain.orders import OrderReport, OrderRequest, Side
from domain.paper import paper_terms
from domain.ports import OrderHabits
from domain.positions import Book
from tests.domain.builders import config, dec, instrument, intent
from tests.support.exchange import FakeExchange
from tests.support.fakes import FakeBroker, FakeGate

DAY = 86_400_000


def order(side: Side = "buy", quantity: str = "1", **changes: Any) -> SubmitOrder:
    settings = config(**changes.pop("settings", {}))
    book = changes.pop("book", Book(cash=dec(1000)))
    request = OrderRequest(
        bot_id="bot",
        intent=intent(side=side, quantity=quantity),
        instrument=instrument(),
        paper=paper_terms(settings),
        cash=book.cash,
        holding=changes.pop("holding", dec(0)),
    )
    return SubmitOrder(order=request, config=settings, book=book, **{"guards": Guards(), **changes})


async def submitted(
    broker: FakeBroker | FakeExchange, request: SubmitOrder, *, closed: str | None = None
) -> OrderReport:
    return await ActivityEnvironment().run(OrderActivities(broker, FakeGate(closed)).submit_order, request)


async def test_an_order_is_placed() -> None:
    report = await submitted(FakeBroker(), order())
    assert (report.status, report.filled_quantity) == ("filled", dec(1))


async def test_an_order_that_the_broker_knows_is_not_sent_again_whatever_the_limits_say() -> None:
    broker, request = FakeBroker(), order(guards=Guards(entries=9), settings={"risk_management__max_daily_trades": 1})
    known = OrderReport(client_order_id=request.order.intent.client_order_id, status="filled")

    async def find(_request: OrderRequest) -> OrderReport:
        return known

    broker.find = find  # type: ignore[method-assign, assignment]
    assert await submitted(broker, request) == known
    assert broker.submitted == []


async def test_an_entry_beyond_a_limit_is_an_answer_and_never_sent() -> None:
    broker = FakeBroker()
    request = order(guards=Guards(entries=1), settings={"risk_management__max_daily_trades": 1})
    report = await submitted(broker, request)
    assert (report.status, report.reason) == ("rejected", "risk: max_daily_trades: 1 of 1 made today")
    assert broker.submitted == []


async def test_an_entry_that_is_too_small_for_the_venue_is_an_answer() -> None:
    report = await submitted(FakeBroker(), order(quantity="0.04"))
    assert report.status == "rejected"
    assert "risk: " in (report.reason or "")


async def test_no_limit_stands_in_the_way_of_an_exit() -> None:
    request = order(
        "sell",
        holding=dec(1),
        guards=Guards(entries=9, realized=dec(-900)),
        settings={"risk_management__max_daily_trades": 1, "risk_management__max_daily_loss": 1},
    )
    assert (await submitted(FakeBroker(), request)).status == "filled"


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_closed_gate_refuses_an_entry_after_it_was_looked_up_and_no_exit(side: Side) -> None:
    exchange, request = FakeExchange(), order(side, holding=dec(1))
    activities = OrderActivities(exchange, FakeGate("entries are halted: a storm"))
    report = await ActivityEnvironment().run(activities.submit_order, request)
    refused = ("rejected", "risk: entries are halted: a storm")
    assert (report.status, report.reason) == (refused if side == "buy" else ("filled", None))
    assert exchange.accepted == ([] if side == "buy" else [report.client_order_id])
    assert exchange.looked_up == 1


async def test_an_entry_that_the_broker_has_is_reported_although_the_gate_is_closed() -> None:
    exchange, request = FakeExchange(), order()
    activities = OrderActivities(exchange, gate := FakeGate())
    first = await ActivityEnvironment().run(activities.submit_order, request)
    gate.reason = "entries are halted: a storm"
    assert await ActivityEnvironment().run(activities.submit_order, request) == first


async def test_what_the_broker_refuses_is_an_answer() -> None:
    report = await submitted(FakeBroker(refusal="market closed"), order())
    assert (report.status, report.reason) == ("rejected", "market closed")


@pytest.mark.parametrize(
    ("side", "free", "sellable"),
    [
        pytest.param("sell", "0.987654", "0.98765", id="in-lots"),
        pytest.param("sell", "0", "0", id="nothing-is-left"),
        pytest.param("sell", "3", "1", id="never-more-than-was-meant"),
        pytest.param("sell", None, None, id="nobody-knows"),
        pytest.param("buy", "5", None, id="a-purchase"),
    ],
)
async def test_a_sale_that_is_refused_for_lack_of_balance_says_what_could_be_sold(
    side: Side, free: str | None, sellable: str | None
) -> None:
    failure = InsufficientBalance("too little", free=None if free is None else dec(free))
    report = await submitted(FakeBroker(failure=failure), order(side, holding=dec(1)))
    assert (report.status, report.reason) == ("rejected", "too little")
    assert report.sellable == (None if sellable is None else dec(sellable))


async def test_an_order_that_has_not_left_is_an_answer() -> None:
    broker = FakeBroker(failure=NotSent("the breaker of binance is open"))
    report = await submitted(broker, order())
    assert (report.status, report.reason) == ("pending", "the breaker of binance is open")


async def test_a_venue_that_does_not_answer_the_look_up_has_not_got_the_order_either() -> None:
    broker = FakeBroker(blind=VenueUnavailable("no answer"))
    assert (await submitted(broker, order())).status == "pending"
    assert broker.submitted == []


async def test_a_lost_answer_fails_the_attempt_so_that_the_next_one_looks_it_up() -> None:
    with pytest.raises(ApplicationError) as failure:
        await submitted(FakeBroker(failure=OrderUncertain("the connection was reset")), order())
    assert (failure.value.type, failure.value.non_retryable) == ("OrderUncertain", False)


def live_order(side: Side = "buy", **changes: Any) -> SubmitOrder:
    request = order(side, **changes)
    account = AccountRef(venue=instrument().venue, credentials="main")
    return request.model_copy(update={"order": request.order.model_copy(update={"account": account, "paper": None})})


def scheduled(at: datetime) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, scheduled_time=at, workflow_run_id="this run")
    return environment


@pytest.mark.parametrize(
    ("adopted_run", "seconds"),
    [
        pytest.param("another run", 60, id="the-history-was-reset"),
        pytest.param(None, 60, id="the-orders-of-the-venue-are-still-to-be-adopted"),
        pytest.param("this run", -60, id="scheduled-before-this-process-began-perhaps-by-a-restored-server"),
    ],
)
async def test_a_live_order_of_a_history_that_may_have_gone_back_is_neither_sent_nor_followed(
    adopted_run: str | None, seconds: int
) -> None:
    broker, request = FakeBroker(), live_order(adopted_run=adopted_run)
    activities, at = OrderActivities(broker, FakeGate()), datetime.now(UTC) + timedelta(seconds=seconds)
    follow = ResolveOrder(order=request.order, adopted_run=adopted_run)
    for call in ((activities.submit_order, request), (activities.resolve_order, follow)):
        with pytest.raises(ApplicationError) as failure:
            await scheduled(at).run(*call)
        assert (failure.value.type, failure.value.non_retryable) == (HISTORY_WAS_RESET, True)
    assert broker.submitted == []


async def test_a_live_order_is_sent_once_the_venues_orders_were_adopted_in_this_run() -> None:
    exchange, environment = FakeExchange(), scheduled(datetime.now(UTC) + timedelta(seconds=60))
    activities = OrderActivities(exchange, FakeGate())
    report = await environment.run(activities.submit_order, live_order(adopted_run="this run"))
    assert report.status == "filled"
    assert exchange.accepted == [report.client_order_id]


REFUSED = AccountRefused("Invalid API-key, IP, or permissions for action.")


@pytest.mark.parametrize(("attempt", "wary"), [(1, False), (1, True), (3, False)])
async def test_keys_that_are_refused_to_an_order_which_was_absent_reject_it(attempt: int, wary: bool) -> None:
    exchange = FakeExchange(refused=REFUSED, habit=OrderHabits(finds=True, late_after=0.0))
    environment = scheduled(datetime.now(UTC) + timedelta(seconds=60))
    environment.info = replace(environment.info, attempt=attempt)
    activities = OrderActivities(exchange, FakeGate())
    report = await environment.run(activities.submit_order, live_order(adopted_run="this run", wary=wary))
    assert (report.status, report.reason) == ("rejected", str(REFUSED))
    assert exchange.looked_up == (1 if attempt == 1 and not wary else 3)


@pytest.mark.parametrize(
    ("attempt", "wary", "status"), [(1, False, "rejected"), (1, True, "unknown"), (3, False, "unknown")]
)
async def test_keys_that_are_refused_to_the_look_up_leave_an_earlier_attempt_unknown(
    attempt: int, wary: bool, status: str
) -> None:
    exchange, environment = FakeExchange(blind=REFUSED), scheduled(datetime.now(UTC) + timedelta(seconds=60))
    environment.info = replace(environment.info, attempt=attempt)
    activities = OrderActivities(exchange, FakeGate())
    report = await environment.run(activities.submit_order, live_order(adopted_run="this run", wary=wary))
    assert (report.status, report.reason) == (status, str(REFUSED))


async def test_another_order_under_the_id_is_a_forgotten_one_while_such_may_arrive_and_unknown_later() -> None:
    broker = FakeBroker(blind=OrderMismatch("amount is 2, expected 1"))
    environment = scheduled(datetime.now(UTC) + timedelta(seconds=60))
    activities = OrderActivities(broker, FakeGate())
    with pytest.raises(ApplicationError) as failure:
        await environment.run(activities.submit_order, live_order(adopted_run="this run", wary=True))
    assert failure.value.type == HISTORY_WAS_RESET
    report = await environment.run(activities.submit_order, live_order(adopted_run="this run"))
    assert (report.status, report.reason) == ("unknown", "amount is 2, expected 1")


async def cancelled(exchange: FakeExchange, request: SubmitOrder) -> OrderReport:
    return await ActivityEnvironment().run(
        OrderActivities(exchange, FakeGate()).cancel_order, ResolveOrder(order=request.order)
    )


def offer(**changes: Any) -> SubmitOrder:
    request = order(**changes)
    limit = request.order.intent.model_copy(update={"type": "limit", "price": dec(99)})
    return request.model_copy(update={"order": request.order.model_copy(update={"intent": limit})})


async def test_an_order_that_rests_is_cancelled_once_and_for_all() -> None:
    exchange, request = FakeExchange(), offer()
    await submitted(exchange, request)
    report = await cancelled(exchange, request)
    assert (report.status, report.fills) == ("cancelled", ())
    assert await cancelled(exchange, request) == report


async def test_what_was_filled_before_it_could_be_cancelled_is_told() -> None:
    exchange, request = FakeExchange(), offer()
    name = request.order.intent.client_order_id
    await submitted(exchange, request)
    exchange.fill_part(name, dec("0.25"))
    report = await cancelled(exchange, request)
    assert (report.status, report.filled_quantity) == ("cancelled", dec("0.25"))


async def test_an_order_to_be_cancelled_that_the_venue_shows_no_more_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.orders._MISSING_SECONDS", 0.1)
    report = await cancelled(FakeExchange(), offer())
    assert (report.status, report.reason) == ("unknown", "binance shows the order no more")


async def test_a_cancellation_waits_for_a_venue_that_is_away() -> None:
    exchange, request = FakeExchange(), offer()
    await submitted(exchange, request)
    exchange.blind = VenueUnavailable("maintenance")
    with pytest.raises(ApplicationError) as failure:
        await cancelled(exchange, request)
    assert not failure.value.non_retryable


@pytest.mark.parametrize(("awaited", "filled"), [("answer", "0"), ("change", "0.5")])
async def test_how_an_order_stands_is_told_while_it_rests(awaited: Any, filled: str) -> None:
    exchange, request = FakeExchange(), offer()
    await submitted(exchange, request)
    exchange.fill_part(request.order.intent.client_order_id, dec("0.25"))
    question = ResolveOrder(order=request.order, awaited=awaited, filled=dec(filled))
    report = await ActivityEnvironment().run(OrderActivities(exchange, FakeGate()).resolve_order, question)
    assert (report.status, report.filled_quantity) == ("partially_filled", dec("0.25"))
