"""An order book around the last price, made up but the same for everybody who asks in the same second."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator import noise
from simulator.candles import Floats, Ints

# The spread is this share of the price, or one tick where that is more.
_SPREAD = 50_000
_SECOND_MS = 1_000
_MOST_LEVELS = 5_000


@dataclass(frozen=True)
class Book:
    """Best levels first. Prices in units of the market's price decimals, quantities in steps of its lot."""

    bid_prices: list[int]
    bid_quantities: list[int]
    ask_prices: list[int]
    ask_quantities: list[int]


def book_at(symbol: str, price: int, lot: int, now: int, depth: int) -> Book:
    """Return `depth` levels on each side; fewer bids where the price would reach zero.

    Args:
        price: the last price, which lies between the best bid and the best ask.
        lot: the usual quantity of a level.
        depth: 1 to 5,000.
        now: milliseconds UTC; quantities change every second.
    """
    spread = max(1, price // _SPREAD)
    bid = price - spread // 2
    down, up, bid_sizes, ask_sizes = _draw(symbol, now // _SECOND_MS, depth)
    bids = bid - _distances(down, spread)
    bids = bids[bids > 0]
    return Book(
        bids.tolist(),
        _quantities(bid_sizes[: len(bids)], lot),
        (bid + spread + _distances(up, spread)).tolist(),
        _quantities(ask_sizes, lot),
    )


@lru_cache(maxsize=64)
def _draw(symbol: str, second: int, depth: int) -> Floats:
    """Return four rows of `depth` numbers in (0, 1); the first numbers of a row are the same for any depth."""
    index = np.arange(4, dtype=np.int64)[:, None] * _MOST_LEVELS + np.arange(depth, dtype=np.int64)
    return noise.uniform(noise.key(symbol, "book"), index + 4 * _MOST_LEVELS * second)


def _distances(drawn: Floats, spread: int) -> Ints:
    """Return how far each level is from the best one, which is at 0."""
    gaps = 1 + (drawn * 2 * spread).astype(np.int64)
    gaps[:1] = 0
    distances: Ints = np.cumsum(gaps)
    return distances


def _quantities(drawn: Floats, lot: int) -> list[int]:
    quantities: list[int] = (1 + lot * (0.2 - np.log(drawn))).astype(np.int64).tolist()
    return quantities
