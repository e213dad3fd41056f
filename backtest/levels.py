"""What a candle reaches of a position's levels between its open and its close: stops first, then upwards. Exact."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from backtest.history import History
from domain.candles import Candles
from domain.decisions import ExitLevels, LevelRule
from domain.model import Price
from strategies.arrays import Floats

# So few numbers are compared faster one by one.
_FEW = 64


class Hit(NamedTuple):
    """A level that was reached.

    Attributes:
        candle: the place of the candle that reached it.
        price: the level, or the candle's open when that was already beyond it.
        at_open: whether it was the open.
    """

    candle: int
    rule: LevelRule
    price: Price
    at_open: bool


class Watch:
    """The levels of a position: floats to search with, and the levels themselves to decide with.

    Most candles are far from every level, so the exact ones are worked out only where a float comes near.
    """

    __slots__ = ("_ceiling", "_exact", "_floor", "_history", "_static_ceiling", "_static_floor")

    def __init__(self, history: History, exact: Callable[[], ExitLevels], static: ExitLevels) -> None:
        """Watch levels.

        Args:
            exact: returns the levels as they stand.
            static: those among them that stay where they are until the position changes.
        """
        self._history = history
        self._exact = exact
        self.hold(static)

    def hold(self, static: ExitLevels) -> None:
        """Go on with levels of a position that has changed."""
        self._static_floor = self._floor = -np.inf if static.lower is None else float(static.lower)
        self._static_ceiling = self._ceiling = np.inf if static.upper is None else float(static.upper)

    def move(self, stop: float | None, take: float | None) -> None:
        """Go on with another stop and another take of the exit logic beside those levels that stay."""
        self._floor = self._static_floor if stop is None else max(self._static_floor, stop)
        self._ceiling = self._static_ceiling if take is None else min(self._static_ceiling, take)

    def first(self, first: int, end: int) -> Hit | None:
        """Return the first level that is reached from the open of candle `first` to that of candle `end`, if any.

        What opens at `end` counts too, where there is such a candle: it comes before what the one before it decides.
        """
        candles = self._history.candles
        # A float equal to the level's may lie on either side of it: such a candle is looked at, and decided exactly.
        if not _all_between(self._floor, candles.low[first:end], candles.high[first:end], self._ceiling):
            touched = (candles.low[first:end] <= self._floor) | (candles.high[first:end] >= self._ceiling)
            for offset in np.flatnonzero(touched).tolist():
                if (hit := self._opening(first + offset) or next(self._inside(first + offset), None)) is not None:
                    return hit
        return self._opening(end) if end < len(candles) else None

    def through(self, i: int) -> Iterator[Hit]:
        """Yield the levels that are reached from the open of candle `i` to that of the next one, one after the other.

        Each hit is to be acted on before the next is asked for: what it has changed decides what is reached next.
        """
        while (hit := self._opening(i)) is not None:
            yield hit
        yield from self._inside(i)
        while i + 1 < len(self._history.candles) and (hit := self._opening(i + 1)) is not None:
            yield hit

    def _opening(self, i: int) -> Hit | None:
        """Return the nearest level that the open of candle `i` is beyond; None where there is none."""
        history = self._history
        opening = history.candles.open.item(i)
        if self._floor < opening < self._ceiling:
            return None
        levels, price = self._exact(), history.price(history.candles.open, i)
        if levels.lower is not None and price <= levels.lower:
            return Hit(i, _stop(levels), price, at_open=True)
        if levels.upper is not None and price >= levels.upper:
            return Hit(i, _profit(levels), price, at_open=True)
        return None

    def _inside(self, i: int) -> Iterator[Hit]:
        """Yield the levels that candle `i` reaches after its open, as `through` does."""
        candles = self._history.candles
        if self._floor < candles.low.item(i) and candles.high.item(i) < self._ceiling:
            return
        for seen, k in self._course(i):
            while (hit := self._touched(seen, k, i)) is not None:
                yield hit

    def _course(self, i: int) -> Iterator[tuple[Candles, int]]:
        """Yield the candles that tell in which order candle `i` went, itself the last: of what they leave open.

        Of a candle that shows a stop and a profit finer ones are asked, if there are any; else the worse comes first.
        """
        finer, candles = self._history.finer, self._history.candles
        if finer is not None and all(self._reached(candles, i, self._exact())):
            for k in range(*finer.open_time.searchsorted(self._history.span(i)).tolist()):
                yield finer, k
        yield candles, i

    def _touched(self, candles: Candles, k: int, i: int) -> Hit | None:
        """Return what candle `k` of these shows as reached first, as a hit of candle `i`."""
        levels = self._exact()
        stopped, gained = self._reached(candles, k, levels)
        if stopped and levels.lower is not None:
            return Hit(i, _stop(levels), levels.lower, at_open=False)
        if gained and levels.upper is not None:
            return Hit(i, _profit(levels), levels.upper, at_open=False)
        return None

    def _reached(self, candles: Candles, i: int, levels: ExitLevels) -> tuple[bool, bool]:
        """Return whether a candle has reached a stop, and whether a level above."""
        history = self._history
        return (
            levels.lower is not None and history.price(candles.low, i) <= levels.lower,
            levels.upper is not None and history.price(candles.high, i) >= levels.upper,
        )


def _stop(levels: ExitLevels) -> LevelRule:
    """Return which of the stops is the one that a falling price reaches first; at the same level the risk limit's."""
    return "stop" if levels.stop is not None and levels.stop == levels.lower else "last_stop"


def _profit(levels: ExitLevels) -> LevelRule:
    """Return which level a rising price reaches first; at the same one the target, which is all of the position."""
    return "target" if levels.target is not None and levels.target == levels.upper else "take"


def _all_between(floor: float, lows: Floats, highs: Floats, ceiling: float) -> bool:
    if len(lows) > _FEW:
        return bool(lows.min() > floor and highs.max() < ceiling)
    return bool(min(lows.tolist()) > floor and max(highs.tolist()) < ceiling)
