"""The audit finds what is wrong: each kind of finding, made by hand in evidence that is clean otherwise."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from db.reads import FillRecord, OrderRecord
from domain.decisions import ExitLevels
from domain.watch import Sighting
from tests.chaos.audit import KINDS, Evidence, audit
from tests.chaos.cast import Member
from tests.chaos.ledger import AccountLedger
from workflows.command import PositionAnswer, StatusAnswer

BOT = Member("bot", "BTC/USDT", "1m")
AT = datetime(2026, 1, 5, tzinfo=UTC)
AT_MS = 1_767_571_200_000


def accepted(number: int, side: str, quantity: str, executed: str, quote: str, **more: Any) -> dict[str, Any]:
    order = {"orderId": number, "clientOrderId": f"s-{number}", "symbol": "BTCUSDT", "side": side, "status": "FILLED"}
    return order | {"qty": quantity, "executedQty": executed, "executedQuoteQty": quote} | more


def traded(number: int, price: str, quantity: str, fee: str, asset: str) -> dict[str, Any]:
    trade = {"tradeId": number, "orderId": number, "symbol": "BTCUSDT", "price": price, "qty": quantity, "time": AT_MS}
    return trade | {"commission": fee, "commissionAsset": asset}


# Paid in 5,000; bought 0.003 @ 50,000 = 150 with a fee of 0.000003 BTC; sold 0.001 @ 51,000 = 51 with a fee of 0.051
# USDT. That leaves 5,000 − 150 + 51 − 0.051 = 4,900.949 USDT and 0.003 − 0.000003 − 0.001 = 0.001997 BTC.
ORDERS = [
    accepted(1, "BUY", "0.003", "0.003", "150"),
    accepted(2, "SELL", "0.001", "0.001", "51"),
]
TRADES = [traded(1, "50000", "0.003", "0.000003", "BTC"), traded(2, "51000", "0.001", "0.051", "USDT")]
BALANCES = {"USDT": "4900.949", "BTC": "0.001997"}


def ledger(
    orders: list[dict[str, Any]] = ORDERS,
    trades: list[dict[str, Any]] = TRADES,
    balances: dict[str, str] = BALANCES,
) -> AccountLedger:
    held = [{"asset": asset, "free": free, "locked": "0"} for asset, free in balances.items()]
    return AccountLedger.model_validate(
        {
            "account": "bot",
            "orders": orders,
            "trades": trades,
            "deposits": [{"asset": "USDT", "qty": "5000"}],
            "balances": held,
        }
    )


def record(number: int, side: str, quantity: str, average: str, **more: Any) -> OrderRecord:
    return OrderRecord.model_validate(
        {
            "client_order_id": f"s-{number}",
            "sequence": number,
            "leg": 0,
            "decision_key": f"decision {number}",
            "config_version": 1,
            "symbol": "BTC/USDT",
            "side": side,
            "type": "market",
            "quantity": quantity,
            "price": None,
            "reference_price": average,
            "filled_quantity": quantity,
            "average_price": average,
            "status": "filled",
            "venue_order_id": str(number),
            "reason": "",
            "status_reason": None,
            "candle_time": AT,
            "created_at": AT,
            "updated_at": AT,
        }
        | more
    )


def fill(number: int, price: str, quantity: str, fee: str, currency: str) -> FillRecord:
    return FillRecord(
        client_order_id=f"s-{number}",
        trade_id=str(number),
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_currency=currency,
        filled_at=AT,
    )


RECORDS = (record(1, "buy", "0.003", "50000"), record(2, "sell", "0.001", "51000"))
FILLS = (fill(1, "50000", "0.003", "0.000003", "BTC"), fill(2, "51000", "0.001", "0.051", "USDT"))


def status(**more: Any) -> StatusAnswer:
    # Of 1,000 that it was given, 900.949 are left.
    position = PositionAnswer(
        bot_id="bot",
        symbol="BTC/USDT",
        quantity=Decimal("0.001997"),
        cash=Decimal("900.949"),
        dust=Decimal(0),
        levels=ExitLevels(stop=Decimal(49_000)),
    )
    answer: dict[str, Any] = {
        "bot_id": "bot",
        "status": "paused",
        "version": 1,
        "observed_version": 1,
        "rejected_version": None,
        "problems": (),
        "enabled": True,
        "paused": True,
        "trades": 0,
        "total_pnl": 0,
        "error_count": 0,
        "last_error": None,
        "last_event": "",
        "journal_waiting": 0,
        "dropped_events": 0,
        "sighting": Sighting(),
        "position": position,
    }
    return StatusAnswer.model_validate(answer | more)


CLEAN = Evidence(
    member=BOT,
    ledger=ledger(),
    orders=RECORDS,
    fills=FILLS,
    allotted=Decimal(1_000),
    status=status(),
    watched=True,
)


def without_levels() -> StatusAnswer:
    answer = status()
    return answer.model_copy(update={"position": answer.position.model_copy(update={"levels": ExitLevels()})})


def test_what_agrees_is_clean() -> None:
    assert audit([CLEAN]).all == []


def test_an_intent_that_the_venue_never_saw_is_no_finding_once_it_has_ended() -> None:
    never_sent = record(
        3, "buy", "1", "1", status="expired", filled_quantity=0, average_price=None, venue_order_id=None
    )
    assert audit([replace(CLEAN, orders=(*RECORDS, never_sent))]).all == []


# An exit of 0.002 in two orders: of the first, half was filled.
HALF = accepted(2, "SELL", "0.002", "0.001", "51", status="EXPIRED")
HALF_SOLD = record(2, "sell", "0.002", "51000", filled_quantity="0.001", status="expired", decision_key="exit")
NOT_SENT = record(
    3,
    "sell",
    "0.002",
    "1",
    filled_quantity=0,
    status="cancelled",
    venue_order_id=None,
    average_price=None,
    decision_key="exit",
)
REST_SOLD = record(4, "sell", "0.001", "51000", decision_key="exit")


def exit_with(rest: str) -> Evidence:
    """Return what there is once an exit has been tried three times, the last time with a sale of `rest`."""
    sale = accepted(4, "SELL", rest, "0.001", "51")
    return replace(CLEAN, ledger=ledger([ORDERS[0], HALF, sale]), orders=(RECORDS[0], HALF_SOLD, NOT_SENT, REST_SOLD))


def test_an_exit_may_be_tried_again_for_what_is_left_of_it() -> None:
    assert audit([exit_with("0.001")]).duplicates == []


def test_an_exit_that_is_tried_again_for_more_than_is_left_of_it_is_a_duplicate() -> None:
    twice = "bot: orders s-2, s-4 ask twice for what one decided: exit"
    assert audit([exit_with("0.0011")]).duplicates == [twice]


RESTS = accepted(3, "SELL", "0.001997", "0", "0", status="NEW")
STOP = record(3, "sell", "0.001997", "49000", type="stop", status="open", filled_quantity=0, average_price=None)


def test_the_stop_of_what_is_held_may_rest_at_the_venue() -> None:
    assert audit([replace(CLEAN, ledger=ledger([*ORDERS, RESTS]), orders=(*RECORDS, STOP))]).all == []


def test_a_stop_that_rests_although_nothing_is_held_is_unknown() -> None:
    sold = status()
    sold = sold.model_copy(update={"position": sold.position.model_copy(update={"quantity": None})})
    found = audit([replace(CLEAN, ledger=ledger([*ORDERS, RESTS]), orders=(*RECORDS, STOP), status=sold)])
    assert found.unknown == ["bot: order s-3 is open: None"]


TWICE = ledger([*ORDERS, accepted(3, "SELL", "0.001", "0", "0", clientOrderId="s-2", status="EXPIRED")])
SECOND_BUY = ledger([ORDERS[0], accepted(3, "BUY", "0.001", "0.001", "50"), ORDERS[1]])
PENDING = record(3, "buy", "1", "1", status="pending", filled_quantity=0, average_price=None, venue_order_id=None)


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        ("duplicates", {"ledger": TWICE}, "order s-2 was accepted 2 times"),
        ("duplicates", {"ledger": SECOND_BUY}, "order s-3 buys while 0.002997 are held"),
        (
            "duplicates",
            {
                "orders": (RECORDS[0], RECORDS[1].model_copy(update={"decision_key": "decision 1"})),
            },
            "orders s-1, s-2 ask twice for what one decided: decision 1",
        ),
        ("orphans", {"orders": RECORDS[:1]}, "order s-2 (SELL 0.001) is at the venue, not in the journal"),
        ("lost", {"ledger": ledger(ORDERS[:1], TRADES[:1])}, "order s-2 is filled in the journal; the venue has none"),
        ("lost", {"fills": FILLS[:1]}, "fill 2 of order s-2 is at the venue, not in the journal"),
        ("lost", {"status": None}, "the bot does not answer"),
        ("lost", {"status": status(journal_waiting=3)}, "3 entries are not in the journal yet"),
        ("unknown", {"orders": (*RECORDS, PENDING)}, "order s-3 is pending: None"),
        (
            "unknown",
            {"status": status(unknown_order="s-2")},
            "the bot does not know what has become of order s-2",
        ),
        (
            "mismatches",
            {"orders": (RECORDS[0], record(2, "sell", "0.001", "51000", status="cancelled"))},
            "order s-2: status is cancelled in the journal, filled at the venue",
        ),
        (
            "mismatches",
            {"fills": (FILLS[0], fill(2, "51000", "0.001", "0.050", "USDT"))},
            "fill 2 of s-2: fee is 0.050 in the journal, 0.051 at the venue",
        ),
        (
            "mismatches",
            {"fills": (*FILLS, fill(3, "1", "1", "0", "USDT"))},
            "fill 3 of order s-3 is in the journal; the venue has none",
        ),
        (
            "mismatches",
            {"ledger": ledger(balances=BALANCES | {"USDT": "4900.94900001"})},
            "the account holds 4900.94900001 USDT, by the books it is 4900.949",
        ),
        ("mismatches", {"status": status(difference="more sold")}, "the bot has found books and venue to differ"),
        ("unprotected", {"watched": False}, "holds 0.001997, and nobody watches"),
        ("unprotected", {"status": without_levels()}, "holds 0.001997, and no level is set"),
    ],
)
def test_what_is_wrong_is_found_under_its_kind(kind: str, wrong: dict[str, Any], words: str) -> None:
    findings = audit([replace(CLEAN, **wrong)])
    assert any(words in text for text in getattr(findings, kind)), findings.all


def test_a_clean_audit_has_every_kind_and_nothing_in_it() -> None:
    findings = audit([])
    assert {kind: getattr(findings, kind) for kind in KINDS} == {kind: [] for kind in KINDS}
