"""Where a candle leaves a position between its open and its close: stops first, then what lies above. Exact."""

from typing import NamedTuple

import numpy as np

from backtest.history import History
from domain.candles import Candles
from domain.decisions import LAST_STOP, STOP_LOSS, TAKE_PROFIT, ExitLevels
from domain.model import Price


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
    """The stop and the target of a position, as floats to search with and as decimals to decide with."""

    __slots__ = ("_ceiling", "_floor", "_history", "_rule", "_stop", "_target")

    def __init__(self, history: History, levels: ExitLevels) -> None:
        self._history = history
        self._stop, self._target = levels.lower, levels.upper
        self._rule = STOP_LOSS if levels.stop is not None and levels.stop == levels.lower else LAST_STOP
        self._floor = -np.inf if self._stop is None else float(self._stop)
        self._ceiling = np.inf if self._target is None else float(self._target)

    def first(self, first: int, end: int) -> Hit | None:
        """Return the first level that is reached from the open of candle `first` to that of candle `end`, if any.

        What opens at `end` counts too, where there is such a candle: it comes before what the one before it decides.
        """
        candles = self._history.candles
        # A float equal to the level's may lie on either side of it: such a candle is looked at, and decided exactly.
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
        price = history.price(history.candles.open, i)
        if self._stop is not None and price <= self._stop:
            return Hit(i, self._rule, price, at_open=True)
        if self._target is not None and price >= self._target:
            return Hit(i, TAKE_PROFIT, price, at_open=True)
        return None

    def _inside(self, i: int) -> Hit | None:
        stopped, gained = self._reached(self._history.candles, i)
        if stopped and gained and self._target_came_first(i):
            stopped = False
        if stopped and self._stop is not None:
            return Hit(i, self._rule, self._stop, at_open=False)
        if gained and self._target is not None:
            return Hit(i, TAKE_PROFIT, self._target, at_open=False)
        return None

    def _reached(self, candles: Candles, i: int) -> tuple[bool, bool]:
        """Return whether a candle has reached the stop, and whether the target."""
        history = self._history
        return (
            self._stop is not None and history.price(candles.low, i) <= self._stop,
            self._target is not None and history.price(candles.high, i) >= self._target,
        )

    def _target_came_first(self, i: int) -> bool:
        """Return whether finer candles show the target before the stop. One that shows both counts as the stop."""
        finer = self._history.finer
        if finer is None:
            return False
        begin, end = self._history.span(i)
        for k in range(*finer.open_time.searchsorted([begin, end]).tolist()):
            stopped, gained = self._reached(finer, k)
            if stopped or gained:
                return not stopped
        return False
