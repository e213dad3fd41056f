"""A cache of the values that were used last."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps up to `most` values, and drops the one that was not asked for the longest time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[K], V]) -> V:
        """Return the value of `key`, made by `make` when it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = make(key)
        self._values[key] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)
        return value
