"""How the feeds of a process behave."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Settings of all feeds of a process.

    Attributes:
        settle_ms: milliseconds of the venue's clock after a candle's end at which the feed first asks for it. Too
            early costs a second request, never a wrong candle. 0 suits a simulator.
        linger_seconds: real seconds that a feed outlives its last subscriber, so that a bot that starts a new watch
            finds its candles warm.
        idle_price_factor: without any level to watch, prices are read so many times more seldom, for display;
            None: not at all.
        resync_seconds: real seconds between looks at the venue's clock.
    """

    settle_ms: int = 100
    linger_seconds: float = 60.0
    idle_price_factor: int | None = 10
    resync_seconds: float = 300.0
