"""Higher timeframes against pandas, against Wilder's range in plain loops, and that none is known before it closes."""

from bisect import bisect_right

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.candles import Candles
from domain.intervals import DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS, interval_ms, next_open, open_time
from strategies.arrays import Floats
from strategies.clock import candle_lengths
from strategies.timeframes import HigherCandles, aggregate, candles_within, higher_atr, misfit
from tests.strategies import reference

RESAMPLED = {"5m": "5min", "1h": "1h", "4h": "4h", "12h": "12h", "1d": "1D", "1w": "W-MON", "1M": "MS"}

START = 1_700_006_400_000
"""A whole day: Wednesday, 15 November 2023, midnight."""


def rising(opens: list[int], *, length: int = MINUTE_MS, start: int = START) -> Candles:
    """Candle k: H 10 + k, L 10 - k, C 10 + k / 10; opened `length` times the number after the start."""
    k = np.arange(len(opens), dtype=np.float64)
    times = start + length * np.array(opens, dtype=np.int64)
    return Candles(times, 10 + k, 10 + k, 10 - k, 10 + k / 10, np.ones(len(opens)))


def aggregated(candles: Candles, interval: str) -> HigherCandles:
    return aggregate(candles, interval, candle_lengths(candles))


def lasting(length: int, candles: Candles) -> Floats:
    return np.full(len(candles), float(length))


def known_from(higher: HigherCandles) -> list[int]:
    """Return the index of the shorter candle from which each longer one is known."""
    return [int(higher.last.searchsorted(i)) for i in range(len(higher.candles))]


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
    expected = resampled(candles, interval)
    is_partial = candles.open_time[0] != open_time(candles.open_time.item(0), interval)
    is_open = candles.open_time.item(-1) + MINUTE_MS < next_open(candles.open_time.item(-1), interval)
    expected = expected.iloc[int(is_partial) : len(expected) - int(is_open)]

    higher = aggregated(candles, interval).candles

    np.testing.assert_array_equal(higher.open_time, expected.index)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(higher, name), expected[name])
    np.testing.assert_allclose(higher.volume, expected["volume"], rtol=1e-12)


@pytest.mark.parametrize("interval", ["5m", "4h", "1d", "1w", "1M"])
def test_each_candle_knows_the_newest_longer_one_that_has_closed_with_it(interval: str, gapped: Candles) -> None:
    higher = aggregated(gapped, interval)
    ends = [next_open(opened, interval) for opened in higher.candles.open_time.tolist()]
    for i in [*range(1, len(gapped), 37), len(gapped) - 1]:
        assert higher.last[i] == bisect_right(ends, gapped.open_time.item(i) + MINUTE_MS) - 1


def test_a_value_stands_from_the_candle_that_closes_the_longer_one() -> None:
    # Minutes 58 to 62: the hour closes with minute 59; the first hour is not there from its beginning.
    minutes = np.array([58, 59, *range(60, 122)], dtype=np.int64)
    close = minutes.astype(np.float64)
    candles = Candles(minutes * MINUTE_MS, close, close + 1, close - 1, close, np.ones(len(close)))

    higher = aggregated(candles, "1h")

    assert higher.candles.open_time.tolist() == [HOUR_MS]
    assert (higher.candles.open[0], higher.candles.high[0]) == (60, 120)
    assert (higher.candles.low[0], higher.candles.close[0], higher.candles.volume[0]) == (59, 119, 60)
    spread = higher.spread(higher.candles.close)
    assert np.isnan(spread[minutes < 119]).all()
    assert spread[minutes >= 119].tolist() == [119, 119, 119]


def test_where_the_last_candle_is_missing_the_next_one_closes_the_longer_one() -> None:
    minutes = np.array([0, 30, 58, 61, 62], dtype=np.int64)
    candles = Candles(minutes * MINUTE_MS, *(minutes.astype(np.float64) for _ in range(5)))

    assert aggregate(candles, "1h", lasting(MINUTE_MS, candles)).last.tolist() == [-1, -1, -1, 0, 0]


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
@given(clock=clocks(), is_told=st.booleans())
def test_cutting_the_future_off_changes_nothing(clock: tuple[Candles, str, int], *, is_told: bool) -> None:
    candles, higher, length = clock
    lengths = lasting(length, candles) if is_told else candle_lengths(candles)
    whole = aggregate(candles, higher, lengths)
    values = whole.spread(whole.candles.close + whole.candles.volume)
    for end in range(len(candles) + 1):
        part = aggregate(candles[:end], higher, lengths[:end] if is_told else candle_lengths(candles[:end]))

        np.testing.assert_array_equal(part.last, whole.last[:end])
        np.testing.assert_array_equal(part.spread(part.candles.close + part.candles.volume), values[:end])


@settings(deadline=None)
@given(clocks(), st.integers(0, 60))
def test_a_longer_candle_is_the_same_wherever_the_window_begins(clock: tuple[Candles, str, int], begin: int) -> None:
    candles, higher, length = clock
    whole, window = (aggregate(part, higher, lasting(length, part)) for part in (candles, candles[begin:]))

    shared = np.isin(whole.candles.open_time, window.candles.open_time)
    assert shared.sum() == len(window.candles)
    np.testing.assert_array_equal(whole.candles.high[shared], window.candles.high)
    np.testing.assert_array_equal(whole.candles.volume[shared], window.candles.volume)


def test_a_longer_candle_is_known_from_the_candle_that_closes_it() -> None:
    higher = aggregated(rising([*range(12)]), "5m")

    assert known_from(higher) == [4, 9]
    assert higher.candles.high.tolist() == [14.0, 19.0]
    assert higher.candles.low.tolist() == [6.0, 1.0]
    assert higher.candles.close.tolist() == [10.4, 10.9]


def test_one_that_began_before_the_candles_did_is_left_out() -> None:
    assert known_from(aggregated(rising([2, 3, 4, 5, 6, 7, 8, 9, 10]), "5m")) == [7]


def test_without_its_last_candle_the_next_one_closes_it() -> None:
    # Minutes 0 1 2 3 - | 5: minute 4 is missing, so that only minute 5 tells that the first five are over.
    higher = aggregated(rising([0, 1, 2, 3, 5, 6, 7, 8, 9]), "5m")

    assert known_from(higher) == [4, 8]
    assert higher.candles.high.tolist() == [13.0, 18.0]
    assert higher.candles.close.tolist() == [10.3, 10.8]


def test_without_a_whole_longer_candle_the_others_stay_as_they_are() -> None:
    higher = aggregated(rising([0, 1, 2, 3, 4, 12, 13, 14, 15]), "5m")

    assert known_from(higher) == [4, 7]
    assert higher.candles.high.tolist() == [14.0, 17.0]


def test_a_candle_that_comes_after_the_close_that_was_told_changes_nothing() -> None:
    # After 0 and 3 candles seem to last three minutes, so that the one at 3 ends with the six; then there is a 4.
    before, after = (aggregated(rising(opens), "6m") for opens in ([0, 3], [0, 3, 4, 6]))

    assert before.last.tolist() == [-1, 0]
    assert after.last.tolist() == [-1, 0, 0, 0]
    assert before.candles.high.tolist() == after.candles.high.tolist() == [11.0]


@pytest.mark.parametrize(
    ("interval", "candle"),
    [
        ("5m", MINUTE_MS),
        ("4h", HOUR_MS),
        ("1d", 4 * HOUR_MS),
        ("3d", DAY_MS),
        ("1w", 8 * HOUR_MS),
        ("2w", DAY_MS),
        ("4w", 2 * WEEK_MS),
        ("1M", DAY_MS),
        ("3M", DAY_MS),
    ],
)
def test_longer_candles_open_and_close_with_the_clock(interval: str, candle: int) -> None:
    start = open_time(START, interval)
    count = int(400 * DAY_MS / candle) if interval[-1] in "wM" else 500
    candles = rising([*range(count)], length=candle, start=start)

    closers = candles.open_time[known_from(aggregated(candles, interval))]

    ends, end = [], next_open(start, interval)
    while end <= int(candles.open_time[-1]) + candle:
        ends.append(end)
        end = next_open(end, interval)
    assert len(ends) > 3
    assert (closers + candle).tolist() == ends


def test_quarters_are_made_of_months_and_known_with_the_next_month() -> None:
    # From January 2024 on; how long the running month is, candles do not tell.
    months = np.arange("2024-01", "2025-02", dtype="datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    k = np.arange(len(months), dtype=np.float64)

    quarters = aggregated(Candles(months, k, k, k, k, k), "3M")

    assert quarters.candles.close.tolist() == [2, 5, 8, 11]
    assert known_from(quarters) == [3, 6, 9, 12]


@pytest.mark.parametrize("opens", [[], [0], [3], [0, 1, 2]])
def test_of_too_few_candles_there_is_no_longer_one(opens: list[int]) -> None:
    assert aggregated(rising(opens), "5m").last.tolist() == [-1] * len(opens)
    assert len(aggregated(rising(opens), "5m").candles) == 0
    assert np.isnan(higher_atr(rising(opens), "5m", 2)).all()
    assert len(higher_atr(rising(opens), "5m", 2)) == len(opens)


def test_the_range_of_longer_candles_equals_that_of_a_series_of_them() -> None:
    minutes = reference.real_candles()[:3_000]
    skipped = int(-minutes.open_time[0] // MINUTE_MS % 5)
    blocks = (len(minutes) - skipped) // 5
    high, low, close = (
        getattr(minutes, column)[skipped : skipped + 5 * blocks].reshape(-1, 5) for column in ("high", "low", "close")
    )
    nothing = np.zeros(blocks)
    fives = Candles(np.arange(blocks), nothing, high.max(axis=1), low.min(axis=1), close[:, -1], nothing)
    expected = reference.atr(fives, 14)

    ranges = higher_atr(minutes, "5m", 14)

    for i in range(200, 3_000, 37):
        closed = (i + 1 - skipped) // 5
        assert ranges[i] == pytest.approx(expected[closed - 1], rel=1e-9)


def test_candles_that_do_not_fit_have_no_longer_ones() -> None:
    threes = rising([*range(400)], length=3 * MINUTE_MS)

    assert (aggregated(threes, "5m").last == -1).all()
    assert np.isnan(higher_atr(threes, "5m", 2)).all()
    assert np.isfinite(higher_atr(threes, "15m", 2)).any()


def test_candles_seem_not_to_fit_only_until_two_follow_each_other() -> None:
    # 0 and 3 seem to last three minutes; from 6 on it is plain that they last one.
    assert aggregated(rising([0, 3, 6, 7, 8, 9]), "5m").last.tolist() == [-1, -1, -1, 0, 0, 1]


@pytest.mark.parametrize(
    ("higher", "interval"),
    [
        ("4h", "1h"), ("4h", "4h"), ("1d", "5m"), ("3d", "1d"), ("1w", "1d"), ("1w", "12h"), ("1w", "8h"), ("1w", "1w"),
        ("2w", "1w"), ("1M", "1d"), ("1M", "1M"), ("3M", "1M"),
    ],
)  # fmt: skip
def test_a_multiple_is_accepted(higher: str, interval: str) -> None:
    assert misfit(higher, interval) is None


@pytest.mark.parametrize(
    ("higher", "interval"),
    [("1h", "4h"), ("4h", "3h"), ("4h", "1d"), ("1d", "1w"), ("14d", "1w"), ("1w", "1M"), ("30d", "1M"), ("1h", "7m")],
)
def test_what_is_no_multiple_is_refused(higher: str, interval: str) -> None:
    assert misfit(higher, interval) == "a multiple of the candles' interval"


@pytest.mark.parametrize(("higher", "interval"), [("1w", "2d"), ("1w", "5h"), ("1M", "3d")])
def test_weeks_and_months_are_made_of_what_divides_a_day(higher: str, interval: str) -> None:
    assert misfit(higher, interval) == "made of candles that divide a day"


def test_months_are_not_made_of_weeks() -> None:
    assert misfit("1M", "1w") == misfit("1M", "4w") == "a multiple of the candles' interval"


@pytest.mark.parametrize(
    ("higher", "interval", "count"),
    [("1h", "1m", 60), ("4h", "4h", 1), ("1w", "1d", 7), ("1M", "1d", 31), ("3M", "1d", 93)],
)
def test_the_longest_candle_counts(higher: str, interval: str, count: int) -> None:
    assert candles_within(higher, interval) == count
