"""Handwritten fakes of the ports: a market whose candles and prices a test sets, and a journal in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

import numpy as np
from temporalio import activity

from brokers.paper import PaperBroker
from domain.accounts import KeyState
from domain.candles import Candles
from domain.decisions import ExitLevels
from domain.errors import AccountRefused, OrderRejected, StoreUnavailable, UnknownBot, VenueMisfit
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.intervals import interval_ms
from domain.journal import BotEntry, DesiredEntry, EventEntry, JournalBatch, JournalEntry, JournalReceipt, Notice
from domain.orders import OrderReport, OrderRequest
from domain.paper import paper_report
from domain.ports import Broker, FeedKey, LevelHit, Liveness, MarketView, OrderHabits, SendWindow, Wake
from domain.state import BotRow, Carried
from domain.watch import WatchRequest, WatchResult
from market.levels import crossing

P = TypeVar("P")

BTC = Instrument(
    venue=VenueRef(name="binance"),
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot_step=Decimal("0.00001"),
    tick_size=Decimal("0.01"),
    min_quantity=Decimal("0.00001"),
    min_notional=Decimal(5),
)
ETH = BTC.model_copy(update={"symbol": "ETH/USDT", "base": "ETH"})


class FakeMarket:
    """One market, at one symbol and interval. A test adds closed candles and sets prices; subscribers wake."""

    def __init__(self, interval: str = "1m", start: int = 1_700_000_040_000) -> None:
        self.length = interval_ms(interval)
        self.start = start
        self.rows: list[tuple[int, float, float, float, float, float]] = []
        self.price: Decimal | None = None
        self.elapsed = 0
        self.stale = False
        self.degraded: str | None = None
        self.instruments = {"BTCUSDT": BTC, "ETHUSDT": ETH}
        self.unavailable: Exception | None = None
        self.subscriptions = 0
        self.subscribed = 0
        self._changed = asyncio.Event()

    @property
    def opening_time(self) -> int:
        """Open time of the running candle."""
        return self.start + len(self.rows) * self.length

    @property
    def now(self) -> int:
        """The venue's time: the running candle is so many milliseconds old."""
        return self.opening_time + self.elapsed

    def add(self, *, open_: float, high: float, low: float, close: float, volume: float = 1.0) -> None:
        """Close a candle; the next one opens at its close."""
        self.rows.append((self.opening_time, open_, high, low, close, volume))
        self.price = Decimal(repr(close))
        self.elapsed = 0
        self._wake()

    def flat(self, count: int, price: float) -> None:
        """Close several candles that do not move."""
        for _ in range(count):
            self.add(open_=price, high=price, low=price, close=price)

    def dip(self) -> None:
        """Fall from 100 to 90 on volume: the entry of `raw_config` fires, and buys at 90.05."""
        self.add(open_=100.0, high=100.0, low=90.0, close=90.0, volume=10.0)

    def crash(self) -> None:
        """Fall from 90 to 80: below the stop of its exit, which is at 87 after the dip. It sells at 79.96."""
        self.add(open_=90.0, high=90.0, low=80.0, close=80.0)

    def tick(self, price: str) -> None:
        """Trade at a price inside the running candle."""
        self.price = Decimal(price)
        self._wake()

    def view(self) -> MarketView:
        columns = list(zip(*self.rows, strict=True)) or [()] * 6
        floats = [np.array(column, dtype=np.float64) for column in columns[1:]]
        opening = Decimal(repr(self.rows[-1][4])) if self.rows else None
        return MarketView(
            candles=Candles(np.array(columns[0], dtype=np.int64), *floats),
            opening_time=self.opening_time if self.rows else None,
            opening_price=opening,
            price=self.price,
            price_at=self.now,
            now=self.now,
            stale=self.stale,
            degraded=self.degraded,
        )

    async def instrument(self, venue: VenueRef, symbol: str, interval: str) -> Instrument:
        if self.unavailable:
            raise self.unavailable
        found = self.instruments.get(symbol.replace("/", ""))
        if found is None:
            raise VenueMisfit("symbol", f"{symbol} is not traded on {venue}")
        return found.model_copy(update={"venue": venue})

    @asynccontextmanager
    async def subscribe(
        self, key: FeedKey, *, lookback: int, since: int | None, price_seconds: float
    ) -> AsyncIterator["FakeSubscription"]:
        self.subscriptions += 1
        self.subscribed += 1
        try:
            yield FakeSubscription(self)
        finally:
            self.subscribed -= 1

    async def changed(self) -> None:
        await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@dataclass
class FakeSubscription:
    market: FakeMarket

    def view(self) -> MarketView:
        return self.market.view()

    async def wait(self, *, seen: int | None, opened: int | None, levels: ExitLevels, was_stale: bool) -> Wake:
        while True:
            market = self.market
            found = None if market.price is None else crossing(levels, market.price)
            if found is not None:
                return LevelHit(found.rule, found.level, market.opening_time, market.now)
            if market.rows and (seen is None or market.rows[-1][0] > seen):
                return "candle"
            if market.stale != was_stale:
                return "stale" if market.stale else "fresh"
            await market.changed()


class ScriptedWatch:
    """In place of the watch: it returns what a test puts in, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[WatchRequest] = []
        self.results: deque[WatchResult] = deque()
        self._put = asyncio.Condition()

    async def returns(self, *results: WatchResult) -> None:
        """Have the next watches return these results, one each."""
        async with self._put:
            self.results.extend(results)
            self._put.notify_all()

    async def asked(self, condition: Callable[["ScriptedWatch"], bool]) -> None:
        """Wait until the requests so far satisfy something."""
        async with asyncio.timeout(15), self._put:
            await self._put.wait_for(lambda: condition(self))

    @activity.defn
    async def watch_market(self, request: WatchRequest) -> WatchResult:
        async with self._put:
            self.requests.append(request)
            self._put.notify_all()
            # Only the newest one returns anything: one that was given up may not have heard of it yet.
            while not (self.results and self.requests[-1] is request):
                activity.heartbeat()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._put.wait(), timeout=1.0)
            return self.results.popleft()


@dataclass
class FakeBroker:
    """Fills as the paper broker does, unless a test has it refuse, fail or be slow.

    Attributes:
        failure: what a submission raises.
        blind: what a look-up raises.
    """

    refusal: str | None = None
    failure: Exception | None = None
    blind: Exception | None = None
    submitted: list[OrderRequest] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def broker_for(self, request: OrderRequest) -> Broker:
        return self

    async def habits(self, request: OrderRequest) -> OrderHabits:
        return OrderHabits(finds=True, late_after=0.0)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        if self.blind is not None:
            raise self.blind
        return None

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        self.submitted.append(request)
        await self.open.wait()
        if self.refusal:
            raise OrderRejected(self.refusal)
        if self.failure is not None:
            raise self.failure
        return paper_report(request)

    async def cancel(self, request: OrderRequest) -> OrderReport:
        return await PaperBroker().cancel(request)


@dataclass
class FakeGate:
    """Open, unless a test closes it."""

    reason: str | None = None

    def closed(self, account: AccountRef | None) -> str | None:
        return self.reason


@dataclass
class FakeKeys:
    """Implements `KeyStandings` of what a test says.

    Attributes:
        tried: accounts whose keys were tried again.
    """

    states: dict[AccountRef, KeyState] = field(default_factory=dict)
    tried: list[AccountRef] = field(default_factory=list)

    def standings(self) -> Mapping[AccountRef, KeyState]:
        return self.states

    def keeps_out(self, account: AccountRef) -> str | None:
        state = self.states.get(account)
        return state.refused if state else None

    async def try_again(self, account: AccountRef) -> None:
        self.tried.append(account)
        raise AccountRefused("still")


@dataclass
class FakeJournal:
    """Keeps what was written, by bot, and the rows of bots; may be away. It answers as the real one does."""

    away: bool = False
    entries: list[tuple[str, JournalEntry]] = field(default_factory=list)
    rows: dict[str, BotRow] = field(default_factory=dict)
    written: set[tuple[str, int]] = field(default_factory=set)
    batches: list[JournalBatch] = field(default_factory=list)

    async def write(self, batch: JournalBatch) -> JournalReceipt:
        if self.away:
            raise StoreUnavailable("the database is away")
        self.batches.append(batch)
        row = self.rows.get(batch.bot_id)
        there = row is not None and row.uid == batch.uid
        own: dict[int, int] = {}
        for entry in batch.entries:
            if (batch.uid, entry.n) in self.written:
                continue
            self.written.add((batch.uid, entry.n))
            self.entries.append((batch.bot_id, entry))
            if there and isinstance(entry.payload, DesiredEntry):
                self._obey(batch.bot_id, entry.payload, own)
            elif there and isinstance(entry.payload, BotEntry):
                self._report(batch.bot_id, entry.payload, own)
        if not there:
            return JournalReceipt(orphaned=True)
        row = self.rows[batch.bot_id]
        return JournalReceipt(version=row.version, overtaken=row.observed_version != row.version)

    def of(self, bot_id: str, kind: str) -> list[JournalEntry]:
        return [entry for owner, entry in self.entries if owner == bot_id and entry.payload.kind == kind]

    def payloads(self, bot_id: str, kind: type[P]) -> list[P]:
        return [entry.payload for owner, entry in self.entries if owner == bot_id and isinstance(entry.payload, kind)]

    def events(self, bot_id: str) -> list[str]:
        return [event.type for event in self.payloads(bot_id, EventEntry)]

    def edit(self, bot_id: str, **changes: object) -> BotRow:
        """Change desired columns of a row as a person does: a new version, unless nothing has changed."""
        row = self.rows[bot_id]
        config, enabled = changes.get("config"), changes.get("enabled")
        if isinstance(config, dict) and enabled is None:
            changes["enabled"] = config.get("enabled", row.enabled)
        elif isinstance(enabled, bool):
            changes["config"] = (config if isinstance(config, dict) else row.config) | {"enabled": enabled}
        edited = row.model_copy(update=changes)
        if edited != row:
            edited = edited.model_copy(update={"version": row.version + 1})
        self.rows[bot_id] = edited
        return edited

    def _obey(self, bot_id: str, desired: DesiredEntry, own: dict[int, int]) -> None:
        columns = ("enabled", "desired_paused", "config")
        changes = {name: getattr(desired, name) for name in columns if getattr(desired, name) is not None}
        before = self.rows[bot_id]
        after = self.edit(bot_id, **changes)
        if before.observed_version == before.version and after.version != before.version:
            own[before.version] = after.version
            self.rows[bot_id] = after.model_copy(update={"observed_version": after.version})

    def _report(self, bot_id: str, report: BotEntry, own: dict[int, int]) -> None:
        observed = report.observed_version
        while observed in own:
            observed = own[observed]
        self.rows[bot_id] = self.rows[bot_id].model_copy(
            update={
                "status": report.status,
                "observed_version": observed,
                "rejected_version": report.rejected_version,
                "last_error": report.last_error,
                "carried": Carried.model_validate(report.carried),
            }
        )


@dataclass
class FakeBots:
    """Rows in memory, shared with a `FakeJournal`."""

    journal: FakeJournal
    reads: int = 0

    async def get(self, bot_id: str) -> BotRow:
        self.reads += 1
        if self.journal.away:
            raise StoreUnavailable("the database is away")
        try:
            return self.journal.rows[bot_id]
        except KeyError:
            raise UnknownBot(bot_id) from None

    async def all_enabled(self) -> Sequence[BotRow]:
        return [row for row in self.journal.rows.values() if row.enabled]

    async def sharing(self, credentials: str) -> Sequence[BotRow]:
        rows = self.journal.rows.values()
        return [row for row in rows if row.enabled and row.config["broker"].get("credentials") == credentials]

    async def refuse(self, bot_id: str, version: int, problem: str) -> None:
        row = self.journal.rows[bot_id]
        if row.version == version:
            status = "error" if row.observed_version is None else row.status
            changes = {"rejected_version": version, "last_error": problem, "status": status}
            self.journal.rows[bot_id] = row.model_copy(update=changes)


@dataclass
class FakeNotifier:
    """Keeps what people were told."""

    told: list[Notice] = field(default_factory=list)

    async def deliver(self, notices: Sequence[Notice]) -> None:
        self.told.extend(notices)


@dataclass
class FakeLiveness:
    """Keeps the last signs of life."""

    signs: list[Liveness] = field(default_factory=list)

    async def flush(self, worker: str, signs: Sequence[Liveness]) -> None:
        self.signs = list(signs)
