"""When the price comes to a line, by hand: a minute goes open, low, high, close, in thirds of 20 seconds each."""

import numpy as np
import pytest

from domain.intervals import MINUTE_MS
from simulator.candles import Candles
from simulator.exchange import generated_market
from simulator.replay import ReplaySource
from simulator.trading.crossing import Line, first_crossing


def source(*prices: tuple[int, int, int, int]) -> ReplaySource:
    """Minutes from the epoch on."""
    times = np.arange(len(prices), dtype=np.int64) * MINUTE_MS
    columns = np.array(prices, dtype=np.int64).T
    volume = np.ones(len(prices), dtype=np.int64)
    return ReplaySource(Candles.of(times, (columns[0], columns[2], columns[1], columns[3]), volume), MINUTE_MS, 0, 0)


# open, low, high, close
FALL_AND_RISE = source((100, 90, 120, 110), (110, 110, 130, 130))


@pytest.mark.parametrize(
    ("price", "falling", "expected"),
    [
        pytest.param(95, True, 10_000, id="half way down"),
        pytest.param(90, True, 20_000, id="at the low"),
        pytest.param(105, True, 1, id="it is there already"),
        pytest.param(105, False, 30_000, id="half way up"),
        pytest.param(93, False, 1, id="above already"),
        pytest.param(120, False, 40_000, id="at the high"),
        # The second minute goes 110, 110, 130, 130: up in its middle third, from second 80 to second 100.
        pytest.param(125, False, 95_000, id="in the next minute"),
        pytest.param(89, True, None, id="never below"),
        pytest.param(131, False, None, id="never above"),
    ],
)
def test_the_first_moment_at_a_line(price: int, falling: bool, expected: int | None) -> None:
    assert first_crossing(FALL_AND_RISE, Line(price, falling=falling), 0, 120_000) == expected


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        (0, 9_999, None),
        (0, 10_000, 10_000),
        (10_000, 120_000, 10_001),
        # It leaves the line upwards on its way from 90 to 120, after a sixth of the second third.
        (23_332, 120_000, 23_333),
        (23_333, 120_000, None),
    ],
)
def test_only_a_span_of_time_is_searched(after: int, until: int, expected: int | None) -> None:
    assert first_crossing(FALL_AND_RISE, Line(95, falling=True), after, until) == expected


def test_a_touch_between_two_milliseconds_counts() -> None:
    seconds = generated_market("BTCUSDT").history.source
    start = 1_700_000_000_000
    candle = next(
        candle
        for index in range(60)
        if (candle := seconds.candles(1_000, start, start + 60_000).row(index)).low < min(candle.open, candle.close)
    )
    found = first_crossing(seconds, Line(candle.low, falling=True), candle.open_time - 1, candle.open_time + 1_000)
    # The low is reached after 333.3 milliseconds.
    assert found == candle.open_time + 334


def test_a_jump_over_the_line_counts_at_the_open() -> None:
    gap = source((100, 100, 100, 100), (80, 80, 80, 80))
    assert first_crossing(gap, Line(95, falling=True), 0, 120_000) == 60_000


def test_days_are_searched_as_minutes_and_seconds_are() -> None:
    history = generated_market("BTCUSDT", seed=3).history
    start = 1_700_000_000_123
    until = start + 40 * 86_400_000
    for share in (0.97, 0.9, 0.85):
        line = Line(int(history.price(start) * share), falling=True)
        found = first_crossing(history.source, line, start, until)
        reached = history.window(start, until)
        assert reached is not None
        if reached.low > line.price:
            assert found is None
            continue
        assert found is not None
        before, at = history.window(start, found - 1), history.window(found - 1, found)
        assert before is not None
        assert at is not None
        assert at.low <= line.price < before.low
