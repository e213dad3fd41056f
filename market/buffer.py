"""Closed candles in numpy columns: appending is amortised O(1), looking is free."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.candles import Candles, VenueCandle

_COLUMNS = 5
_SPARE = 64


class CandleBuffer:
    """Keeps the newest closed candles, at least `keep` of them, in arrays twice as long.

    What `candles` returned is never written to again, although it is no copy: candles are appended behind it, and a
    full array is replaced, not reused. So it may be evaluated in another thread, however long that takes.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._start = 0
        self._end = 0
        self._times: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._values: NDArray[np.float64] = np.empty((_COLUMNS, 0))
        self._view: Candles | None = None
        self._reallocate(keep)

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def first(self) -> int | None:
        """Open time of the oldest candle, in milliseconds UTC; None when there is none."""
        return int(self._times[self._start]) if len(self) else None

    @property
    def last(self) -> int | None:
        """Open time of the newest candle, in milliseconds UTC; None when there is none."""
        return int(self._times[self._end - 1]) if len(self) else None

    def keep(self, count: int) -> None:
        """Keep at least `count` candles from now on; never fewer than before."""
        self._keep = max(self._keep, count)

    def count_before(self, moment: int) -> int:
        """Return how many candles opened before `moment`, milliseconds UTC."""
        return int(np.searchsorted(self._times[self._start : self._end], moment))

    def append(self, candles: Sequence[VenueCandle]) -> int:
        """Append candles, oldest first; those not newer than the newest are left out. Returns how many were new."""
        last = self.last
        fresh = [candle for candle in candles if last is None or candle.open_time > last]
        if not fresh:
            return 0
        if self._end + len(fresh) > len(self._times):
            self._reallocate(len(fresh))
        self._write(self._end, fresh)
        self._end += len(fresh)
        self._start = max(self._start, self._end - self._keep)
        self._view = None
        return len(fresh)

    def prepend(self, candles: Sequence[VenueCandle]) -> int:
        """Put older candles in front, oldest first; those not older than the oldest are left out.

        Returns how many were older. Call `keep` before, or the next candle will push them out again.
        """
        first = self.first
        older = [candle for candle in candles if first is None or candle.open_time < first]
        if not older:
            return 0
        times, values, count = (
            self._times[self._start : self._end],
            self._values[:, self._start : self._end],
            len(older),
        )
        self._times, self._values = _arrays(2 * (count + len(times)) + _SPARE)
        self._times[count : count + len(times)] = times
        self._values[:, count : count + len(times)] = values
        self._write(0, older)
        self._start, self._end = 0, count + len(times)
        self._view = None
        return count

    def candles(self) -> Candles:
        """Return all candles, oldest first. Nobody can write to the arrays, and we will not."""
        if self._view is None:
            columns = [column[self._start : self._end] for column in (self._times, *self._values)]
            for column in columns:
                column.flags.writeable = False
            self._view = Candles(*columns)
        return self._view

    def missing(self, length_ms: int) -> int:
        """Return how many candles are missing between the oldest and the newest: intervals without a trade."""
        steps = np.diff(self._times[self._start : self._end]) // length_ms
        return int(np.clip(steps - 1, 0, None).sum())

    def _write(self, at: int, candles: Sequence[VenueCandle]) -> None:
        self._times[at : at + len(candles)] = [candle.open_time for candle in candles]
        rows = [(float(candle.open), *candle[2:]) for candle in candles]
        self._values[:, at : at + len(candles)] = np.array(rows, dtype=np.float64).T

    def _reallocate(self, room: int) -> None:
        """Move to new arrays with room for `room` candles more; the old ones stay with those who look at them."""
        length = len(self)
        times, values = self._times[self._start : self._end], self._values[:, self._start : self._end]
        self._times, self._values = _arrays(2 * max(self._keep, length) + room + _SPARE)
        self._times[:length] = times
        self._values[:, :length] = values
        self._start, self._end = 0, length


def _arrays(capacity: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return np.empty(capacity, dtype=np.int64), np.empty((_COLUMNS, capacity))
