"""A fake venue with a stepped clock, and the feeds over it."""

from collections.abc import AsyncIterator

import pytest

from domain.ports import FeedKey
from market.data import MarketData
from market.settings import MarketSettings
from tests.support.venue import VENUE, FakeVenue, SteppedClock, rising

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
"""Open time of the first candle that the venue has."""

NOW = START + 1_500 * MINUTE + 10_000
"""Ten seconds into candle 1500."""

KEY = FeedKey(VENUE, "BTC/USDT", "1m")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
def venue(clock: SteppedClock) -> FakeVenue:
    fake = FakeVenue(clock)
    for symbol in ("BTC/USDT", "ETH/USDT"):
        fake.lay_out(symbol, "1m", rising(START, 4_000, "1m"))
    return fake


@pytest.fixture
def settings() -> MarketSettings:
    return MarketSettings(settle_ms=0, linger_seconds=0.05, idle_price_factor=None)


@pytest.fixture
async def market(venue: FakeVenue, clock: SteppedClock, settings: MarketSettings) -> AsyncIterator[MarketData]:
    data = MarketData(lambda _ref: venue, settings, lambda _data: clock)
    yield data
    await data.close()
