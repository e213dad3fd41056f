"""Short ways to say an instrument, an order, a fill and a configuration."""

from decimal import Decimal
from typing import Any

from domain.config import BotConfig, parse_config
from domain.instruments import Instrument, VenueRef
from domain.orders import Fill, OrderIntent, OrderRequest, PaperTerms, Side
from domain.positions import Position

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000


def dec(text: str | int) -> Decimal:
    return Decimal(text)


def instrument(
    *,
    symbol: str = "BTC/USDT",
    lot: str = "0.00001",
    tick: str = "0.01",
    least: str = "0",
    most: str | None = None,
    notional: str = "5",
) -> Instrument:
    base, quote = symbol.split("/")
    return Instrument(
        venue=VenueRef(name="binance"),
        symbol=symbol,
        base=base,
        quote=quote,
        lot_step=dec(lot),
        tick_size=dec(tick),
        min_quantity=dec(least),
        max_quantity=None if most is None else dec(most),
        min_notional=dec(notional),
    )


def intent(
    *,
    side: Side = "buy",
    quantity: str = "1",
    price: str = "100",
    number: int = 1,
    at: int = 1_000,
    candle_time: int = 0,
) -> OrderIntent:
    return OrderIntent(
        client_order_id=f"s{number:017d}",
        sequence=number,
        symbol="BTC/USDT",
        side=side,
        quantity=dec(quantity),
        reference_price=dec(price),
        reason="test",
        decision_key=f"key:{number}",
        decided_at=at,
        candle_time=candle_time,
        config_version=1,
    )


def fill(quantity: str, price: str, *, fee: str = "0", currency: str = "USDT", at: int = 1_000, trade: int = 1) -> Fill:
    return Fill(
        trade_id=str(trade), price=dec(price), quantity=dec(quantity), fee=dec(fee), fee_currency=currency, at=at
    )


def terms(*, fee: str = "0.001", slippage: str = "0.05", currency: str = "received") -> PaperTerms:
    return PaperTerms.model_validate({"fee_rate": fee, "slippage_pct": slippage, "fee_currency": currency})


def order(
    wanted: OrderIntent,
    *,
    market: Instrument | None = None,
    paper: PaperTerms | None = None,
    cash: str = "1000000",
    holding: str = "0",
) -> OrderRequest:
    return OrderRequest(
        bot_id="bot",
        intent=wanted,
        instrument=market or instrument(),
        paper=paper or terms(),
        cash=dec(cash),
        holding=dec(holding),
    )


def position(*, quantity: str = "1", cost: str = "100", entries: int = 1, **fields: Any) -> Position:
    return Position.model_validate(
        {
            "id": "s00000000000000001",
            "symbol": "BTC/USDT",
            "qty_open": dec(quantity),
            "cost": dec(cost),
            "entries": entries,
            "opened_at": 0,
            "signal_time": 0,
            "signal_close": dec(100),
            "config_version": 1,
            **fields,
        }
    )


def config(**changes: Any) -> BotConfig:
    """Return a configuration; a name with `__` reaches into a section: `risk_management__stop_loss_pct=3`."""
    raw: dict[str, Any] = {
        "id": "bot",
        "name": "Bot",
        "enabled": True,
        "symbol": "BTCUSDT",
        "broker": {"type": "binance", "trading_mode": "paper", "name": "paper", "cash": 1000},
        "strategy": {
            "type": "CustomStrategy",
            "parameters": {
                "entry_logic": {"name": "RSIBBVolumeEntryMixin"},
                "exit_logic": {"name": "ATRExitMixin"},
            },
        },
        "data": {"data_source": "binance", "interval": "1m"},
        "trading": {},
        "risk_management": {},
    }
    for path, value in changes.items():
        section, key = path.split("__")
        raw[section][key] = value
    return parse_config(raw)


def costs(*, fee: str = "0.001", slippage: str = "0.05", currency: str = "received") -> dict[str, Any]:
    """Return a `paper_trading_config`."""
    return {"fee_rate": fee, "slippage_pct": slippage, "fee_currency": currency}
