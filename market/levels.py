"""Stops and targets of all bots of one feed, sorted, so that a price finds those that it has crossed at once."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from domain.decisions import ExitLevels
from domain.model import Price

Rule: TypeAlias = Literal["stop", "target", "last_stop"]

_Entry: TypeAlias = tuple[Price, int]


class Crossing(NamedTuple):
    """A level that a price has reached."""

    rule: Rule
    level: Price


def crossing(levels: ExitLevels, price: Price) -> Crossing | None:
    """Return which of a bot's levels the price has reached, the one reached first: None when none is.

    A stop is reached by a price at or below it, a target by one at or above it. Of two stops the higher one comes
    first for a price that falls; at the same level `stop` goes before `last_stop`.
    """
    stops: list[tuple[Rule, Price | None]] = [("stop", levels.stop), ("last_stop", levels.last_stop)]
    crossed = [Crossing(rule, level) for rule, level in stops if level is not None and price <= level]
    if crossed:
        return max(crossed, key=lambda found: found.level)
    if levels.target is not None and price >= levels.target:
        return Crossing("target", levels.target)
    return None


class LevelBook:
    """The levels of many owners, who are numbers. A price that crosses nobody's level costs two comparisons."""

    def __init__(self) -> None:
        self._stops: list[_Entry] = []
        self._targets: list[_Entry] = []
        self._levels: dict[int, tuple[Price | None, Price | None]] = {}

    def __len__(self) -> int:
        return len(self._levels)

    def put(self, owner: int, levels: ExitLevels) -> None:
        """Watch these levels for `owner`, and no others of it."""
        self.discard(owner)
        stop = max((level for level in (levels.stop, levels.last_stop) if level is not None), default=None)
        if stop is None and levels.target is None:
            return
        self._levels[owner] = (stop, levels.target)
        if stop is not None:
            insort(self._stops, (stop, owner))
        if levels.target is not None:
            insort(self._targets, (levels.target, owner))

    def discard(self, owner: int) -> None:
        """Watch nothing for `owner` any more."""
        stop, target = self._levels.pop(owner, (None, None))
        if stop is not None:
            del self._stops[bisect_left(self._stops, (stop, owner))]
        if target is not None:
            del self._targets[bisect_left(self._targets, (target, owner))]

    def crossed(self, price: Price) -> list[int]:
        """Return the owners of whose levels the price has reached one, nearest level first, each once."""
        return list(dict.fromkeys(self._walk(price)))

    def _walk(self, price: Price) -> Iterator[int]:
        for level, owner in reversed(self._stops):
            if level < price:
                break
            yield owner
        for level, owner in self._targets:
            if level > price:
                break
            yield owner
