"""The exchange itself: its clock, its markets, and what it knows of them now. No HTTP here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.intervals import DAY_MS, MINUTE_MS
from simulator.book import Book, book_at
from simulator.candles import Candle
from simulator.clock import Clock
from simulator.generator import Character, GeneratedSource
from simulator.history import History
from simulator.replay import read_csv
from simulator.rules import SymbolRules, rules_for
from simulator.source import PriceSource


@dataclass(frozen=True)
class Day:
    """The last 24 hours of a market: `candle` opens at their start, and `closed_at` is now (milliseconds UTC)."""

    candle: Candle
    closed_at: int


class Market:
    """One symbol: its rules and what it has traded."""

    def __init__(self, rules: SymbolRules, source: PriceSource) -> None:
        self.rules = rules.with_price_decimals(source.price_decimals)
        self.price_decimals = source.price_decimals
        self.volume_decimals = source.volume_decimals
        self.history = History(source)

    @property
    def symbol(self) -> str:
        """The venue's own name, BTCUSDT."""
        return self.rules.symbol

    def book(self, now: int, depth: int) -> Book:
        """Return the `depth` best bids and asks around the price of now."""
        return book_at(self.symbol, self.history.price(now), self.lot_units(), now, depth)

    def lot_units(self) -> int:
        """Return the quantity of a usual order in the book, in steps of the lot."""
        usual = self.rules.daily_volume / (DAY_MS / 1_000)
        return max(1, round(usual * 10.0**self.rules.volume_decimals))

    def day(self, now: int) -> Day:
        """Return the last 24 hours, from a full minute on; an idle market's at its last price."""
        start = (now - DAY_MS) // MINUTE_MS * MINUTE_MS + MINUTE_MS
        candle = self.history.window(start, now)
        if candle is None:
            price = self.history.price(now)
            candle = Candle(start, price, price, price, price, 0, 0.0)
        return Day(candle, now)


class Exchange:
    """Markets under one clock."""

    def __init__(self, clock: Clock, markets: Iterable[Market]) -> None:
        self.clock = clock
        self.markets: Mapping[str, Market] = {market.symbol: market for market in markets}
        if not self.markets:
            raise ValueError("an exchange needs at least one market; got none")


def generated_market(symbol: str, *, seed: int = 1, volatility: float = 1.0) -> Market:
    """Return a market of the seeded generator.

    Raises:
        ValueError: `symbol` has an unknown quote currency, or `volatility` is out of (0, 50].
    """
    rules = rules_for(symbol)
    character = Character(
        symbol=symbol,
        seed=seed,
        price=rules.typical_price,
        daily_volume=rules.daily_volume,
        price_decimals=rules.price_decimals,
        volume_decimals=rules.volume_decimals,
        volatility=volatility,
    )
    return Market(rules, GeneratedSource(character))


def replayed_market(symbol: str, file: Path) -> Market:
    """Return a market that replays a candle file (`simulator.replay.read_csv` says what it must look like).

    Raises:
        ValueError: the symbol or the file is not as expected.
        OSError: the file cannot be read.
    """
    rules = rules_for(symbol)
    source = read_csv(file, least_price_decimals=rules.price_decimals, least_volume_decimals=rules.volume_decimals)
    return Market(rules, source)
