"""A bot and entries of its journal, with figures that are easy to check by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from domain.journal import (
    BotEntry,
    BotStatus,
    DesiredEntry,
    EventEntry,
    FillEntry,
    JournalBatch,
    JournalEntry,
    JournalPayload,
    Notice,
    OrderEntry,
    PositionEntry,
    TradeEntry,
)
from domain.orders import Fill, OrderIntent, OrderStatus
from domain.positions import Position, Trade

BOT = "rsi_atr_btc_paper"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_MS = 1_772_366_400_000


def config(bot_id: str = BOT, *, enabled: bool = True, **changes: Any) -> dict[str, Any]:
    return {
        "id": bot_id,
        "name": "RSI+ATR BTC Paper Trading",
        "enabled": enabled,
        "symbol": "BTCUSDT",
        "broker": {"type": "binance", "trading_mode": "paper", "name": "paper_broker", "cash": 100.0},
        "strategy": {
            "type": "CustomStrategy",
            "parameters": {
                "entry_logic": {"name": "RSIBBVolumeEntryMixin", "params": {"e_rsi_period": 14, "e_bb_dev": 2.0}},
                "exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 14, "x_sl_multiplier": 1.5}},
            },
        },
        "data": {"data_source": "binance", "interval": "1h", "lookback_bars": 500},
    } | changes


def order(
    number: int = 1,
    *,
    status: OrderStatus = "filled",
    side: Literal["buy", "sell"] = "buy",
    leg: int = 0,
    decision_key: str | None = None,
    quantity: str = "0.5",
    reason: str | None = None,
) -> OrderEntry:
    done = status == "filled"
    return OrderEntry(
        intent=OrderIntent(
            client_order_id=f"sabcde{number:012d}",
            sequence=number,
            leg=leg,
            symbol="BTC/USDT",
            side=side,
            quantity=Decimal(quantity),
            reference_price=Decimal("100.5"),
            reason="entry signal",
            decision_key=decision_key or f"decision-{number}",
            decided_at=START_MS + number * 1000,
            candle_time=START_MS,
            config_version=1,
        ),
        status=status,
        venue_order_id="paper-1" if done else None,
        reason=reason,
        filled_quantity=Decimal(quantity) if done else Decimal(0),
        average_price=Decimal("100.55") if done else None,
    )


def fill(number: int = 1, trade_id: str = "1", price: str = "100.55") -> FillEntry:
    return FillEntry(
        client_order_id=f"sabcde{number:012d}",
        fill=Fill(
            trade_id=trade_id,
            price=Decimal(price),
            quantity=Decimal("0.5"),
            fee=Decimal("0.0005"),
            fee_currency="BTC",
            at=START_MS + 1500,
        ),
    )


def position(
    number: int = 1, *, quantity: str = "0.5", cost: str = "50", closed_at: int | None = None
) -> PositionEntry:
    return PositionEntry(
        position=Position(
            id=f"sabcde{number:012d}",
            symbol="BTC/USDT",
            qty_open=Decimal(quantity),
            cost=Decimal(cost),
            entries=1,
            opened_at=START_MS + number * 1000,
            signal_time=START_MS,
            signal_close=Decimal(100),
            config_version=1,
            commission=Decimal("0.05"),
            orders=(f"sabcde{number:012d}",),
        ),
        closed_at=closed_at,
    )


def trade(number: int = 1, *, gross: str = "5", trades: int = 1) -> TradeEntry:
    net = Decimal(gross) - Decimal("0.1")
    return TradeEntry(
        trade=Trade(
            position_id=f"sabcde{number:012d}",
            symbol="BTC/USDT",
            entry_time=START_MS + number * 1000,
            exit_time=START_MS + number * 1000 + 60_000,
            entry_price=Decimal(100),
            entry_value=Decimal(50),
            exit_price=Decimal(110),
            exit_value=Decimal(55),
            size=Decimal("0.5"),
            commission=Decimal("0.1"),
            gross_pnl=Decimal(gross),
            net_pnl=net,
            exit_reason="stop_loss",
            orders=(f"sabcde{number:012d}", f"sabcde{number + 1:012d}"),
        ),
        trade_type="paper",
        interval="1h",
        strategy="CustomStrategy",
        entry_logic="RSIBBVolumeEntryMixin",
        entry_params={"e_rsi_period": 14},
        exit_logic="ATRExitMixin",
        exit_params={"x_sl_multiplier": 1.5},
        metrics={"total_trades": trades, "win_rate": 1.0, "profit_factor": None},
    )


def event(message: str = "started", **data: Any) -> EventEntry:
    return EventEntry(type="state", message=message, data=data, correlation_id="run-1")


def report(
    status: BotStatus = "running", *, observed: int | None = 1, rejected: int | None = None, pnl: str = "0"
) -> BotEntry:
    return BotEntry(
        status=status,
        observed_version=observed,
        rejected_version=rejected,
        current_balance=Decimal(100) + Decimal(pnl),
        total_pnl=Decimal(pnl),
        error_count=0,
        last_error=None,
        carried={"book": {"cash": "100.5"}, "sequence": 3},
    )


def entry(n: int, payload: JournalPayload) -> JournalEntry:
    return JournalEntry(n=n, at=START + timedelta(microseconds=n), payload=payload)


def batch(uid: str, *entries: JournalEntry, bot_id: str = BOT) -> JournalBatch:
    return JournalBatch(bot_id=bot_id, uid=uid, entries=entries)


def numbered(uid: str, *payloads: JournalPayload, first: int = 1) -> JournalBatch:
    return batch(uid, *(entry(first + place, payload) for place, payload in enumerate(payloads)))


def desired(**wishes: Any) -> DesiredEntry:
    return DesiredEntry(**wishes)


def notice(n: int = 1, *, bot_id: str = BOT, title: str = "Position opened") -> Notice:
    return Notice(
        bot_id=bot_id,
        owner_id="local",
        n=n,
        at=START,
        kind="position_opened",
        severity="info",
        title=title,
        text="Bought 0.5 BTC at 100.55",
    )
