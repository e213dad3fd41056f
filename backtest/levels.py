"""Where a candle leaves a position between its open and its close: stops first, then what lies above. Exact."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backtest.history import History
from domain.candles import Candles
from domain.decisions import LAST_STOP, STOP_LOSS, TAKE_PROFIT, ExitLevels
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
    rule: str
    price: Price
    at_open: bool


class Watch:
    """The stop and the target of a position: floats to search with, and the levels themselves to decide with.

    Most candles are far from every level, so the exact ones are worked out only where a float comes near.
    """

    __slots__ = ("_ceiling", "_exact", "_floor", "_history", "_static_floor")

    def __init__(self, history: History, exact: Callable[[], ExitLevels], static: ExitLevels) -> None:
        """Watch levels.

        Args:
            exact: returns the levels as they stand.
            static: those among them that stay where they are until the position changes.
        """
        self._history = history
        self._exact = exact
        self._static_floor = self._floor = -np.inf if static.lower is None else float(static.lower)
        self._ceiling = np.inf if static.upper is None else float(static.upper)

    def move(self, stop: float | None) -> None:
        """Go on with another stop of the strategy beside those that stay."""
        self._floor = self._static_floor if stop is None else max(self._static_floor, stop)

    def first(self, first: int, end: int) -> Hit | None:
        """Return the first level that is reached from the open of candle `first` to that of candle `end`, if any.

        What opens at `end` counts too, where there is such a candle: it comes before what the one before it decides.
        """
        candles = self._history.candles
        # A float equal to the level's may lie on either side of it: such a candle is looked at, and decided exactly.
        if not _all_between(self._floor, candles.low[first:end], candles.high[first:end], self._ceiling):
            touched = (candles.low[first:end] <= self._floor) | (candles.high[first:end] >= self._ceiling)
            for offset in np.flatnonzero(touched).tolist():
                if (hit := self._opening(first + offset) or self._inside(first + offset)) is not None:
                    return hit
        return self._opening(end) if end < len(candles) else None

    def _opening(self, i: int) -> Hit | None:
        history = self._history
        opening = history.candles.open.item(i)
        if self._floor < opening < self._ceiling:
            return None
        levels, price = self._exact(), history.price(history.candles.open, i)
        if levels.lower is not None and price <= levels.lower:
            return Hit(i, _rule(levels), price, at_open=True)
        if levels.upper is not None and price >= levels.upper:
            return Hit(i, TAKE_PROFIT, price, at_open=True)
        return None

    def _inside(self, i: int) -> Hit | None:
        levels = self._exact()
        stopped, gained = self._reached(self._history.candles, i, levels)
        if stopped and gained and self._target_came_first(i, levels):
            stopped = False
        if stopped and levels.lower is not None:
            return Hit(i, _rule(levels), levels.lower, at_open=False)
        if gained and levels.upper is not None:
            return Hit(i, TAKE_PROFIT, levels.upper, at_open=False)
        return None

    def _reached(self, candles: Candles, i: int, levels: ExitLevels) -> tuple[bool, bool]:
        """Return whether a candle has reached the stop, and whether the target."""
        history = self._history
        return (
            levels.lower is not None and history.price(candles.low, i) <= levels.lower,
            levels.upper is not None and history.price(candles.high, i) >= levels.upper,
        )

    def _target_came_first(self, i: int, levels: ExitLevels) -> bool:
        """Return whether finer candles show the target before the stop. One that shows both counts as the stop."""
        finer = self._history.finer
        if finer is None:
            return False
        begin, end = self._history.span(i)
        for k in range(*finer.open_time.searchsorted([begin, end]).tolist()):
            stopped, gained = self._reached(finer, k, levels)
            if stopped or gained:
                return not stopped
        return False


def _rule(levels: ExitLevels) -> str:
    """Return which of the stops is the one that a falling price reaches first; at the same level the risk limit's."""
    return STOP_LOSS if levels.stop is not None and levels.stop == levels.lower else LAST_STOP


def _all_between(floor: float, lows: Floats, highs: Floats, ceiling: float) -> bool:
    if len(lows) > _FEW:
        return bool(lows.min() > floor and highs.max() < ceiling)
    return bool(min(lows.tolist()) > floor and max(highs.tolist()) < ceiling)
