"""The patience of a venue: budgets, back-offs and rests, shared by all that ask one address."""

import time

import pytest
from ccxt.base.errors import InvalidOrder, RequestTimeout

from brokers.access import VenueAccess
from brokers.budget import AddressBudget
from domain.errors import VenueUnavailable
from domain.instruments import VenueRef

WEIGHT = "X-MBX-USED-WEIGHT-1M"


@pytest.fixture
def access(monkeypatch: pytest.MonkeyPatch) -> VenueAccess:
    """Of an exchange that reports its budget, 20 seconds into a minute."""
    monkeypatch.setattr(time, "time", lambda: 1_700_000_060.0 // 60 * 60 + 20)
    return VenueAccess(VenueRef(name="binance"), AddressBudget())


def fail(access: VenueAccess, error: Exception) -> None:
    with pytest.raises(type(error)), access.breaker:
        raise error


def test_reads_leave_a_fifth_of_the_budget_to_orders(access: VenueAccess) -> None:
    """Binance allows 6,000 in a minute, of which four fifths are 4,800."""
    access.hear(200, {WEIGHT: "4799"})
    access.admit(urgent=False)
    access.hear(200, {WEIGHT: "4800"})
    with pytest.raises(VenueUnavailable, match="4800 of 6000") as refused:
        access.admit(urgent=False)
    assert refused.value.retry_after == 41, "the exchange's minute ends in 40 s, by its clock"
    access.admit(urgent=True)


def test_the_budget_is_new_in_the_next_minute(access: VenueAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    access.hear(200, {WEIGHT: "5999"})
    monkeypatch.setattr(time, "time", lambda: 1_700_000_060.0 // 60 * 60 + 61)
    access.admit(urgent=False)


def test_the_budget_is_that_of_the_newest_answer(access: VenueAccess) -> None:
    access.hear(200, {WEIGHT.lower(): "5999"})
    access.hear(200, {WEIGHT: "12"})
    access.admit(urgent=False)


def test_an_exchange_that_reports_no_budget_has_none() -> None:
    access = VenueAccess(VenueRef(name="kraken"), AddressBudget())
    access.hear(200, {WEIGHT: "9999999"})
    access.admit(urgent=False)


@pytest.mark.parametrize(("status", "held"), [(429, True), (418, True), (503, True), (200, False), (400, False)])
def test_a_refusal_that_says_for_how_long_holds_orders_back_too(access: VenueAccess, status: int, held: bool) -> None:
    access.hear(status, {"Retry-After": "30"})
    if not held:
        access.admit(urgent=True)
        return
    with pytest.raises(VenueUnavailable, match="left alone") as refused:
        access.admit(urgent=True)
    assert refused.value.retry_after == pytest.approx(30, abs=1)


def test_the_longer_of_two_back_offs_counts(access: VenueAccess) -> None:
    access.back_off(30)
    access.back_off(1)
    assert access.retry_after == pytest.approx(30, abs=1)


def test_a_fifth_failure_in_a_row_opens_the_breaker_and_a_success_starts_the_count_anew(access: VenueAccess) -> None:
    for _ in range(4):
        fail(access, RequestTimeout())
    with access.breaker:
        pass
    for _ in range(4):
        fail(access, RequestTimeout())
    access.admit(urgent=True)
    fail(access, RequestTimeout())
    with pytest.raises(VenueUnavailable, match="did not answer 5 times") as refused:
        access.admit(urgent=True)
    assert refused.value.retry_after == pytest.approx(2, abs=1)


def test_refusals_are_answers_and_open_no_breaker(access: VenueAccess) -> None:
    for _ in range(9):
        fail(access, InvalidOrder())
    access.admit(urgent=False)


def test_after_its_rest_a_venue_is_tried_by_one_request_alone(access: VenueAccess) -> None:
    for _ in range(5):
        fail(access, RequestTimeout())
    access.breaker._opened -= 2
    access.admit(urgent=False)
    with pytest.raises(VenueUnavailable):
        access.admit(urgent=True)
    with access.breaker:
        pass  # the trial has an answer
    access.admit(urgent=True)
