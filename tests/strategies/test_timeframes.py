"""Higher timeframes against pandas, and that no candle is known before it is closed."""

from bisect import bisect_right

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.candles import Candles
from domain.intervals import DAY_MS, HOUR_MS, MINUTE_MS, interval_ms, next_open, open_time
from strategies.timeframes import aggregate, candle_length, check_multiple
from tests.strategies import reference

RESAMPLED = {"5m": "5min", "1h": "1h", "4h": "4h", "12h": "12h", "1d": "1D", "1w": "W-MON", "1M": "MS"}


def resampled(candles: Candles, interval: str) -> pd.DataFrame:
    """Return pandas' candles of an interval, indexed by open time in milliseconds."""
    table = pd.DataFrame(
        {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(candles.open_time, unit="ms"),
    )
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    found = table.resample(RESAMPLED[interval], label="left", closed="left").agg(how).dropna()
    found.index = found.index.as_unit("ms").astype("int64")
    return found


@pytest.fixture(scope="module")
def gapped() -> Candles:
    """The real month from a crooked minute on, without every seventh candle and without one whole day."""
    candles = reference.real_candles()
    i = np.arange(len(candles))
    keep = (i >= 137) & (i % 7 != 0) & ~((i > 20_000) & (i < 21_500))
    return Candles(*(getattr(candles, name)[keep] for name in Candles.__slots__))


@pytest.mark.parametrize("interval", list(RESAMPLED))
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "with gaps"])
def test_closed_candles_are_those_of_pandas(interval: str, gapped: Candles, *, whole: bool) -> None:
    candles = reference.real_candles() if whole else gapped
    length = candle_length(candles)
    expected = resampled(candles, interval)
    is_partial = candles.open_time[0] != open_time(candles.open_time.item(0), interval)
    is_open = candles.open_time.item(-1) + length < next_open(candles.open_time.item(-1), interval)
    expected = expected.iloc[int(is_partial) : len(expected) - int(is_open)]

    higher = aggregate(candles, interval, length).candles

    assert length == MINUTE_MS
    np.testing.assert_array_equal(higher.open_time, expected.index)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(higher, name), expected[name])
    np.testing.assert_allclose(higher.volume, expected["volume"], rtol=1e-12)


@pytest.mark.parametrize("interval", ["5m", "4h", "1d", "1w", "1M"])
def test_each_candle_knows_the_newest_longer_one_that_has_closed_with_it(interval: str, gapped: Candles) -> None:
    higher = aggregate(gapped, interval, MINUTE_MS)
    ends = [next_open(opened, interval) for opened in higher.candles.open_time.tolist()]
    for i in [*range(0, len(gapped), 37), len(gapped) - 1]:
        assert higher.last[i] == bisect_right(ends, gapped.open_time.item(i) + MINUTE_MS) - 1


def test_a_value_stands_from_the_candle_that_closes_the_longer_one() -> None:
    # Minutes 58 to 62: the hour closes with minute 59; the first hour is not there from its beginning.
    minutes = np.array([58, 59, *range(60, 122)], dtype=np.int64)
    close = minutes.astype(np.float64)
    candles = Candles(minutes * MINUTE_MS, close, close + 1, close - 1, close, np.ones(len(close)))

    higher = aggregate(candles, "1h", MINUTE_MS)

    assert higher.candles.open_time.tolist() == [HOUR_MS]
    assert (higher.candles.open[0], higher.candles.high[0]) == (60, 120)
    assert (higher.candles.low[0], higher.candles.close[0], higher.candles.volume[0]) == (59, 119, 60)
    spread = higher.spread(higher.candles.close)
    assert np.isnan(spread[minutes < 119]).all()
    assert spread[minutes >= 119].tolist() == [119, 119, 119]


def test_where_the_last_candle_is_missing_the_next_one_closes_the_longer_one() -> None:
    minutes = np.array([0, 30, 58, 61, 62], dtype=np.int64)
    candles = Candles(minutes * MINUTE_MS, *(minutes.astype(np.float64) for _ in range(5)))

    assert aggregate(candles, "1h", MINUTE_MS).last.tolist() == [-1, -1, -1, 0, 0]


@st.composite
def clocks(draw: st.DrawFn) -> tuple[Candles, str, int]:
    """Candles with gaps, of one length, and a longer interval."""
    interval, higher = draw(
        st.sampled_from([("1m", "3m"), ("5m", "1h"), ("1h", "4h"), ("4h", "1d"), ("1d", "1w"), ("1d", "1M")])
    )
    length = interval_ms(interval)
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 5]), max_size=60))
    first = draw(st.integers(0, 500)) + 19_000 * (DAY_MS // length)
    times = (first + np.cumsum([0, *steps], dtype=np.int64)) * length
    randomness = np.random.default_rng(len(steps))
    close, volume = randomness.uniform(1, 2, len(times)), randomness.uniform(0, 1, len(times))
    return Candles(times, close, close + 0.1, close - 0.1, close, volume), higher, length


@settings(deadline=None)
@given(clocks())
def test_cutting_the_future_off_changes_nothing(clock: tuple[Candles, str, int]) -> None:
    candles, higher, length = clock
    whole = aggregate(candles, higher, length)
    values = whole.spread(whole.candles.close + whole.candles.volume)
    for end in range(len(candles) + 1):
        part = aggregate(candles[:end], higher, length)

        np.testing.assert_array_equal(part.last, whole.last[:end])
        np.testing.assert_array_equal(part.spread(part.candles.close + part.candles.volume), values[:end])


@settings(deadline=None)
@given(clocks(), st.integers(0, 60))
def test_a_longer_candle_is_the_same_wherever_the_window_begins(clock: tuple[Candles, str, int], begin: int) -> None:
    candles, higher, length = clock
    whole, window = aggregate(candles, higher, length), aggregate(candles[begin:], higher, length)

    shared = np.isin(whole.candles.open_time, window.candles.open_time)
    assert shared.sum() == len(window.candles)
    np.testing.assert_array_equal(whole.candles.high[shared], window.candles.high)
    np.testing.assert_array_equal(whole.candles.volume[shared], window.candles.volume)


def test_few_candles_tell_no_length_and_close_nothing() -> None:
    candles = reference.candles_of([1.0, 2.0])

    assert candle_length(candles) == MINUTE_MS
    assert candle_length(candles[:1]) == 0
    assert aggregate(candles[:1], "1m", 0).last.tolist() == [-1]
    assert aggregate(candles[:0], "1h", 0).last.tolist() == []


@pytest.mark.parametrize(
    ("higher", "interval"),
    [("4h", "1h"), ("4h", "4h"), ("1d", "5m"), ("1w", "1d"), ("1w", "12h"), ("1M", "1d"), ("1M", "1M"), ("2w", "1w")],
)
def test_a_multiple_is_accepted(higher: str, interval: str) -> None:
    check_multiple(higher, interval)


@pytest.mark.parametrize(
    ("higher", "interval"),
    [("1h", "4h"), ("4h", "3h"), ("1w", "2d"), ("1M", "1w"), ("1M", "3d"), ("1d", "1w"), ("1w", "1M"), ("1h", "7m")],
)
def test_what_is_no_multiple_is_refused(higher: str, interval: str) -> None:
    with pytest.raises(
        ValueError, match=f"a higher timeframe must be a multiple of the interval {interval}; was {higher}"
    ):
        check_multiple(higher, interval)
