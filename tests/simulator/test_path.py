"""Open, low, high, close in three straight lines; the figures are worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.candles import Candle, Candles, aggregate, merge
from simulator.path import part, price_at, split

MINUTE = 60_000
CANDLE = Candle(open_time=120_000, open=100, high=130, low=70, close=110, volume=600, quote=0.0)


def columns(candle: Candle) -> Candles:
    one = [np.array([value], dtype=np.int64) for value in candle[:6]]
    return Candles.of(one[0], (one[1], one[2], one[3], one[4]), one[5])


@pytest.mark.parametrize(
    ("elapsed", "price"),
    [
        pytest.param(0, 100, id="opens"),
        pytest.param(10_000, 85, id="falls"),
        pytest.param(20_000, 70, id="low-after-one-third"),
        pytest.param(30_000, 100, id="rises"),
        pytest.param(40_000, 130, id="high-after-two-thirds"),
        pytest.param(50_000, 120, id="turns"),
        pytest.param(60_000, 110, id="closes"),
        pytest.param(100, 100, id="rounds-down-from-99.85-to-100"),
    ],
)
def test_the_price_goes_from_open_to_low_to_high_to_close(elapsed: int, price: int) -> None:
    assert price_at(CANDLE, elapsed, MINUTE) == price


@pytest.mark.parametrize(
    ("start", "end", "prices", "volume"),
    [
        pytest.param(0, 0, (100, 100, 100, 100), 0, id="has-just-begun"),
        pytest.param(0, 10_000, (100, 100, 85, 85), 100, id="on-its-way-down"),
        pytest.param(0, 30_000, (100, 100, 70, 100), 300, id="low-is-behind"),
        pytest.param(0, 35_000, (100, 115, 70, 115), 350, id="above-its-open"),
        pytest.param(0, 50_000, (100, 130, 70, 120), 500, id="high-is-behind"),
        pytest.param(0, 60_000, (100, 130, 70, 110), 600, id="whole"),
        pytest.param(25_000, 35_000, (85, 115, 85, 115), 100, id="middle"),
    ],
)
def test_a_part_shows_what_happened_in_it(start: int, end: int, prices: tuple[int, int, int, int], volume: int) -> None:
    seen = part(CANDLE, start, end, MINUTE)
    assert (seen.open, seen.high, seen.low, seen.close) == prices
    assert seen.volume == volume
    assert seen.open_time == 120_000 + start


candles = st.tuples(*[st.integers(1, 10**9)] * 4, st.integers(0, 10**14)).map(
    lambda v: Candle(0, v[0], max(v[:4]), min(v[:4]), v[3], v[4], 0.0)
)


@settings(deadline=None)
@given(candle=candles, part_ms=st.sampled_from([1_000, 3_000, 5_000, 20_000, 30_000, 60_000]))
def test_seconds_of_a_minute_are_its_parts_and_add_up_to_it(candle: Candle, part_ms: int) -> None:
    pieces = split(columns(candle), MINUTE, part_ms)
    singles = [part(candle, start, start + part_ms, MINUTE) for start in range(0, MINUTE, part_ms)]
    assert [pieces.row(i)[:5] for i in range(len(pieces))] == [single[:5] for single in singles]
    whole = aggregate(pieces, "1m").row(0)
    assert whole[:6] == candle[:6]
    joined = merge(singles, 0)
    assert joined is not None
    assert joined[:6] == candle[:6]
