"""The audit finds whatever is broken: each test breaks one thing in books that agree."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cli.audit import Audit, Books, compare, total
from cli.recorded import RecordedOrder
from db.reads import FillRecord, OrderRecord, TradeRecord
from domain.orders import Fill, OrderIntent, OrderReport, Side

BOT = "b1"
DECIDED = 1_700_000_000_000
DECIDED_AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def recorded(sequence: int, side: Side, price: str, key: str) -> RecordedOrder:
    name = f"sabcde-order-{sequence}"
    return RecordedOrder(
        intent=OrderIntent(
            client_order_id=name,
            sequence=sequence,
            symbol="BTC/USDT",
            side=side,
            quantity=Decimal("0.5"),
            price=None,
            reference_price=Decimal(price),
            reason="a rule",
            decision_key=key,
            decided_at=DECIDED,
            candle_time=DECIDED,
            config_version=1,
        ),
        report=OrderReport(
            client_order_id=name,
            status="filled",
            venue_order_id=f"paper-{name}",
            fills=(
                Fill(
                    trade_id=f"{name}-1",
                    price=Decimal(price),
                    quantity=Decimal("0.5"),
                    fee=Decimal("0.01"),
                    fee_currency="USDT",
                    at=DECIDED,
                ),
            ),
        ),
    )


def order(sequence: int, side: Side, price: str, key: str) -> OrderRecord:
    name = f"sabcde-order-{sequence}"
    return OrderRecord(
        client_order_id=name,
        sequence=sequence,
        leg=0,
        decision_key=key,
        config_version=1,
        symbol="BTC/USDT",
        side=side,
        type="market",
        quantity=Decimal("0.5"),
        price=None,
        reference_price=Decimal(price),
        filled_quantity=Decimal("0.5"),
        average_price=Decimal(price),
        status="filled",
        venue_order_id=f"paper-{name}",
        reason="a rule",
        status_reason=None,
        candle_time=DECIDED_AT,
        created_at=DECIDED_AT,
        updated_at=DECIDED_AT,
    )


def fill(sequence: int, price: str) -> FillRecord:
    name = f"sabcde-order-{sequence}"
    return FillRecord(
        client_order_id=name,
        trade_id=f"{name}-1",
        price=Decimal(price),
        quantity=Decimal("0.5"),
        fee=Decimal("0.01"),
        fee_currency="USDT",
        filled_at=DECIDED_AT,
    )


def trade(*, orders: tuple[int, ...] = (1, 2), exit_value: str = "60") -> TradeRecord:
    return TradeRecord(
        position_id=f"sabcde-order-{orders[0]}",
        trade_type="paper",
        strategy="CustomStrategy",
        entry_logic_name="RSIBBVolumeEntryMixin",
        exit_logic_name="ATRExitMixin",
        symbol="BTC/USDT",
        interval="1s",
        entry_time=DECIDED_AT,
        entry_price=Decimal(100),
        entry_value=Decimal(50),
        exit_time=DECIDED_AT,
        exit_price=Decimal(120),
        exit_value=Decimal(exit_value),
        size=Decimal("0.5"),
        commission=Decimal("0.02"),
        gross_pnl=Decimal(10),
        net_pnl=Decimal("9.98"),
        pnl_percentage=Decimal("19.96"),
        exit_reason="a rule",
        orders=tuple(f"sabcde-order-{number}" for number in orders),
    )


# Bought 0.5 @ 100, sold 0.5 @ 120; bought again @ 110, and still holding.
HISTORY = (
    recorded(1, "buy", "100", "enter:1"),
    recorded(2, "sell", "120", "exit:1"),
    recorded(3, "buy", "110", "enter:2"),
)
ORDERS = (
    order(1, "buy", "100", "enter:1"),
    order(2, "sell", "120", "exit:1"),
    order(3, "buy", "110", "enter:2"),
)
FILLS = (fill(1, "100"), fill(2, "120"), fill(3, "110"))


def audit(
    history: Sequence[RecordedOrder] = HISTORY,
    orders: Sequence[OrderRecord] = ORDERS,
    fills: Sequence[FillRecord] = FILLS,
    trades: Sequence[TradeRecord] = (trade(),),
) -> Audit:
    return compare(BOT, history, Books(orders=tuple(orders), fills=tuple(fills), trades=tuple(trades)))


def changed(record: Any, **changes: Any) -> Any:
    return record.model_copy(update=changes)


def test_books_that_agree_are_clean() -> None:
    assert audit() == Audit(orders=3, fills=3, round_trips=1)
    assert audit().clean


def test_what_a_person_has_sold_by_hand_is_in_no_history_and_is_no_finding() -> None:
    by_hand = changed(FILLS[1], trade_id="sabcde-order-2-person")
    assert audit(history=(HISTORY[0], HISTORY[2]), fills=(FILLS[0], by_hand, FILLS[2])).clean


def test_an_order_whose_end_a_person_has_told_is_not_held_against_its_history() -> None:
    told = changed(FILLS[0], trade_id="sabcde-order-1-person")
    unknown = changed(HISTORY[0].report, status="unknown", fills=())
    assert audit(history=(changed(HISTORY[0], report=unknown), *HISTORY[1:]), fills=(told, *FILLS[1:])).clean


def test_the_same_order_in_two_runs_is_one_order() -> None:
    assert audit(history=(*HISTORY, HISTORY[0], HISTORY[2])).clean


def test_an_order_that_was_sent_again_and_then_answered_is_one_order() -> None:
    assert audit(history=(changed(HISTORY[0], report=None), *HISTORY)).clean
    assert audit(history=(*HISTORY, changed(HISTORY[0], report=None))).clean


def test_a_journaled_order_that_no_history_knows_is_found() -> None:
    found = audit(history=HISTORY[:2])
    assert found.missing == (
        "b1: order sabcde-order-3 is in the journal, not in the history",
        "b1: fill sabcde-order-3-1 of order sabcde-order-3 is in the journal, not in the history",
    )


def test_a_recorded_order_that_was_not_journaled_is_found() -> None:
    found = audit(orders=ORDERS[:2], fills=FILLS[:2])
    assert found.missing == (
        "b1: order sabcde-order-3 is in the history, not in the journal",
        "b1: fill sabcde-order-3-1 of order sabcde-order-3 is in the history, not in the journal",
    )


def test_a_missing_fill_is_found() -> None:
    found = audit(fills=FILLS[:2])
    assert found.missing == ("b1: fill sabcde-order-3-1 of order sabcde-order-3 is in the history, not in the journal",)
    assert not found.duplicates
    assert not found.mismatches


def test_an_order_without_an_answer_is_found() -> None:
    found = audit(history=(*HISTORY[:2], changed(HISTORY[2], report=None)))
    assert "b1: order sabcde-order-3 has no result in the history" in found.missing


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", Decimal("110.000000000000000001")),
        ("quantity", Decimal("0.4")),
        ("fee", Decimal("0.011")),
        ("fee_currency", "BTC"),
        ("filled_at", DECIDED_AT.replace(second=21)),
    ],
)
def test_a_changed_fill_is_found(field: str, value: object) -> None:
    found = audit(fills=(*FILLS[:2], changed(FILLS[2], **{field: value})))
    assert len(found.mismatches) == 1
    assert f"fill sabcde-order-3-1: {field} is {value} in the journal" in found.mismatches[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "pending"),
        ("side", "sell"),
        ("quantity", Decimal("0.6")),
        ("average_price", Decimal("110.01")),
        ("filled_quantity", Decimal(0)),
        ("venue_order_id", None),
        ("sequence", 4),
        ("reason", "another rule"),
    ],
)
def test_a_changed_order_is_found(field: str, value: object) -> None:
    found = audit(orders=(*ORDERS[:2], changed(ORDERS[2], **{field: value})))
    assert found.mismatches
    assert f"order sabcde-order-3: {field} is {value} in the journal" in found.mismatches[0]


def test_a_decision_that_was_traded_twice_is_a_duplicate() -> None:
    history = (*HISTORY, recorded(4, "buy", "110", "enter:2"))
    orders = (*ORDERS, order(4, "buy", "110", "enter:2"))
    found = audit(history=history, orders=orders, fills=(*FILLS, fill(4, "110")))
    twice = "b1: orders sabcde-order-3, sabcde-order-4 trade twice what one decided: enter:2"
    assert found.duplicates == (twice,)


def test_an_exit_that_was_tried_again_until_it_was_through_is_no_duplicate() -> None:
    half, not_sent, rest = (order(number, "sell", "110", "exit") for number in (4, 5, 6))
    tried = (
        changed(half, filled_quantity=Decimal("0.2"), status="cancelled"),
        changed(not_sent, filled_quantity=Decimal(0), status="cancelled"),
        changed(rest, quantity=Decimal("0.3"), filled_quantity=Decimal("0.3")),
    )
    assert audit(orders=(*ORDERS, *tried)).duplicates == ()
    too_much = changed(rest, quantity=Decimal("0.31"), filled_quantity=Decimal("0.3"))
    assert len(audit(orders=(*ORDERS, *tried[:2], too_much)).duplicates) == 1


def test_an_order_id_that_was_used_for_two_intents_is_a_duplicate() -> None:
    other = changed(HISTORY[2], intent=changed(HISTORY[2].intent, side="sell"))
    assert "was used for two intents" in audit(history=(*HISTORY, other)).duplicates[0]


def test_an_order_with_two_different_answers_is_a_duplicate() -> None:
    other = changed(HISTORY[2], report=changed(HISTORY[2].report, status="rejected", fills=()))
    assert audit(history=(*HISTORY, other)).duplicates == (
        "b1: order sabcde-order-3 was answered twice, and differently",
    )


def test_a_fill_that_was_booked_twice_is_a_duplicate() -> None:
    found = audit(fills=(*FILLS, FILLS[2]))
    assert "b1: fill sabcde-order-3-1 of order sabcde-order-3 is in the journal twice" in found.duplicates


def test_more_fills_than_were_ordered_are_a_duplicate() -> None:
    found = audit(fills=(*FILLS, changed(FILLS[2], trade_id="another")))
    assert "b1: order sabcde-order-3 is of 0.5 and was filled with 1.0" in found.duplicates


def test_a_gap_in_the_numbers_is_a_lost_order() -> None:
    found = audit(
        history=(HISTORY[0], HISTORY[1], recorded(4, "buy", "110", "enter:2")),
        orders=(ORDERS[0], ORDERS[1], order(4, "buy", "110", "enter:2")),
        fills=(*FILLS[:2], fill(4, "110")),
    )
    assert found.missing == ("b1: order number 3 of sabcde is in no history",)


def test_a_round_trip_that_was_not_booked_is_found() -> None:
    history = (*HISTORY, recorded(4, "sell", "120", "exit:2"))
    orders = (*ORDERS, order(4, "sell", "120", "exit:2"))
    found = audit(history=history, orders=orders, fills=(*FILLS, fill(4, "120")), trades=(trade(orders=(3, 4)),))
    assert found.missing == (
        "b1: order sabcde-order-1 was filled and belongs to no trade",
        "b1: order sabcde-order-2 was filled and belongs to no trade",
    )


def test_the_newest_round_trip_is_missed_too() -> None:
    found = audit(history=HISTORY[:2], orders=ORDERS[:2], fills=FILLS[:2], trades=())
    assert found.missing == ("b1: order sabcde-order-2 was filled and belongs to no trade",)


def test_an_open_position_is_no_missing_round_trip() -> None:
    assert audit(history=HISTORY[:1], orders=ORDERS[:1], fills=FILLS[:1], trades=()).clean


def test_an_order_in_two_round_trips_is_a_duplicate() -> None:
    again = changed(trade(), position_id="another")
    assert "is part of the trades sabcde-order-1 and another" in audit(trades=(trade(), again)).duplicates[0]


def test_a_round_trip_that_does_not_add_up_is_found() -> None:
    found = audit(trades=(trade(exit_value="60.01"),))
    assert found.mismatches == ("b1: trade sabcde-order-1 was sold for 60.01; its fills say 60.0",)


def test_the_audits_of_several_bots_add_up() -> None:
    both = total([audit(), audit(fills=FILLS[:2])])
    assert (both.orders, both.fills, both.round_trips) == (6, 5, 2)
    assert len(both.findings) == 1
    assert not both.clean
