"""Longer candles made of shorter ones, by hand and against the clock of the domain."""

import numpy as np
import pytest

from domain.candles import Candles
from domain.intervals import DAY_MS, HOUR_MS, MINUTE_MS, interval_ms, next_open, open_time
from strategies.clock import candle_lengths
from strategies.higher import fits, higher_atr, higher_candles
from tests.strategies import reference

START = 1_700_006_400_000
"""A whole day: Wednesday, 15 November 2023, midnight."""


def rising(opens: list[int], *, length: int = MINUTE_MS) -> Candles:
    """Candle k: H 10 + k, L 10 - k, C 10 + k / 10; opened `length` times the number after the start."""
    k = np.arange(len(opens), dtype=np.float64)
    times = START + length * np.array(opens, dtype=np.int64)
    return Candles(times, 10 + k, 10 + k, 10 - k, 10 + k / 10, np.ones(len(opens)))


def test_a_longer_candle_is_known_from_the_candle_that_closes_it() -> None:
    higher = higher_candles(rising([*range(12)]), "5m")

    assert higher.known_from.tolist() == [4, 9]
    assert higher.high.tolist() == [14.0, 19.0]
    assert higher.low.tolist() == [6.0, 1.0]
    assert higher.close.tolist() == [10.4, 10.9]


def test_one_that_began_before_the_candles_did_is_left_out() -> None:
    assert higher_candles(rising([2, 3, 4, 5, 6, 7, 8, 9, 10]), "5m").known_from.tolist() == [7]


def test_without_its_last_candle_the_next_one_closes_it() -> None:
    # Minutes 0 1 2 3 - | 5: minute 4 is missing, so that only minute 5 tells that the first five are over.
    higher = higher_candles(rising([0, 1, 2, 3, 5, 6, 7, 8, 9]), "5m")

    assert higher.known_from.tolist() == [4, 8]
    assert higher.high.tolist() == [13.0, 18.0]
    assert higher.close.tolist() == [10.3, 10.8]


def test_without_a_whole_longer_candle_the_others_stay_as_they_are() -> None:
    higher = higher_candles(rising([0, 1, 2, 3, 4, 12, 13, 14, 15]), "5m")

    assert higher.known_from.tolist() == [4, 7]
    assert higher.high.tolist() == [14.0, 17.0]


def test_a_candle_that_comes_after_the_close_that_was_told_changes_nothing() -> None:
    # After 0 and 3 candles seem to last three minutes, so that the one at 3 ends with the five; then there is a 4.
    before, after = (higher_candles(rising(opens), "5m") for opens in ([0, 3], [0, 3, 4, 5]))

    assert before.known_from.tolist() == after.known_from.tolist() == [1]
    assert before.high.tolist() == after.high.tolist() == [11.0]


@pytest.mark.parametrize("opens", [[], [0], [3], [0, 1, 2]])
def test_of_too_few_candles_there_is_no_longer_one(opens: list[int]) -> None:
    assert len(higher_candles(rising(opens), "5m").close) == 0
    assert np.isnan(higher_atr(rising(opens), "5m", 2)).all()
    assert len(higher_atr(rising(opens), "5m", 2)) == len(opens)


@pytest.mark.parametrize(
    ("interval", "candle"),
    [
        ("5m", MINUTE_MS),
        ("4h", HOUR_MS),
        ("1d", 4 * HOUR_MS),
        ("3d", DAY_MS),
        ("1w", 8 * HOUR_MS),
        ("2w", DAY_MS),
        ("1M", DAY_MS),
        ("3M", DAY_MS),
    ],
)
def test_longer_candles_open_and_close_with_the_clock(interval: str, candle: int) -> None:
    start = open_time(START, interval)
    candles = rising([*range(int(400 * DAY_MS / candle) if interval[-1] in "wM" else 500)], length=candle)
    candles = Candles(
        candles.open_time - START + start, *(getattr(candles, x) for x in ("open", "high", "low", "close", "volume"))
    )

    known_from = higher_candles(candles, interval).known_from

    ends, end = [], next_open(start, interval)
    while end <= int(candles.open_time[-1]) + candle:
        ends.append(end)
        end = next_open(end, interval)
    assert len(ends) > 3
    assert (candles.open_time[known_from] + candle).tolist() == ends


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


def test_candles_that_do_not_fit_have_no_longer_range() -> None:
    assert np.isnan(higher_atr(rising([*range(400)], length=3 * MINUTE_MS), "5m", 2)).all()
    assert np.isfinite(higher_atr(rising([*range(400)], length=3 * MINUTE_MS), "15m", 2)).any()


@pytest.mark.parametrize(
    ("interval", "candle", "fit"),
    [
        ("4h", "1h", True),
        ("4h", "4h", True),
        ("4h", "3h", False),
        ("4h", "1d", False),
        ("1w", "8h", True),
        ("1w", "1w", False),
        ("1M", "1d", True),
        ("1M", "3d", False),
    ],
)
def test_candles_fit_into_whole_multiples(interval: str, candle: str, *, fit: bool) -> None:
    assert fits(interval, interval_ms(candle)) is fit


def test_how_long_candles_last_is_told_by_the_smallest_time_between_two_so_far() -> None:
    candles = rising([0, 3, 5, 6, 9])

    np.testing.assert_array_equal(candle_lengths(candles) / MINUTE_MS, [np.nan, 3, 2, 1, 1])
    assert len(candle_lengths(rising([]))) == 0
