"""The paper broker, and who places which order."""

from decimal import Decimal

import pytest

from brokers.paper import PaperBroker
from brokers.registry import BrokerRegistry
from domain.errors import VenueMisfit
from domain.instruments import Instrument, VenueRef
from domain.orders import OrderIntent, OrderRequest, PaperTerms
from domain.ports import SendWindow

INSTRUMENT = Instrument(
    venue=VenueRef(name="binance"),
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot_step=Decimal("0.001"),
    tick_size=Decimal("0.01"),
    min_notional=Decimal(5),
)
WINDOW = SendWindow(opened=0, closes=1)
TERMS = PaperTerms(fee_rate=Decimal("0.001"), slippage_pct=Decimal("0.05"))


def request(*, paper: PaperTerms | None = TERMS, cash: str = "1000", quantity: str = "0.5") -> OrderRequest:
    intent = OrderIntent(
        client_order_id="s00000000000000001",
        sequence=1,
        symbol="BTC/USDT",
        side="buy",
        quantity=Decimal(quantity),
        reference_price=Decimal(1000),
        reason="test",
        decision_key="enter:0",
        decided_at=60_000,
        candle_time=0,
        config_version=1,
    )
    return OrderRequest(
        bot_id="bot", intent=intent, instrument=INSTRUMENT, paper=paper, cash=Decimal(cash), holding=Decimal(0)
    )


async def test_a_paper_order_fills_at_the_reference_price_plus_slippage() -> None:
    """1000 + 0.05 % = 1000.50; the fee of a purchase is taken in base: 0.5 × 0.001 = 0.0005."""
    report = await PaperBroker().submit(request(), WINDOW)
    (fill,) = report.fills
    assert report.status == "filled"
    assert (fill.price, fill.quantity, fill.fee, fill.fee_currency) == (
        Decimal("1000.50"), Decimal("0.5"), Decimal("0.0005"), "BTC",
    )  # fmt: skip


async def test_a_repeated_order_gets_the_same_report_and_nothing_is_ever_found() -> None:
    broker = PaperBroker()
    assert await broker.find(request()) is None
    assert await broker.submit(request(), WINDOW) == await broker.submit(request(), WINDOW)
    assert await broker.find(request()) is None


async def test_an_order_beyond_the_cash_is_rejected() -> None:
    report = await PaperBroker().submit(request(cash="500"), WINDOW)
    assert report.status == "rejected"
    assert report.reason is not None
    assert "insufficient cash" in report.reason


def test_paper_terms_mean_the_paper_broker() -> None:
    paper, live = PaperBroker(), PaperBroker()
    registry = BrokerRegistry(paper=paper, live=live)
    assert registry.broker_for(request()) is paper
    assert registry.broker_for(request(paper=None)) is live


def test_a_live_order_at_an_exchange_without_known_habits_trades_on_paper_only() -> None:
    registry = BrokerRegistry(paper=PaperBroker(), live=PaperBroker())
    unknown = INSTRUMENT.model_copy(update={"venue": VenueRef(name="bitfinex")})
    with pytest.raises(VenueMisfit, match="bitfinex trades on paper only; live orders are known for binance, bitget"):
        registry.broker_for(request(paper=None).model_copy(update={"instrument": unknown}))


def test_a_live_order_without_a_live_broker_is_refused() -> None:
    with pytest.raises(VenueMisfit, match="live orders are not available"):
        BrokerRegistry(paper=PaperBroker()).broker_for(request(paper=None))
