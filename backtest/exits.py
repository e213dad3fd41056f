"""When the exit logic would leave a position: looked up for many positions at once, or walked candle by candle."""

from abc import ABC, abstractmethod

import numpy as np

from domain.decisions import ExitState, Take
from strategies.arrays import Indexes
from strategies.exit_logic import AnyExit, EntryPoint, ExitLogic, ExitSeries

STRIDE = 64
"""Candles that are walked at a time where nothing moves meanwhile."""

_BLOCK, _WIDTH, _WIDER = 256, 32, 4


def moves_levels(logic: AnyExit) -> bool:
    """Return whether an exit logic has levels of its own watched inside a candle: its stop, or takes."""
    return logic.by_price or type(logic).takes is not ExitLogic.takes


class Tracker(ABC):
    """Follows one position from its signal candle on. Candles are asked for in order, each once."""

    @abstractmethod
    def look(self, first: int, end: int) -> tuple[int | None, int]:
        """Return the first candle from `first` to before `end` on which the exit holds, and before which it looked.

        That may be less far than `end`; at least one candle is looked at.
        """

    @abstractmethod
    def entered(self, entry: EntryPoint) -> None:
        """Go on with the position as it stands after an entry."""


class Walker(Tracker):
    """Walks: the memory is advanced and checked candle by candle, as live."""

    def __init__(self, logic: AnyExit, series: ExitSeries, signal: int, entry: EntryPoint, *, stride: int) -> None:
        self._logic = logic
        self._series = series
        self._entry = entry
        self._stride = stride
        self._folded = signal
        self._memory = logic.begin(series, signal, entry)
        self._takes: tuple[Take, ...] = ()

    def look(self, first: int, end: int) -> tuple[int | None, int]:
        """Walk `stride` candles at most."""
        logic, series, entry = self._logic, self._series, self._entry
        end = min(end, first + self._stride)
        for i in range(first, end):
            self._memory = logic.advance(self._memory, series, i, entry)
            self._folded = i
            if logic.fires(logic.checks(self._memory, series, i, entry)):
                return i, i + 1
        return None, end

    def entered(self, entry: EntryPoint) -> None:
        """Go on with another average price."""
        self._entry = entry

    def stop(self) -> float | None:
        """Return the stop after all candles that were looked at."""
        return self._logic.remember(self._memory)[1]

    def take(self, taken: int) -> float | None:
        """Return the level of the part that follows those taken; None where there is none, or it is not known yet."""
        self._takes = self._takes or self._logic.takes(self._memory)  # fixed once they are known
        return self._takes[taken].level if taken < len(self._takes) else None

    def state(self) -> ExitState:
        """Return the exit state after all candles that were looked at."""
        values, stop = self._logic.remember(self._memory)
        return ExitState(
            logic=self._logic.name,
            folded=self._series.candles.open_time.item(self._folded),
            values=values,
            stop=stop,
            by_price=self._logic.by_price,
            takes=self._logic.takes(self._memory),
        )


class Foreseen(Tracker):
    """Knows the candle of the exit beforehand, or how far there is none."""

    def __init__(self, finder: "ExitFinder", signal: int, offset: int) -> None:
        self._finder = finder
        self._signal = signal
        self._offset = offset
        self._width = _WIDTH

    def look(self, first: int, end: int) -> tuple[int | None, int]:
        """Look the candle up; where it is not known, look further ahead."""
        while not self._offset and first > self._signal + self._width:
            self._width *= _WIDER
            self._offset = self._finder.offset(self._signal, self._width)
        left = self._signal + (self._offset or self._width)
        if left >= end:
            return None, end
        return (left, left + 1) if self._offset else (None, left + 1)

    def entered(self, entry: EntryPoint) -> None:
        """Go on as before: what is foreseen depends on nothing but the candles since the signal."""
        del entry


class ExitFinder:
    """Finds the exits of positions by the candle of their signal, a block of neighbours at a time."""

    def __init__(self, logic: AnyExit, series: ExitSeries, signals: Indexes) -> None:
        """Find exits.

        Args:
            signals: the candles that may begin a position, in order.
        """
        self._logic = logic
        self._series = series
        self._signals = signals
        self._blocks: dict[int, list[int]] = {}
        self._foresees = logic.first_exits(series, signals[:0], 1) is not None

    def foreseen(self, place: int) -> Tracker | None:
        """Return the tracker of the position that the signal at `place` begins; None: it must be walked."""
        if not self._foresees:
            return None
        number, within = divmod(place, _BLOCK)
        if number not in self._blocks:
            block = self._signals[number * _BLOCK : (number + 1) * _BLOCK]
            self._blocks[number] = self._offsets(block, _WIDTH)
        return Foreseen(self, self._signals.item(place), self._blocks[number][within])

    def walker(self, place: int, entry: EntryPoint, *, stride: int) -> Walker:
        """Return a tracker that walks, `stride` candles at a time."""
        return Walker(self._logic, self._series, self._signals.item(place), entry, stride=stride)

    def offset(self, signal: int, width: int) -> int:
        """Return how many candles after a signal the exit comes; 0: not within `width`."""
        return self._offsets(np.array([signal]), width)[0]

    def _offsets(self, signals: Indexes, width: int) -> list[int]:
        offsets = self._logic.first_exits(self._series, signals, width)
        if offsets is None:
            raise TypeError(f"{self._logic.name}.first_exits must foresee all exits or none")
        found: list[int] = offsets.tolist()
        return found
