"""When an order may be sent: the rules, on a clock that only moves while somebody sleeps."""

from dataclasses import dataclass, field

import pytest

from activities.sending import Attempt, Unresolved, known_or_window
from domain.errors import NotSent, OrderMismatch
from domain.orders import OrderReport, OrderRequest
from domain.ports import OrderHabits, SendWindow
from tests.domain.builders import intent, order
from tests.support.exchange import FakeExchange

FOUND = OrderReport(client_order_id="x", status="filled")
SURE = OrderHabits(finds=True, late_after=7.5)
STARTED = 1_000.0


@dataclass
class Looked(FakeExchange):
    """An exchange that shows the order from a look on; `None`: never."""

    shows_from: int | None = None
    looks: list[float] = field(default_factory=list)
    now: float = STARTED

    async def find(self, request: OrderRequest) -> OrderReport | None:
        self.looks.append(self.now)
        return FOUND if self.shows_from is not None and len(self.looks) >= self.shows_from else None

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def judged(exchange: Looked, *, first: bool, wary: bool = False) -> OrderReport | SendWindow:
    attempt = Attempt(started=STARTED, closes=STARTED + 15, first=first, wary=wary)
    return await known_or_window(exchange, order(intent()), attempt, now=lambda: exchange.now, sleep=exchange.sleep)


async def test_a_first_attempt_looks_once_and_may_send_at_once() -> None:
    exchange = Looked(habit=SURE)
    assert await judged(exchange, first=True) == SendWindow(opened=STARTED, closes=STARTED + 15)
    assert exchange.looks == [STARTED]


@pytest.mark.parametrize("first", [True, False])
async def test_what_the_first_look_finds_is_the_answer(first: bool) -> None:
    exchange = Looked(habit=SURE, shows_from=1)
    assert await judged(exchange, first=first) == FOUND
    assert exchange.looks == [STARTED]


async def test_a_later_attempt_waits_until_the_earlier_request_is_too_late_and_looks_twice_more() -> None:
    exchange = Looked(habit=SURE)
    window = await judged(exchange, first=False)
    assert exchange.looks == [STARTED, STARTED + 7.5, STARTED + 8.5]
    assert window == SendWindow(opened=STARTED + 8.5, closes=STARTED + 15)


@pytest.mark.parametrize("shows_from", [2, 3])
async def test_an_order_that_shows_late_is_not_sent_again(shows_from: int) -> None:
    assert await judged(Looked(habit=SURE, shows_from=shows_from), first=False) == FOUND


async def test_a_life_that_history_forgot_counts_as_an_earlier_attempt() -> None:
    exchange = Looked(habit=SURE)
    assert isinstance(await judged(exchange, first=True, wary=True), SendWindow)
    assert len(exchange.looks) == 3


UNSURE = [
    pytest.param(OrderHabits(finds=True, late_after=None), id="no-deadline"),
    pytest.param(OrderHabits(finds=False, late_after=7.5), id="no-look-up"),
    pytest.param(OrderHabits(finds=False, late_after=None), id="neither"),
]


@pytest.mark.parametrize("habit", UNSURE)
async def test_where_absence_cannot_be_proven_a_later_attempt_never_sends(habit: OrderHabits) -> None:
    exchange = Looked(habit=habit)
    with pytest.raises(Unresolved, match="shows no order"):
        await judged(exchange, first=False)
    assert exchange.looks[-1] >= STARTED + 20  # evidence may come late


@pytest.mark.parametrize("habit", UNSURE)
async def test_where_absence_cannot_be_proven_evidence_is_still_an_answer(habit: OrderHabits) -> None:
    assert await judged(Looked(habit=habit, shows_from=3), first=False) == FOUND


@pytest.mark.parametrize("habit", UNSURE)
async def test_where_absence_cannot_be_proven_a_first_attempt_sends(habit: OrderHabits) -> None:
    assert isinstance(await judged(Looked(habit=habit), first=True), SendWindow)


@pytest.mark.parametrize("habit", UNSURE)
async def test_a_bot_that_has_just_begun_anew_there_waits(habit: OrderHabits) -> None:
    exchange = Looked(habit=habit)
    with pytest.raises(NotSent, match="has just begun anew"):
        await judged(exchange, first=True, wary=True)
    assert exchange.now == STARTED


async def test_another_order_under_the_id_is_told() -> None:
    class Foreign(Looked):
        async def find(self, request: OrderRequest) -> OrderReport | None:
            raise OrderMismatch("a sale stands under this id")

    with pytest.raises(OrderMismatch):
        await judged(Foreign(habit=SURE), first=True)
