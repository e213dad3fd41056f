"""The candle buffer against a plain list."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from domain.candles import Candles
from market.buffer import CandleBuffer
from tests.support.venue import candle, rising

times = strategies.lists(strategies.integers(0, 400), max_size=40, unique=True).map(sorted)


def opened_at(candles: Candles) -> list[int]:
    return [int(moment) for moment in candles.open_time]


@given(strategies.lists(times, max_size=12), strategies.integers(1, 30))
@settings(max_examples=200)
def test_the_buffer_holds_what_a_list_holds(batches: list[list[int]], keep: int) -> None:
    buffer, plain = CandleBuffer(keep), list[int]()
    looked: list[tuple[Candles, list[int]]] = []
    for batch in batches:
        fresh = [time for time in batch if not plain or time > plain[-1]]
        assert buffer.append([candle(time, str(time + 1)) for time in batch]) == len(fresh)
        plain = (plain + fresh)[-keep:]
        assert opened_at(buffer.candles()) == plain
        assert buffer.candles().open.tolist() == [time + 1.0 for time in plain]
        assert (len(buffer), buffer.first, buffer.last) == (
            len(plain), plain[0] if plain else None, plain[-1] if plain else None,
        )  # fmt: skip
        looked.append((buffer.candles(), plain))
    for view, expected in looked:
        assert opened_at(view) == expected, "what was handed out is never written to again"


@given(times, times, strategies.integers(0, 400))
def test_older_candles_go_in_front(newer: list[int], older: list[int], moment: int) -> None:
    buffer = CandleBuffer(100)
    buffer.append([candle(time, "5") for time in newer])
    before = buffer.candles()
    fitting = [time for time in older if not newer or time < newer[0]]
    assert buffer.prepend([candle(time, "5") for time in older]) == len(fitting)
    assert opened_at(buffer.candles()) == fitting + newer
    assert buffer.count_before(moment) == sum(time < moment for time in fitting + newer)
    assert opened_at(before) == newer


def test_nobody_can_write_to_the_candles() -> None:
    buffer = CandleBuffer(10)
    buffer.append(rising(0, 5, "1m"))
    with pytest.raises(ValueError, match="read-only"):
        buffer.candles().close[0] = 1.0


def test_looking_copies_nothing() -> None:
    buffer = CandleBuffer(10)
    buffer.append(rising(0, 5, "1m"))
    first = buffer.candles()
    assert buffer.candles() is first
    buffer.append(rising(300_000, 1, "1m"))
    assert np.shares_memory(first.close, buffer.candles().close)


def test_missing_candles_are_counted() -> None:
    buffer = CandleBuffer(10)
    buffer.append([candle(time * 60_000, "5") for time in (1, 2, 5, 6, 8)])
    assert buffer.missing(60_000) == 3
