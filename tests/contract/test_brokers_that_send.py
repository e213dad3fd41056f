"""What every broker does whose orders go to a venue: nothing twice, nothing lost, nothing late."""

import pytest

from domain.errors import NotSent, OrderMismatch, OrderUncertain
from domain.model import ZERO
from domain.orders import Side
from tests.contract.benches import SendingBench, open_window


async def test_what_was_placed_is_found_again_with_the_same_report(sending: SendingBench) -> None:
    request = sending.request()
    report = await sending.broker.submit(request, open_window())
    assert await sending.broker.find(request) == report


async def test_an_order_whose_answer_was_lost_is_uncertain_and_then_found(sending: SendingBench) -> None:
    request = sending.request()
    await sending.lose_next_answer()
    with pytest.raises(OrderUncertain):
        await sending.broker.submit(request, open_window())
    found = await sending.broker.find(request)
    assert found is not None
    assert (found.status, found.filled_quantity) == ("filled", request.intent.quantity)
    assert await sending.accepted() == [request.intent.client_order_id]


async def test_nothing_leaves_once_the_window_has_closed(sending: SendingBench) -> None:
    request = sending.request()
    with pytest.raises(NotSent):
        await sending.broker.submit(request, open_window(age=20, lasts=-0.1))
    assert await sending.accepted() == []


async def test_a_request_that_arrives_after_its_deadline_is_refused_and_known_to_be(sending: SendingBench) -> None:
    """The deadline is 5 s after the window opened: 4.8 s and 0.4 s on the way are more."""
    request = sending.request()
    await sending.hold_up_next(0.4)
    with pytest.raises(NotSent):
        await sending.broker.submit(request, open_window(age=4.8))
    assert await sending.accepted() == []
    assert (await sending.outcome(request)).status == "filled", "the same id may be sent again"


async def test_the_deadline_is_part_of_the_habits(sending: SendingBench) -> None:
    habits = await sending.broker.habits(sending.request())
    assert habits.finds
    assert habits.late_after is not None
    assert 5 <= habits.late_after < 8


@pytest.mark.parametrize(("side", "quantity"), [("sell", "0.00021"), ("buy", "0.00022")])
async def test_another_order_under_the_same_id_is_a_mismatch(sending: SendingBench, side: Side, quantity: str) -> None:
    request = sending.request("buy", "0.00021")
    await sending.broker.submit(request, open_window())
    with pytest.raises(OrderMismatch, match=request.intent.client_order_id):
        await sending.broker.find(sending.request(side, quantity, like=request))


async def test_a_resting_order_is_cancelled_once_and_stays_so(sending: SendingBench) -> None:
    price = sending.price / 2
    request = sending.request("buy", "0.001", order_type="limit", price=price)
    placed = await sending.broker.submit(request, open_window())
    assert (placed.status, placed.filled_quantity) == ("open", ZERO)
    cancelled = await sending.broker.cancel(request)
    assert (cancelled.status, cancelled.filled_quantity) == ("cancelled", ZERO)
    assert await sending.broker.cancel(request) == cancelled
    assert await sending.broker.find(request) == cancelled


async def test_an_order_that_was_filled_is_not_cancelled(sending: SendingBench) -> None:
    request = sending.request()
    report = await sending.broker.submit(request, open_window())
    assert await sending.broker.cancel(request) == report
