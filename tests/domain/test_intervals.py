"""Where candles open, against pandas' calendar."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.intervals import interval_ms, next_open, open_time

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_592_000}
# All of ccxt's Binance timeframes, and some of others.
INTERVALS = [
    *("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"),
    *("10s", "45m", "2w", "3M"),
]
moments = st.integers(0, 4_000_000_000_000)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_length_is_the_number_times_its_unit(interval: str) -> None:
    assert interval_ms(interval) == int(interval[:-1]) * SECONDS[interval[-1]] * 1_000


@pytest.mark.parametrize(
    "wrong", ["", "m", "0m", "-1m", "1.5h", "1 m", "1y", "1H", "60", "01m", "12345m", "1m\n", "१m", "1१m"]
)
def test_another_form_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="interval must be a number and one of"):
        interval_ms(wrong)


@pytest.mark.parametrize(
    ("interval", "frequency"),
    [("1m", "1min"), ("15m", "15min"), ("4h", "4h"), ("1d", "1D"), ("1w", "W-MON"), ("1M", "MS"), ("1s", "1s")],
)
@settings(max_examples=50, deadline=None)
@given(moment=st.integers(ms("2000-01-03"), ms("2040-01-01")))
def test_candles_open_where_the_calendar_says(interval: str, frequency: str, moment: int) -> None:
    stamp = pd.Timestamp(moment, unit="ms", tz="UTC")
    start = stamp.floor("D") - pd.Timedelta(days=40)
    start = start if frequency in ("W-MON", "MS", "1D", "4h") else stamp.floor("h")
    opens = pd.date_range(start, stamp + pd.Timedelta(seconds=1), freq=frequency)
    assert open_time(moment, interval) == opens[opens <= stamp][-1].value // 1_000_000
    after = pd.date_range(
        stamp.floor(frequency) if frequency in ("1min", "15min", "1s") else start, periods=400, freq=frequency
    )
    assert next_open(moment, interval) == after[after > stamp][0].value // 1_000_000


@pytest.mark.parametrize("interval", INTERVALS)
@settings(max_examples=50, deadline=None)
@given(moment=moments)
def test_every_moment_is_in_one_candle(interval: str, moment: int) -> None:
    begin, end = open_time(moment, interval), next_open(moment, interval)
    assert begin <= moment < end
    assert open_time(begin, interval) == begin
    assert open_time(end, interval) == end
    assert open_time(end - 1, interval) == begin
    assert next_open(begin, interval) == end


@pytest.mark.parametrize(
    ("interval", "moment", "begin", "end"),
    [
        pytest.param("1w", "2024-01-07T23:59:59.999", "2024-01-01", "2024-01-08", id="a-week-ends-on-sunday-night"),
        pytest.param("1M", "2024-02-29T23:59:59.999", "2024-02-01", "2024-03-01", id="leap-day"),
        pytest.param("1M", "2023-12-31T12:00", "2023-12-01", "2024-01-01", id="december"),
        pytest.param("3M", "2024-06-30", "2024-04-01", "2024-07-01", id="quarter"),
        pytest.param("1d", "2024-03-31T02:30", "2024-03-31", "2024-04-01", id="no-summer-time"),
    ],
)
def test_the_ends_of_long_candles(interval: str, moment: str, begin: str, end: str) -> None:
    assert open_time(ms(moment), interval) == ms(begin)
    assert next_open(ms(moment), interval) == ms(end)
