"""One line in the log for an outage, not one for each bot and attempt."""

import time
from collections.abc import Callable

_SECONDS = 600.0


class Reminders:
    """Says what is to be told of something that fails again and again: the first time, then every ten minutes."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: dict[str, float] = {}

    def due(self, what: str) -> bool:
        """Return whether a failure is to be told, and take it for told."""
        now, last = self._now(), self._told.get(what)
        if last is not None and now - last < _SECONDS:
            return False
        self._told[what] = now
        return True
