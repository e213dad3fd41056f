"""Reads candles over many pages."""

from domain.candles import VenueCandle
from domain.intervals import interval_ms, next_open
from market.venue import VenueData

_LEAST_PAGE = 2


async def fetch_range(venue: VenueData, symbol: str, interval: str, *, since: int, until: int) -> list[VenueCandle]:
    """Return the candles that opened from `since` to `until` (milliseconds UTC) at least, oldest first.

    The candle that runs at `until` is among them, if it had a trade. Intervals without a trade may be missing.

    Raises:
        VenueUnavailable, VenueMisfit: as `VenueData.candles` does.
    """
    length, page = interval_ms(interval), await venue.page_size()
    found: list[VenueCandle] = []
    cursor = since
    while cursor <= until:
        limit = min(page, (until - cursor) // length + _LEAST_PAGE)
        batch = await venue.candles(symbol, interval, since=cursor, limit=limit)
        fresh = [candle for candle in batch if candle.open_time >= cursor]
        found += fresh
        # An empty page is a stretch without trades: some venues look no further than a page's length at once.
        cursor = next_open(fresh[-1].open_time, interval) if fresh else cursor + limit * length
    return found
