"""The candles of a backtest: which of them are lived through, and which only warm the indicators up."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from domain.candles import Candles
from domain.errors import SteadyhandError
from domain.intervals import interval_ms, next_open
from domain.model import Price
from strategies.arrays import Flags, Floats


class NotTestable(SteadyhandError):
    """The configuration wants something that candles cannot show."""


class NoHistory(SteadyhandError):
    """There are too few candles for a backtest, or they are of another interval."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are missing between two others, whose open times these are, in milliseconds UTC."""

    after: int
    before: int
    missing: int


@dataclass(frozen=True, slots=True)
class History:
    """Candles of one interval, oldest first.

    Attributes:
        begin: the place of the first candle that is lived through: at its open the one before it is judged.
        finer: candles of a shorter interval, which tell in which order a candle touched its levels.
    """

    interval: str
    candles: Candles
    begin: int
    finer: Candles | None = None

    def price(self, prices: Floats, i: int) -> Price:
        """Return a price of candle `i` as the venue wrote it: the shortest decimal that reads as this number."""
        return Decimal(repr(prices.item(i)))

    def fresh(self) -> Flags:
        """Return for each candle whether a signal on it can be acted on: the next one opens before it is stale.

        A live bot does not enter on a candle that is older than one interval; the last has no next one.
        """
        times = self.candles.open_time
        is_fresh = np.zeros(len(times), dtype=np.bool_)
        if self.interval.endswith("M"):
            later = (next_open(next_open(moment, self.interval), self.interval) for moment in times.tolist())
            is_fresh[:-1] = times[1:] < np.fromiter(later, dtype=np.int64, count=len(times))[:-1]
        else:
            is_fresh[:-1] = np.diff(times) < 2 * interval_ms(self.interval)
        return is_fresh

    def span(self, i: int) -> tuple[int, int]:
        """Return when candle `i` opens and when it ends, in milliseconds UTC."""
        opened = self.candles.open_time.item(i)
        return opened, next_open(opened, self.interval)


def history_of(
    candles: Candles,
    interval: str,
    *,
    warmup: int,
    start: int | None = None,
    end: int | None = None,
    finer: Candles | None = None,
) -> History:
    """Return the history from `start` to before `end` (milliseconds UTC), with the candles before it as warm-up.

    Without `start`, or where too few candles are before it, it begins after `warmup` candles.

    Raises:
        NoHistory: nothing is left to trade, or the candles are not of that interval.
    """
    times = candles.open_time
    until = len(candles) if end is None else int(times.searchsorted(end))
    wanted = 0 if start is None else int(times.searchsorted(start))
    begin = max(wanted, warmup, 1)
    if begin >= until:
        raise NoHistory(f"{until} candles are too few: the first {warmup} warm the indicators up, and none is left")
    _check_interval(candles[:until], interval)
    return History(interval, candles[:until], begin, finer)


def gaps(history: History) -> Iterator[Gap]:
    """Yield where candles are missing."""
    times, length = history.candles.open_time, interval_ms(history.interval)
    for i in np.flatnonzero(np.diff(times) > length).tolist():
        after, before = times.item(i), times.item(i + 1)
        if (expected := next_open(after, history.interval)) < before:
            yield Gap(after, before, max(round((before - expected) / length), 1))


def _check_interval(candles: Candles, interval: str) -> None:
    """Refuse candles that lie closer together than the interval, or all further apart."""
    if len(candles) < 2 or interval.endswith("M"):
        return
    step, length = int(np.diff(candles.open_time).min()), interval_ms(interval)
    if step != length:
        raise NoHistory(f"candles of {interval} open every {length // 1000} s; these open {step / 1000:g} s apart")
