"""What a trader reads of a bot in the Temporal Web UI."""

from domain.config import parse_config
from domain.decisions import Condition, ExitState
from domain.metrics import Performance
from domain.positions import Book, Holding, Position
from domain.state import BotState, Carried
from domain.watch import Sighting
from tests.support.bots import Bench, bot_row, dec, raw_config
from tests.support.fakes import BTC
from workflows.page import page, summary

CANDLE = 1_700_000_040_000


def holding() -> BotState:
    position = Position(
        id="s1",
        symbol="BTC/USDT",
        qty_open=dec("5.54691753"),
        cost=dec("499.4999235765"),
        entries=1,
        opened_at=CANDLE,
        signal_time=CANDLE,
        signal_close=dec("90"),
        config_version=3,
    )
    performance = Performance.begin(started=CANDLE, equity=dec("1000"))
    carried = Carried(
        config=parse_config(raw_config("rsi", name="RSI+ATR BTC", risk_management__stop_loss_pct=3)),
        instrument=BTC,
        version=3,
        book=Book(cash=dec("500.0000765"), position=position),
        exit_state=ExitState(logic="ATRExitMixin:12345678", folded=CANDLE, stop=87.0),
        performance=performance.model_copy(update={"trades": 4, "wins": 3, "gross_win": dec("12.5")}),
    )
    sighting = Sighting(
        venue_time=CANDLE,
        candle_time=CANDLE,
        price=dec("90.50"),
        verdict="in position: no exit rule holds",
        conditions=(
            Condition(name="close, stop", left=90.5, op="<=", right=87.0, holds=False),
            Condition(name="RSI(14)", left=28.123456789, op="<=", right=30.0, holds=True),
        ),
    )
    return BotState(
        row=bot_row("rsi"), fresh=False, status="running", carried=carried, sighting=sighting, last_event="bought it"
    )


def test_the_page_of_a_bot_that_holds_a_position() -> None:
    assert (
        page(holding())
        == """\
# RSI+ATR BTC

**BTC/USDT 1m · running · in position** · configuration version 3

Last event: bought it

Price 90.5 when last reported · in position: no exit rule holds

## Position

- quantity: **5.54691753 BTC**
- average price: **90.05 USDT**
- cost: **499.49992358 USDT**
- stop loss: **87.3485 USDT**
- stop of ATRExitMixin: **87 USDT**

## Conditions on the last candle reported

- ❌ close, stop: **90.5 <= 87**
- ✅ RSI(14): **28.123457 <= 30**

## Books

- cash: **500.0000765 USDT**
- closed trades: **4, 3 won**
- profit: **12.5 USDT**"""
    )


def test_the_page_tells_of_troubles_first() -> None:
    state = holding()
    state.problems, state.rejected_version = ("symbol: NOPE is not traded on binance",), 4
    state.status, state.last_error = "error", "strategy: ZeroDivisionError: a bad mood"
    state.sighting = state.sighting.model_copy(update={"stale": True})
    state.carry(book=Book(cash=dec("7"), dust=Holding(quantity=dec("0.00000753"), cost=dec("0.0007"))))
    text = page(state)
    assert "⚠️ version 4 was refused: symbol: NOPE is not traded on binance" in text
    assert "⚠️ strategy: ZeroDivisionError: a bad mood" in text
    assert "**market data is stale**" in text
    assert "- dust: **0.00000753 BTC**" in text
    assert "## Position" not in text


def test_the_page_says_when_a_version_is_being_checked() -> None:
    state = holding()
    state.fresh, state.row = True, state.row.model_copy(update={"version": 4})
    assert "Version 4 is being checked; until then there are no entries" in page(state)


def test_the_page_of_a_bot_that_has_just_begun_is_short() -> None:
    assert page(BotState(row=bot_row("rsi"))) == "# rsi\n\n**starting** · configuration version 0"


def test_a_summary_is_one_line() -> None:
    assert summary(holding()) == "BTC/USDT 1m · running · in position"
    assert summary(BotState(row=bot_row("rsi"))) == "starting"


async def test_the_server_shows_the_page(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    shown = await bench.cli("workflow", "metadata", "--workflow-id", bot.handle.id)
    assert f"Bot {bot.bot_id}" in shown
    assert "running" in shown
