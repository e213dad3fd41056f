"""What travels through Temporal's history comes back as it was, to the last digit, and is small."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.orders import SubmitOrder
from domain.config import parse_config
from domain.decisions import Condition, Decision, ExitLevels, ExitState
from domain.guards import Guards
from domain.instruments import VenueRef
from domain.journal import (
    BotEntry,
    DesiredEntry,
    EventEntry,
    FillEntry,
    JournalBatch,
    JournalEntry,
    JournalReceipt,
    Notice,
    OrderEntry,
    PositionEntry,
    TradeEntry,
)
from domain.metrics import Performance
from domain.orders import OrderReport
from domain.paper import paper_report
from domain.positions import Book, Holding, book_entry, book_exit, close_position
from domain.state import (
    DECIDED_KEPT,
    BotRow,
    BotStart,
    BotState,
    Carried,
    InFlight,
    Prepared,
    Reconfigure,
    WatchOptions,
)
from domain.watch import Sighting, WatchRequest, WatchResult
from tests.domain.builders import dec, instrument, intent, order
from tests.domain.test_config import EXAMPLE_TEXT, example

RAW = example()
CONFIG = parse_config(RAW)
MARKET = instrument().model_copy(update={"venue": VenueRef(name="binance", base_url="http://127.0.0.1:18080")})
NOW = datetime(2026, 9, 1, 12, 0, 0, 123456, tzinfo=UTC)
DIGITS = Decimal("43210.120000000000000007")
STATE = ExitState(
    logic="ATRExitMixin:0a1b2c3d", folded=1_780_000_000_000, values={"peak": 43210.1234, "n": 3, "b": True}, stop=1e-7
)
BUY = intent(quantity="0.00023", price="43210.12", at=1_780_000_000_123, candle_time=1_780_000_000_000)
DECISION = Decision(
    action="enter",
    key="enter:1780000000000",
    reason="RSIBBVolumeEntryMixin",
    price=DIGITS,
    candle_time=1_780_000_000_000,
    decided_at=1_780_000_000_123,
    config_version=3,
    quantity=dec("1E-5"),
    signal_close=dec("43210.12"),
    exit_state=STATE,
)
CONDITIONS = tuple(
    Condition(name=name, left=left, op="<=", right=43187.61230000001, holds=False)
    for name, left in [
        ("RSI(14)", 45.1234567),
        ("close, lower band BB(20, 2)", 43210.12),
        ("volume, 1.1 × its SMA(20)", 12.5),
    ]
)
SIGHTING = Sighting(
    venue_time=1_780_000_000_123,
    candle_time=1_780_000_000_000,
    price=DIGITS,
    verdict="in position: no exit rule holds",
    conditions=CONDITIONS,
    levels=ExitLevels(stop=dec("41913.816399999999999999"), target=dec("45802.7272")),
    exit_state=STATE,
)


def books() -> tuple[Book, Book, Any]:
    """Return a book with a position, the one after its sale, and the trade."""
    report = paper_report(order(BUY, market=MARKET, cash="100"))
    book = Book(cash=dec(100), dust=Holding(quantity=dec("1E-8"), cost=dec("0.000432")))
    for each in report.fills:
        book = book_entry(book, BUY, each, MARKET, signal_close=dec("43200.01"))
    sale = intent(side="sell", quantity="0.00022", price="45802.7272", number=2)
    sold = book
    for each in paper_report(order(sale, market=MARKET, holding="1")).fills:
        sold = book_exit(sold, sale, each, MARKET)
    closed, trade = close_position(sold, exit_time=1_780_000_100_000, exit_reason="take_profit")
    return book, closed, trade


HELD, CLOSED, TRADE = books()
PERFORMANCE = Performance.begin(started=1_780_000_000_000, equity=dec(100)).after(TRADE)
GUARDS = Guards().after_entry(1_780_000_000_000).after_exit(1_780_000_100_000, TRADE.net_pnl)
CARRIED = Carried(
    config=CONFIG,
    instrument=MARKET,
    version=3,
    applied="3f" * 32,
    funded=dec("100.0"),
    book=HELD,
    guards=GUARDS,
    exit_state=STATE,
    performance=PERFORMANCE,
    sequence=42,
    acted_candle=1_780_000_000_000,
    decided=tuple(f"enter:{1_780_000_000_000 + n * 3_600_000}" for n in range(DECIDED_KEPT)),
    stamp=1_780_000_000_000_000,
)
ROW = BotRow(
    bot_id="rsi_atr_btc_paper",
    uid="3f1c1f3e-1111-4c59-9d3c-0a63a5a6b111",
    owner_id="local",
    version=3,
    enabled=True,
    desired_paused=False,
    config=RAW,
    carried=CARRIED,
)
REQUEST = WatchRequest(
    bot_id="rsi_atr_btc_paper",
    uid=ROW.uid,
    config=CONFIG,
    config_version=3,
    instrument=MARKET,
    book=HELD,
    exit_state=STATE,
    guards=GUARDS,
    segment_seconds=1743.123456789,
)
REPORT = paper_report(order(BUY, market=MARKET, cash="100"))
ENTRIES = (
    OrderEntry(intent=BUY, status="filled", filled_quantity=dec("0.00023"), average_price=DIGITS, venue_order_id="v"),
    FillEntry(client_order_id=BUY.client_order_id, fill=REPORT.fills[0]),
    PositionEntry(position=HELD.position, closed_at=1) if HELD.position else EventEntry(type="never", message=""),
    TradeEntry(
        trade=TRADE,
        trade_type="paper",
        interval="1h",
        strategy="CustomStrategy",
        entry_logic="RSIBBVolumeEntryMixin",
        entry_params=CONFIG.strategy.logics[0].params,
        exit_logic="ATRExitMixin",
        exit_params=CONFIG.strategy.logics[1].params,
        metrics=PERFORMANCE.report(),
    ),
    EventEntry(type="position_opened", message="bought", data={"n": 1}, correlation_id="c"),
    BotEntry(
        status="running",
        observed_version=3,
        rejected_version=None,
        current_balance=DIGITS,
        total_pnl=dec("-0.000000000000000001"),
        error_count=0,
        last_error=None,
        carried=CARRIED.model_dump(mode="json"),
    ),
    DesiredEntry(enabled=False),
)
BATCH = JournalBatch(
    bot_id="rsi_atr_btc_paper",
    uid=ROW.uid,
    entries=tuple(JournalEntry(n=1_780_000_000_000_000 + n, at=NOW, payload=each) for n, each in enumerate(ENTRIES)),
)
NOTICE = Notice(bot_id="b", owner_id="o", n=1, at=NOW, kind="error", severity="error", title="t", text="5 % ≤ 6 % — ✓")
LIVED = BotState(
    row=ROW, carried=CARRIED, observed_version=3, sighting=SIGHTING, outbox=list(BATCH.entries), notices=[NOTICE]
)

PAYLOADS: list[BaseModel] = [
    REQUEST,
    WatchResult(outcome="decision", decision=DECISION, exit_state=STATE, sighting=SIGHTING, lost_candles=2),
    WatchResult(outcome="segment"),
    DECISION,
    BATCH,
    JournalReceipt(version=4, overtaken=True, orphaned=True),
    NOTICE,
    BotStart(state=BotState.newborn(ROW, WatchOptions(segment_seconds=12.5))),
    BotStart(state=LIVED, continued=True),
    Reconfigure(),
    Reconfigure(row=ROW, config=RAW, rewatch=True),
    Prepared(config=CONFIG, instrument=MARKET),
    Prepared(problems=("a: b",)),
    order(BUY, market=MARKET),
    SubmitOrder(order=order(BUY, market=MARKET), config=CONFIG, book=HELD, guards=GUARDS),
    REPORT,
    OrderReport(client_order_id="x", status="rejected", reason="no"),
    InFlight(intent=BUY, decision=DECISION),
]


async def travelled(value: Any, kind: type[Any]) -> Any:
    (payload,) = await pydantic_data_converter.encode([value])
    (back,) = await pydantic_data_converter.decode([payload], [kind])
    return back


async def size(value: Any) -> int:
    (payload,) = await pydantic_data_converter.encode([value])
    return len(payload.data)


def written(value: Any) -> Any:
    """Return a value with each Decimal in its own digits: `1.0` equals `1`, and is not written alike."""
    match value:
        case Decimal():
            return ("decimal", str(value))
        case BaseModel():
            return {name: written(getattr(value, name)) for name in type(value).model_fields}
        case dict():
            return {key: written(item) for key, item in value.items()}
        case list() | tuple():
            return [written(item) for item in value]
        case _:
            return (type(value).__name__, value)


@pytest.mark.parametrize("value", PAYLOADS, ids=lambda value: type(value).__name__)
async def test_a_payload_comes_back_as_it_was(value: BaseModel) -> None:
    back = await travelled(value, type(value))
    assert back == value
    assert written(back) == written(value)


async def test_any_amount_comes_back_with_its_digits() -> None:
    generator = random.Random(1)
    for _ in range(300):
        digits = generator.randrange(10 ** generator.randrange(1, 38))
        amount = Decimal(digits).scaleb(-generator.randrange(0, 19))
        back = await travelled(Holding(quantity=amount, cost=-amount), Holding)
        assert (str(back.quantity), str(back.cost)) == (str(amount), str(-amount))


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity"])
def test_money_is_a_number(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Holding(quantity=Decimal(wrong), cost=dec(1))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_never_leaves_a_strategy(wrong: float) -> None:
    """It would travel as null, and the workflow could not read the answer."""
    with pytest.raises(ValidationError):
        ExitState(logic="x", folded=0, stop=wrong)
    with pytest.raises(ValidationError):
        ExitState(logic="x", folded=0, values={"peak": wrong})
    with pytest.raises(ValidationError):
        Condition(name="x", left=wrong, op="<", right=1.0, holds=False)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        NOTICE.model_validate({**NOTICE.model_dump(), "at": datetime(2026, 1, 1)})  # noqa: DTZ001


async def test_a_payload_of_newer_code_can_be_read() -> None:
    raw = {**REQUEST.model_dump(mode="json"), "invented_later": 1}
    assert await travelled(raw, WatchRequest) == REQUEST


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        HELD.cash = dec(1)  # type: ignore[misc]


async def test_what_history_keeps_of_each_watch_order_and_run_stays_under_four_kilobytes() -> None:
    decided = WatchResult(outcome="decision", decision=DECISION, exit_state=STATE, sighting=SIGHTING)
    submit = SubmitOrder(order=order(BUY, market=MARKET), config=CONFIG, book=HELD, guards=GUARDS)
    assert EXAMPLE_TEXT
    dealt_with = ROW.bare().model_copy(update={"config": {}})
    carried_on = LIVED.model_copy(update={"row": dealt_with, "outbox": [], "notices": []})
    start = BotStart(state=carried_on, continued=True)
    for value in (REQUEST, decided, submit, REPORT, SIGHTING, DECISION, start):
        assert await size(value) < 4_096, type(value).__name__
