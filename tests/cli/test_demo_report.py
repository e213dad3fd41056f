"""How a bot came through the kill, and when the demo has failed."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.console import Console

from cli.audit import Audit
from cli.demo.director import Kill, Performance
from cli.demo.observer import brief, shortened
from cli.demo.passage import Standing, passage
from cli.demo.summary import Report, summary
from db.reads import BotSummary, EventRecord, OrderRecord
from domain.orders import OrderStatus, Side

NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
KILL = Kill(pid=111, at=NOW, venue_at=NOW, elapsed=48.0, before={}, successor=222, recovery=4.2)
GOOD = Report(
    performance=Performance(elapsed=120.0, kill=KILL, stopped=True),
    audit=Audit(orders=20, fills=20, round_trips=10),
    bots=(
        BotSummary(bot_id="a", name="Alpha", orders=12, trades=6, wins=4, net_pnl=Decimal("3.5")),
        BotSummary(bot_id="b", name="Beta", orders=8, trades=4, wins=1, net_pnl=Decimal(-5)),
    ),
)


def order(sequence: int, side: Side, *, leg: int = 0, status: OrderStatus = "filled") -> OrderRecord:
    return OrderRecord(
        client_order_id=f"order-{sequence}-{leg}",
        sequence=sequence,
        leg=leg,
        decision_key=f"{side}:{sequence}",
        config_version=1,
        symbol="BTC/USDT",
        side=side,
        type="market",
        quantity=Decimal(1),
        price=None,
        reference_price=Decimal(100),
        filled_quantity=Decimal(1),
        average_price=Decimal(100),
        status=status,
        venue_order_id=None,
        reason="a rule",
        status_reason=None,
        candle_time=NOW,
        created_at=NOW,
        updated_at=NOW,
    )


def event(kind: str, message: str) -> EventRecord:
    return EventRecord(n=1, at=NOW, type=kind, severity="info", message=message, data={}, correlation_id=None)


BUY, SELL, BUY_AGAIN = order(1, "buy"), order(2, "sell"), order(3, "buy")


@pytest.mark.parametrize(
    ("before", "orders", "text"),
    [
        (Standing(BUY, Decimal(1)), [SELL, BUY, BUY_AGAIN], "held since order 1, order 2 sold"),
        (Standing(SELL, None), [BUY, SELL, BUY_AGAIN], "flat since order 2, order 3 bought"),
        (Standing(SELL, None), [BUY, SELL], "flat since order 2, and still"),
        (Standing(None, None), [], "flat, and still"),
        (Standing(None, None), [BUY], "flat, order 1 bought"),
        (Standing(order(1, "buy", status="pending"), None), [BUY, SELL], "order 1 was on its way: filled, once"),
        (Standing(SELL, Decimal("0.5")), [BUY, SELL, order(2, "sell", leg=1)], "held since order 2, order 2 sold"),
    ],
)
def test_a_bot_that_goes_on_where_it_stood(before: Standing, orders: list[OrderRecord], text: str) -> None:
    went = passage(before, orders)
    assert went.problem is None
    assert went.text == text


@pytest.mark.parametrize(
    ("before", "orders", "problem"),
    [
        (Standing(BUY, Decimal(1)), [BUY, order(2, "buy")], "its next order had to be a sell; was a buy"),
        (Standing(SELL, None), [BUY, SELL, order(3, "sell")], "its next order had to be a buy; was a sell"),
        (Standing(BUY, Decimal(1)), [BUY, order(3, "sell")], "order 1 was followed by order 3"),
        (Standing(BUY, Decimal(1)), [SELL], "order order-1-0 has vanished"),
    ],
)
def test_a_bot_that_does_not_go_on_where_it_stood(before: Standing, orders: list[OrderRecord], problem: str) -> None:
    assert passage(before, orders).problem == problem


def test_a_demo_as_promised_has_no_problems() -> None:
    assert GOOD.problems == []


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (
            Report(GOOD.performance, Audit(round_trips=9), GOOD.bots),
            "9 round trips in 120 s; at least 10 were expected",
        ),
        (Report(GOOD.performance, Audit(round_trips=10, missing=("a: x",)), GOOD.bots), "a: x"),
        (Report(GOOD.performance, Audit(round_trips=10, duplicates=("a: y",)), GOOD.bots), "a: y"),
        (Report(GOOD.performance, Audit(round_trips=10, mismatches=("a: z",)), GOOD.bots), "a: z"),
        (Report(Performance(120.0, KILL, stopped=False), GOOD.audit, GOOD.bots), "not every bot has ended in time"),
        (
            Report(Performance(120.0, Kill(1, NOW, NOW, 48.0, {}), stopped=True), GOOD.audit, GOOD.bots),
            "after the kill not every bot was watched again",
        ),
        (
            Report(
                GOOD.performance, GOOD.audit, GOOD.bots, {"a": passage(Standing(BUY, Decimal(1)), [BUY, BUY_AGAIN])}
            ),
            "a: order 1 was followed by order 3",
        ),
    ],
)
def test_what_is_not_as_promised_is_named(report: Report, problem: str) -> None:
    assert report.problems == [problem]
    assert problem in printed(report)


def test_in_less_than_a_minute_no_number_of_round_trips_is_promised() -> None:
    assert Report(Performance(59.0, KILL, stopped=True), Audit(round_trips=0), GOOD.bots).problems == []


def test_the_summary_shows_each_bot_the_totals_and_the_audit() -> None:
    text = printed(GOOD)
    assert "Alpha" in text
    assert "Beta" in text
    assert " 20 " in text  # orders of both
    assert "-1.50" in text  # P&L of both
    assert "duplicates: 0, missing: 0, different: 0" in text
    assert "20 orders, 20 fills, 10 round trips compared" in text
    assert "worker 111 was killed with SIGKILL after 48 s; 222 took over: 4.2 s" in text
    assert "python starter.py up" in text


def test_the_summary_says_that_the_show_ended_before_the_kill() -> None:
    text = printed(Report(Performance(3.0, None, stopped=True), Audit(), GOOD.bots))
    assert "the show ended before the worker was killed" in text


@pytest.mark.parametrize(
    ("kind", "message", "long", "short"),
    [
        (
            "position_opened",
            "bought 0.05077 BTC @ 97572.17 USDT: RSIBBVolumeEntryMixin",
            "bought 0.05077 BTC @ 97572.17",
            "bought @ 97572.17",
        ),
        (
            "position_closed",
            "position closed: -22.1106 (-0.44 %), ATRExitMixin",
            "closed -22.1106 (-0.44 %), trailing stop",
            "-22.11 trailing stop",
        ),
        (
            "position_closed",
            "position closed: +48.6695 (+0.97 %), take_profit",
            "closed +48.6695 (+0.97 %), take profit",
            "+48.67 take profit",
        ),
        ("stopped", "the bot has stopped", "the bot has stopped", "the bot has stopped"),
    ],
)
def test_events_are_told_without_what_stands_beside_them(kind: str, message: str, long: str, short: str) -> None:
    assert shortened(message) == long
    assert brief(event(kind, message)) == short


def printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=110)
    console.print(summary(report))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()
