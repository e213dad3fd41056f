"""How far back a subscriber wants to see."""

from dataclasses import dataclass

from market.buffer import CandleBuffer


@dataclass(frozen=True, slots=True)
class Reach:
    """`lookback` closed candles before `since` (open time in milliseconds UTC), or before now."""

    lookback: int
    since: int | None = None

    def missing(self, buffer: CandleBuffer) -> int:
        """Return how many older candles the buffer would need; zero or less when it reaches back so far."""
        return self.lookback - (len(buffer) if self.since is None else buffer.count_before(self.since))

    def start(self, now: int, length: int) -> int:
        """Return the open time from which to load, for candles of `length` ms without gaps."""
        return (now if self.since is None else min(self.since, now)) - self.lookback * length

    def size(self, now: int, length: int) -> int:
        """Return how many candles there are at most from the start until `now`."""
        return (now - self.start(now, length)) // length + 1
