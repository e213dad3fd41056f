"""How long candles last, told by their open times."""

import numpy as np

from domain.candles import Candles
from domain.intervals import MINUTE_MS
from strategies.clock import candle_lengths


def opened_at(*minutes: int) -> Candles:
    times = np.array(minutes, dtype=np.int64) * MINUTE_MS
    return Candles(times, *(np.ones(len(times)) for _ in range(5)))


def test_how_long_candles_last_is_told_by_the_smallest_time_between_two_so_far() -> None:
    candles = opened_at(0, 3, 5, 6, 9)

    np.testing.assert_array_equal(candle_lengths(candles) / MINUTE_MS, [np.nan, 3, 2, 1, 1])


def test_it_is_told_at_once_where_the_first_two_follow_each_other() -> None:
    np.testing.assert_array_equal(candle_lengths(opened_at(0, 1, 2, 9, 10)) / MINUTE_MS, [np.nan, 1, 1, 1, 1])


def test_a_single_candle_tells_nothing() -> None:
    assert len(candle_lengths(opened_at())) == 0
    np.testing.assert_array_equal(candle_lengths(opened_at(7)), [np.nan])
