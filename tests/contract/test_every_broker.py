"""What every broker does: paper, live, and a plugin's."""

from decimal import Decimal

import pytest

from domain.errors import OrderUncertain
from domain.model import ZERO
from domain.orders import Side
from tests.contract.benches import Bench, open_window


async def test_an_order_that_was_never_sent_is_not_found(bench: Bench) -> None:
    assert await bench.broker.find(bench.request()) is None


async def test_its_habits_are_told_before_anything_is_sent(bench: Bench) -> None:
    habits = await bench.broker.habits(bench.request())
    assert habits.late_after is None or habits.late_after >= 0


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_market_order_is_filled_to_the_last_unit(bench: Bench, side: Side) -> None:
    """0.00021 has no exact float: a broker that uses one anywhere fills 0.00020 or 0.00021000000000000001."""
    request = bench.request(side, "0.00021")
    report = await bench.broker.submit(request, open_window())
    assert report.client_order_id == request.intent.client_order_id
    assert (report.status, report.final) == ("filled", True)
    assert report.filled_quantity == Decimal("0.00021")
    assert all(fill.price > 0 and fill.fee >= 0 and fill.fee_currency for fill in report.fills)
    assert len({fill.trade_id for fill in report.fills}) == len(report.fills)


async def test_an_order_below_the_least_is_rejected_with_a_reason(bench: Bench) -> None:
    """0.00001 BTC is worth less than 5 USDT, the least notional, at any price below 500,000."""
    report = await bench.outcome(bench.request("buy", "0.00001"))
    assert (report.status, report.final, report.filled_quantity) == ("rejected", True, ZERO)
    assert report.reason


async def test_a_sale_of_more_than_is_held_is_rejected(bench: Bench) -> None:
    report = await bench.outcome(bench.request("sell", "2.00001"))
    assert (report.status, report.filled_quantity) == ("rejected", ZERO)
    assert report.reason


async def test_an_order_that_is_not_there_cannot_be_cancelled(bench: Bench) -> None:
    with pytest.raises(OrderUncertain):
        await bench.broker.cancel(bench.request())


@pytest.mark.parametrize(("side", "share"), [("buy", "0.5"), ("sell", "2")])
async def test_an_offer_away_from_the_market_rests_and_can_be_cancelled_again_and_again(
    bench: Bench, side: Side, share: str
) -> None:
    request = bench.request(side, "0.001", order_type="limit", price=bench.price * Decimal(share))
    placed = await bench.broker.submit(request, open_window())
    assert (placed.status, placed.rests, placed.filled_quantity) == ("open", True, ZERO)
    cancelled = await bench.broker.cancel(request)
    assert (cancelled.status, cancelled.final, cancelled.filled_quantity) == ("cancelled", True, ZERO)
    assert await bench.broker.cancel(request) == cancelled
