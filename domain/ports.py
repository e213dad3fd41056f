"""What activities need from the outside. Adapters implement these; activities import nothing else of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from domain.candles import Candles
from domain.decisions import ExitLevels
from domain.instruments import Instrument, VenueRef
from domain.journal import JournalBatch, JournalReceipt, Notice
from domain.model import Price, Utc
from domain.orders import OrderReport, OrderRequest
from domain.state import BotRow


class Broker(Protocol):
    """Places orders. The client order id of an intent is its identity."""

    async def find(self, request: OrderRequest) -> OrderReport | None:
        """Return what the broker knows of the request's order, None when it has never seen it."""
        ...

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place the order. The caller has looked it up before.

        Raises:
            VenueUnavailable: nothing is known of the order; look it up.
        """
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

    rule: Literal["stop", "target", "last_stop"]
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
            opened: the moment of the position's newest entry: prices and opens before it touch no level; None when
                flat.
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
