"""The levels of all bots of one feed, sorted, so that a price finds those that it has crossed at once."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from domain.decisions import ExitLevels, LevelRule
from domain.model import Price

_Entry: TypeAlias = tuple[Price, int]


class Crossing(NamedTuple):
    """A level that a price has reached."""

    rule: LevelRule
    level: Price


def crossing(levels: ExitLevels, price: Price) -> Crossing | None:
    """Return which of a bot's levels the price has reached, the one reached first: None when none is.

    A stop or a purchase is reached by a price at or below it, a target or a sale by one at or above it. Of several the
    one that the price has come to first counts; at the same level `stop` goes before all others, and `target` before a
    part of it.
    """
    if levels.lower is not None and price <= levels.lower:
        below: tuple[tuple[LevelRule, Price | None], ...] = (
            ("stop", levels.stop),
            ("last_stop", levels.last_stop),
            ("limit_buy", levels.limit_buy),
        )
        return next(Crossing(rule, level) for rule, level in below if level == levels.lower)
    if levels.upper is not None and price >= levels.upper:
        above: tuple[tuple[LevelRule, Price | None], ...] = (
            ("target", levels.target),
            ("take", levels.take),
            ("limit_sell", levels.limit_sell),
        )
        return next(Crossing(rule, level) for rule, level in above if level == levels.upper)
    return None


class LevelBook:
    """The levels of many owners, who are numbers. A price that crosses nobody's level costs two comparisons."""

    def __init__(self) -> None:
        self._lower: list[_Entry] = []
        self._upper: list[_Entry] = []
        self._levels: dict[int, tuple[Price | None, Price | None]] = {}

    def __len__(self) -> int:
        return len(self._levels)

    def put(self, owner: int, levels: ExitLevels) -> None:
        """Watch these levels for `owner`, and no others of it."""
        self.discard(owner)
        lower, upper = levels.lower, levels.upper
        if lower is None and upper is None:
            return
        self._levels[owner] = (lower, upper)
        if lower is not None:
            insort(self._lower, (lower, owner))
        if upper is not None:
            insort(self._upper, (upper, owner))

    def discard(self, owner: int) -> None:
        """Watch nothing for `owner` any more."""
        lower, upper = self._levels.pop(owner, (None, None))
        if lower is not None:
            del self._lower[bisect_left(self._lower, (lower, owner))]
        if upper is not None:
            del self._upper[bisect_left(self._upper, (upper, owner))]

    def crossed(self, price: Price) -> list[int]:
        """Return the owners of whose levels the price has reached one, nearest level first, each once."""
        return list(dict.fromkeys(self._walk(price)))

    def _walk(self, price: Price) -> Iterator[int]:
        for level, owner in reversed(self._lower):
            if level < price:
                break
            yield owner
        for level, owner in self._upper:
            if level > price:
                break
            yield owner
