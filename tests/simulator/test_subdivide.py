"""Finer candles add up to their parents, whatever the path wants to do."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.candles import Candles, aggregate
from simulator.subdivide import subdivide

COUNT = 60


def parent(open_: int, high: int, low: int, close: int, volume: int) -> Candles:
    times, *prices, volumes = (np.array([value], dtype=np.int64) for value in (60_000, open_, high, low, close, volume))
    return Candles.of(times, (prices[0], prices[1], prices[2], prices[3]), volumes)


def cut(candle: Candles, steps: object, *, reach: float = 0.0, present: object = True) -> Candles:
    shape = (1, COUNT)
    return subdivide(
        candle,
        1_000,
        steps=np.broadcast_to(np.asarray(steps, dtype=np.float64), shape),
        reach=np.full(shape, reach),
        weights=np.ones(shape),
        present=np.broadcast_to(np.asarray(present, dtype=np.bool_), shape),
    )


prices = st.tuples(*[st.integers(1, 10**8)] * 4).map(lambda v: (v[0], max(v), min(v), v[3]))


@settings(deadline=None)
@given(
    candle=prices,
    volume=st.integers(0, 10**18),
    steps=st.lists(st.floats(-1e6, 1e6), min_size=COUNT, max_size=COUNT),
    reach=st.floats(0, 1e6),
    halted=st.lists(st.booleans(), min_size=COUNT - 2, max_size=COUNT - 2),
)
@example(candle=(1, 1, 1, 1), volume=2**53 + 1, steps=[0.0] * COUNT, reach=0.0, halted=[False] * (COUNT - 2))
def test_the_parts_of_a_candle_are_sound_and_add_up_to_it(
    candle: tuple[int, int, int, int], volume: int, steps: list[float], reach: float, halted: list[bool]
) -> None:
    present = [True, *(not halt for halt in halted), True]
    parts = cut(parent(*candle, volume), steps, reach=reach, present=present)
    assert aggregate(parts, "1m").row(0)[:6] == (60_000, *candle, volume)
    assert parts.open_time.tolist() == [60_000 + 1_000 * n for n in range(COUNT) if present[n]]
    assert (parts.high >= np.maximum(parts.open, parts.close)).all()
    assert (parts.low <= np.minimum(parts.open, parts.close)).all()
    assert (parts.volume >= 0).all()


def test_a_path_that_goes_straight_still_touches_high_and_low() -> None:
    parts = cut(parent(100, 150, 80, 160 - 20, 60), 1.0)
    assert (parts.high.max(), parts.low.min()) == (150, 80)
    assert (parts.volume == 1).all()


@pytest.mark.parametrize("reach", [0.0, 3.0])
def test_neighbours_meet(reach: float) -> None:
    steps = np.random.default_rng(3).normal(size=COUNT) * 5
    parts = cut(parent(1_000, 1_040, 970, 1_010, 600), steps, reach=reach)
    assert (parts.open[1:] == parts.close[:-1]).all()
