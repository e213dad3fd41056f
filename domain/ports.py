"""What activities need from the outside. Adapters implement these; activities import nothing else of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from domain.accounts import AccountView, KeyState, VenueOrder
from domain.candles import Candles
from domain.decisions import ExitLevels, LevelRule
from domain.halts import Halt
from domain.instruments import AccountRef, Instrument, VenueRef
from domain.journal import JournalBatch, JournalReceipt, Notice
from domain.model import Price, Utc
from domain.orders import OrderReport, OrderRequest
from domain.state import BotRow


@dataclass(frozen=True, slots=True)
class OrderHabits:
    """What can be known of an order that may have been sent.

    Attributes:
        finds: the venue finds an order by its client order id, so that "there is none" means something.
        late_after: seconds after its window opened from when on a request is certainly refused as too late, the
            error of the clocks included; None: the venue has no such deadline, a request may arrive at any time.
    """

    finds: bool
    late_after: float | None


@dataclass(frozen=True, slots=True)
class SendWindow:
    """When an order may be sent, in seconds of this machine's wall clock (`time.time()`).

    Attributes:
        opened: when the order was known to be absent. It is signed with this moment, so that the venue itself refuses
            a request which a frozen process sends late.
        closes: nothing is signed after it.
    """

    opened: float
    closes: float


class Broker(Protocol):
    """Places orders. The client order id of an intent is its identity.

    All methods raise `VenueUnavailable` when the venue does not answer, and `AccountRefused` when it refuses the keys.
    """

    async def habits(self, request: OrderRequest) -> OrderHabits:
        """Return how far this order's venue can be trusted to know and to forget."""
        ...

    async def find(self, request: OrderRequest) -> OrderReport | None:
        """Return what the venue knows of the request's order, all its fills included; None when it knows none.

        Raises:
            OrderMismatch: it knows another order under this id.
        """
        ...

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        """Send the order, once. The caller has looked it up before.

        Raises:
            OrderRejected: the venue refuses it for good.
            InsufficientBalance: it does so for lack of balance, of which it may tell how much there is.
            OrderUncertain: the venue may have it or not, or says that it has one of this id already.
            NotSent: it has not left, or the venue has turned it away without judging it.
        """
        ...

    async def cancel(self, request: OrderRequest) -> OrderReport:
        """Cancel what is left of the order, and return how it ended; an order that has ended stays as it is.

        Raises:
            OrderUncertain: the venue knows no such order.
        """
        ...


class Accounts(Protocol):
    """Reads accounts at venues.

    All methods raise `VenueUnavailable` when the venue does not answer, and `AccountRefused` when it refuses the keys.
    """

    async def orders(
        self, account: AccountRef, instrument: Instrument, *, prefix: str, since: int
    ) -> Sequence[VenueOrder]:
        """Return the orders whose client order ids begin with `prefix`, oldest first.

        Args:
            since: milliseconds UTC; orders accepted earlier may be left out.
        """
        ...

    async def open_orders(self, account: AccountRef, instrument: Instrument) -> Sequence[VenueOrder]:
        """Return all orders that rest at the venue, whoever has placed them."""
        ...

    async def view(self, account: AccountRef) -> AccountView:
        """Return what the keys may do and what the account holds."""
        ...


class Brokers(Protocol):
    """Finds the broker that a bot trades through."""

    def broker_for(self, request: OrderRequest) -> Broker:
        """Return the broker of this order: paper terms mean the paper broker."""
        ...


@dataclass(frozen=True, slots=True)
class FeedKey:
    """Identity of a feed: bots with equal keys share one."""

    venue: VenueRef
    symbol: str
    interval: str


@dataclass(frozen=True, slots=True)
class MarketView:
    """What a feed knows at one moment. All times are the venue's, in milliseconds UTC.

    Attributes:
        candles: closed candles, oldest first.
        opening_time, opening_price: open time and open of the candle that has begun; None before its first trade.
        price, price_at: the last price seen and when.
        now: the venue's clock.
        stale: its newest candle is older than three intervals.
        degraded: why the venue cannot be read now, in one sentence; None while it can.
    """

    candles: Candles
    opening_time: int | None
    opening_price: Price | None
    price: Price | None
    price_at: int | None
    now: int
    stale: bool
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class LevelHit:
    """A price between candles has reached a level.

    Attributes:
        price: the level itself, or the open of the running candle when that was already beyond it.
        candle_time: open time of the running candle.
        at: the venue's time.
    """

    rule: LevelRule
    price: Price
    candle_time: int
    at: int


Wake: TypeAlias = Literal["candle", "stale", "fresh"] | LevelHit


class Subscription(Protocol):
    """One bot's place at a feed."""

    def view(self) -> MarketView:
        """Return what the feed knows now, without waiting."""
        ...

    async def wait(self, *, seen: int | None, opened: int | None, levels: ExitLevels, was_stale: bool) -> Wake:
        """Wait until there is something to judge, and return at once if there already is.

        Args:
            seen: open time of the newest candle that was judged; a newer closed one wakes with `candle`. Candles
                wake once the open of the candle after them is known, or 1 interval later at the latest.
            opened: the moment of the position's newest entry, or since when an order rests: prices and opens before
                it touch no level; None when there is neither.
            levels: prices to be woken at.
            was_stale: wakes with `stale` or `fresh` when the feed is no longer so.
        """
        ...


class Market(Protocol):
    """Market data of all venues: one feed per `FeedKey` and process."""

    async def instrument(self, venue: VenueRef, symbol: str, interval: str) -> Instrument:
        """Return the market that `symbol` names, `BTCUSDT` and `BTC/USDT` alike.

        Raises:
            VenueMisfit: unknown venue, symbol or interval, or an ambiguous symbol.
            VenueUnavailable: the venue does not answer.
        """
        ...

    def subscribe(
        self, key: FeedKey, *, lookback: int, since: int | None, price_seconds: float
    ) -> AbstractAsyncContextManager[Subscription]:
        """Join a feed, starting it if need be. It never raises for an unreachable venue: the feed is then stale.

        Args:
            lookback: closed candles that `view` offers at least, once loaded.
            since: open time of a candle; `view` then reaches back `lookback` candles before it, as far as the
                venue keeps them.
            price_seconds: how often, in seconds of the venue's clock, the price is looked at while levels are set.
        """
        ...


class Journal(Protocol):
    """Writes the journal of bots."""

    async def write(self, batch: JournalBatch) -> JournalReceipt:
        """Write a batch in one transaction; writing it again changes nothing.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        ...


class Bots(Protocol):
    """Reads the rows of bots."""

    async def get(self, bot_id: str) -> BotRow:
        """Return a row.

        Raises:
            UnknownBot: there is none.
            StoreUnavailable: the database cannot be reached.
        """
        ...

    async def all_enabled(self) -> Sequence[BotRow]:
        """Return all rows whose bots should run."""
        ...

    async def sharing(self, credentials: str) -> Sequence[BotRow]:
        """Return the enabled live bots that trade by these keys, oldest first.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        ...

    async def refuse(self, bot_id: str, version: int, problem: str) -> None:
        """Mark a version as rejected, with the reason; a bot that never had a valid version is in `error`."""
        ...


@dataclass(frozen=True, slots=True)
class Liveness:
    """A sign of life of one bot's watch."""

    bot_id: str
    seen_at: Utc
    balance: Price | None
    price: Price | None
    candle_time: int | None
    degraded: str | None


class LivenessStore(Protocol):
    """Where the signs of life of all bots of a process go, in one statement."""

    async def flush(self, worker: str, signs: Sequence[Liveness]) -> None:
        """Write them.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        ...


class Notifier(Protocol):
    """Hands messages to people."""

    async def deliver(self, notices: Sequence[Notice]) -> None:
        """Deliver messages, each once: `(bot_id, n)` is its identity."""
        ...


class EntryGate(Protocol):
    """What forbids entries to bots from outside of them."""

    def closed(self, account: AccountRef | None) -> str | None:
        """Return why no entry may be made now, in one sentence, or None. Exits never ask.

        Args:
            account: where the entry would go; None on paper.
        """
        ...


class KeyStandings(Protocol):
    """What this process has heard of the keys that it uses."""

    def standings(self) -> Mapping[AccountRef, KeyState]:
        """Return how the keys stand that a venue has judged."""
        ...

    def keeps_out(self, account: AccountRef) -> str | None:
        """Return why no entry may be made at an account, or None."""
        ...

    async def try_again(self, account: AccountRef) -> None:
        """Ask the venue something that needs the keys, with the newest that are stored.

        Raises:
            SteadyhandError: the keys are still refused, or nothing was learnt.
        """
        ...


class RefusalStore(Protocol):
    """Where it stands for everybody which keys are refused."""

    async def note(self, name: str, state: KeyState) -> str | None:
        """Note how keys stand; return whose they are if that is news, None if not.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        ...


class HaltStore(Protocol):
    """Where a person's halt stands."""

    async def current(self) -> Halt | None:
        """Return the halt in force, None if there is none.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        ...

    def changes(self) -> AsyncIterator[Halt | None]:
        """Yield the halt in force: at once, after every change, and every half a minute in case one was missed.

        Raises:
            StoreUnavailable: the database cannot be reached, or was lost.
        """
        ...


class HaltMemory(Protocol):
    """What this machine has last heard of a halt."""

    def load(self) -> Halt | None:
        """Return the halt that was kept, None if none was. It never raises."""
        ...

    def keep(self, halt: Halt | None) -> None:
        """Keep this instead of what was kept. It never raises."""
        ...
