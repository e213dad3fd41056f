"""Candle intervals: how long they are, and where on the clock a candle opens. Times are milliseconds UTC."""

import re
from datetime import UTC, datetime

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

_UNIT_MS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": WEEK_MS, "M": 30 * DAY_MS}
_PATTERN = re.compile(r"([1-9][0-9]{0,3})([smhdwM])")
# Day zero of Unix time was a Thursday; exchanges open their weekly candles on Mondays.
_FIRST_MONDAY_MS = 4 * DAY_MS


def interval_ms(interval: str) -> int:
    """Return the length of an interval in milliseconds; a month counts 30 days, use `next_open` for its true end.

    Args:
        interval: a number and a unit as ccxt writes them, "1s" to "1M".

    Raises:
        ValueError: `interval` has another form.
    """
    match = _PATTERN.fullmatch(interval)
    if match is None:
        raise ValueError(f"interval must be a number and one of s, m, h, d, w, M, such as 1m or 4h; was {interval!r}")
    return int(match[1]) * _UNIT_MS[match[2]]


def open_time(moment_ms: int, interval: str) -> int:
    """Return the open time of the candle that `moment_ms` falls into, in milliseconds UTC."""
    length = interval_ms(interval)
    if interval.endswith("M"):
        return _month_start(moment_ms, int(interval[:-1]), steps=0)
    shift = _FIRST_MONDAY_MS if interval.endswith("w") else 0
    return (moment_ms - shift) // length * length + shift


def next_open(moment_ms: int, interval: str) -> int:
    """Return the open time of the candle after the one that `moment_ms` falls into, in milliseconds UTC."""
    if interval.endswith("M"):
        return _month_start(moment_ms, int(interval[:-1]), steps=1)
    return open_time(moment_ms, interval) + interval_ms(interval)


def _month_start(moment_ms: int, months: int, *, steps: int) -> int:
    moment = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    index = ((moment.year * 12 + moment.month - 1) // months + steps) * months
    return int(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)
