"""The brokers that the contract is tried on: each with an instrument to trade, and a view behind the scenes."""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import aiohttp

from brokers.ccxt_data import CcxtData
from brokers.ccxt_spot import CcxtBroker
from brokers.gateway import Gateway
from brokers.paper import PaperBroker
from domain.errors import NotSent, OrderMismatch, OrderRejected, OrderUncertain
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.orders import Fill, OrderIntent, OrderReport, OrderRequest, OrderType, PaperTerms, Side
from domain.ports import Broker, OrderHabits, SendWindow
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, generated_market
from simulator.faults.late_or_lost import Delay, DropAnswer
from simulator.server import RunningSimulator, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.support.vault import FixedVault, credentials

QUOTE, BASE = Decimal(100_000), Decimal(2)
"""What every account begins with: of USDT and of BTC."""

KEY = ApiKey(key="key-of-main", secret="secret-of-main")
MAIN = AccountSpec(name="main", keys=(KEY,), balances={"USDT": QUOTE, "BTC": BASE})


@dataclass(kw_only=True)
class Bench(ABC):
    """A broker under test."""

    broker: Broker
    instrument: Instrument
    price: Decimal
    account: AccountRef | None = None
    paper: PaperTerms | None = None
    _sequence: int = field(default=0)

    def request(
        self,
        side: Side = "buy",
        quantity: str = "0.00021",
        *,
        order_type: OrderType = "market",
        price: Decimal | None = None,
        like: OrderRequest | None = None,
    ) -> OrderRequest:
        """A request under a new id, or under that of another."""
        self._sequence += 1
        intent = OrderIntent(
            client_order_id=like.intent.client_order_id if like else f"s{self._sequence:017d}",
            sequence=self._sequence,
            symbol=self.instrument.symbol,
            side=side,
            type=order_type,
            quantity=Decimal(quantity),
            reference_price=self.price,
            price=price,
            reason="contract",
            decision_key=f"enter:{self._sequence}",
            decided_at=int(time.time() * 1000),
            candle_time=0,
            config_version=1,
        )
        return OrderRequest(
            bot_id="bot",
            intent=intent,
            instrument=self.instrument,
            paper=self.paper,
            account=self.account,
            cash=QUOTE,
            holding=BASE,
        )

    async def outcome(self, request: OrderRequest, window: SendWindow | None = None) -> OrderReport:
        """What becomes of an order; a refusal is a report too."""
        try:
            return await self.broker.submit(request, window or open_window())
        except OrderRejected as error:
            return OrderReport(client_order_id=request.intent.client_order_id, status="rejected", reason=str(error))


@dataclass(kw_only=True)
class SendingBench(Bench):
    """A broker that sends orders to a venue, which may be looked at."""

    @abstractmethod
    async def accepted(self) -> Sequence[str]:
        """The client order ids that the venue has really accepted."""

    @abstractmethod
    async def lose_next_answer(self) -> None:
        """The next order is accepted, and nobody hears of it."""

    @abstractmethod
    async def hold_up_next(self, seconds: float) -> None:
        """The next order takes longer to arrive."""


def open_window(*, age: float = 0.0, lasts: float = 15.0) -> SendWindow:
    """A window that opened so many seconds ago and closes so many seconds from now."""
    return SendWindow(opened=time.time() - age, closes=time.time() + lasts)


INSTRUMENT = Instrument(
    venue=VenueRef(name="handmade"),
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot_step=Decimal("0.00001"),
    tick_size=Decimal("0.01"),
    min_quantity=Decimal("0.00001"),
    min_notional=Decimal(5),
)


class PaperBench(Bench):
    """Paper."""


@asynccontextmanager
async def paper_bench() -> AsyncIterator[PaperBench]:
    terms = PaperTerms(fee_rate=Decimal("0.001"), slippage_pct=Decimal("0.05"))
    yield PaperBench(broker=PaperBroker(), instrument=INSTRUMENT, price=Decimal(40_000), paper=terms)


@dataclass(kw_only=True)
class CcxtBench(SendingBench):
    """ccxt against the simulated exchange, on HTTP."""

    account: AccountRef
    simulator: RunningSimulator
    gateway: Gateway
    vault: FixedVault

    async def accepted(self) -> Sequence[str]:
        async with aiohttp.ClientSession(self.simulator.url) as session, session.get("/ledger?account=main") as answer:
            (account,) = (await answer.json())["accounts"]
            return [order["clientOrderId"] for order in account["orders"]]

    async def lose_next_answer(self) -> None:
        self.simulator.faults.arm([DropAnswer(count=1)])

    async def hold_up_next(self, seconds: float) -> None:
        self.simulator.faults.arm([Delay(endpoint="POST /api/v3/order", count=1, before_ms=int(seconds * 1000))])


@asynccontextmanager
async def ccxt_bench(
    spec: AccountSpec = MAIN, symbols: Sequence[str] = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
) -> AsyncIterator[CcxtBench]:
    exchange = Exchange(SimulatedClock(), [generated_market(symbol) for symbol in symbols])
    async with await start_simulator(exchange, accounts=[spec]) as simulator:
        venue = VenueRef(name="binance", base_url=simulator.url)
        vault = FixedVault(main=credentials("binance", KEY.key, KEY.secret))
        gateway = Gateway(vault=vault, timeout=1.5)
        data = CcxtData(gateway, venue)
        try:
            instrument = await data.instrument("BTC/USDT", "1m")
            yield CcxtBench(
                broker=CcxtBroker(gateway),
                instrument=instrument,
                price=(await data.prices(["BTC/USDT"]))["BTC/USDT"],
                account=AccountRef(venue=venue, credentials="main"),
                simulator=simulator,
                gateway=gateway,
                vault=vault,
            )
        finally:
            await gateway.close()


class ToyBroker:
    """A broker as a plugin would bring it: its venue is a dictionary."""

    price = Decimal(40_000)
    deadline = 5.0

    def __init__(self) -> None:
        self.orders: dict[str, tuple[OrderIntent, OrderReport]] = {}
        self.base, self.quote = BASE, QUOTE
        self.loses_answer = False
        self.held_up = 0.0

    async def habits(self, request: OrderRequest) -> OrderHabits:
        return OrderHabits(finds=True, late_after=self.deadline)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        intent = request.intent
        if (known := self.orders.get(intent.client_order_id)) is None:
            return None
        placed, report = known
        if (placed.side, placed.symbol, placed.quantity) != (intent.side, intent.symbol, intent.quantity):
            raise OrderMismatch(f"{intent.client_order_id} is another order")
        return report

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        if time.time() > window.closes:
            raise NotSent("the window has closed")
        held_up, self.held_up = self.held_up, 0.0
        if time.time() + held_up > window.opened + self.deadline:
            raise NotSent("the venue: too late")
        report = self._execute(request)
        self.orders[request.intent.client_order_id] = request.intent, report
        if self.loses_answer:
            raise OrderUncertain("the line went dead")
        return report

    async def cancel(self, request: OrderRequest) -> OrderReport:
        known = await self.find(request)
        if known is None:
            raise OrderUncertain("no such order")
        if not known.final:
            known = known.model_copy(update={"status": "cancelled"})
            self.orders[request.intent.client_order_id] = request.intent, known
        return known

    def _execute(self, request: OrderRequest) -> OrderReport:
        intent = request.intent
        if reason := request.instrument.refusal(intent.quantity, self.price):
            raise OrderRejected(reason)
        if intent.side == "sell" and intent.quantity > self.base:
            raise OrderRejected("more than there is")
        if intent.type == "limit":
            return OrderReport(client_order_id=intent.client_order_id, status="open", venue_order_id="1")
        fill = Fill(trade_id="1", price=self.price, quantity=intent.quantity, fee=Decimal(0), fee_currency="USDT", at=1)
        return OrderReport(client_order_id=intent.client_order_id, status="filled", venue_order_id="1", fills=(fill,))


@dataclass(kw_only=True)
class ToyBench(SendingBench):
    """A plugin's broker."""

    broker: ToyBroker

    async def accepted(self) -> Sequence[str]:
        return list(self.broker.orders)

    async def lose_next_answer(self) -> None:
        self.broker.loses_answer = True

    async def hold_up_next(self, seconds: float) -> None:
        self.broker.held_up = seconds


@asynccontextmanager
async def toy_bench() -> AsyncIterator[ToyBench]:
    account = AccountRef(venue=INSTRUMENT.venue, credentials="toy")
    yield ToyBench(broker=ToyBroker(), instrument=INSTRUMENT, price=ToyBroker.price, account=account)
