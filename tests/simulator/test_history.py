"""The replayed file against itself (read without the code under test) and against pandas."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.intervals import interval_ms, open_time
from simulator.candles import Candle, open_times
from simulator.exchange import Market, replayed_market

BEFORE_ALL = 0
MINUTE = 60_000


def listed(market: Market, interval: str, now: int, **search: Any) -> list[Candle]:
    """Candles as the history lists them, through a `write` that hides nothing."""
    found: list[Candle] = []

    def keep(candle: Candle) -> str:
        found.append(candle)
        return "kept"

    fresh = type(market.history)(market.history.source)
    arguments = {"start": None, "end": None, "limit": 10**9} | search
    fresh.lines(interval, now=now, write=keep, **arguments)
    return sorted(found)


def frame(rows: list[Any]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["time", "open", "high", "low", "close", "volume"])
    scaled = table.drop(columns="time").map(lambda value: int(value * 100_000))
    scaled.index = pd.to_datetime(table["time"], unit="ms")
    return scaled


RESAMPLED = {"3m": "3min", "5m": "5min", "1h": "1h", "4h": "4h", "12h": "12h", "1d": "1D", "3d": "72h", "1w": "W-MON"}


@pytest.mark.parametrize("interval", [*RESAMPLED, "1M"])
def test_coarser_candles_equal_those_of_pandas(interval: str, replay: Market, rows: list[Any]) -> None:
    rule = RESAMPLED.get(interval, "MS")
    options: dict[str, Any] = {"closed": "left", "label": "left"}
    if interval == "3d":
        options["origin"] = "epoch"
    grouped = frame(rows).resample(rule, **options)
    expected = grouped.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}).dropna()
    end = rows[-1].time + MINUTE
    found = [candle for candle in listed(replay, interval, end) if candle.open_time < open_time(end, interval)]
    expected = expected[expected.index < pd.Timestamp(open_time(end, interval), unit="ms")]
    # Prices of this file are held with 2 decimals and volumes with 5; the frame has 5 for both.
    actual = [(c.open_time, c.open * 1_000, c.high * 1_000, c.low * 1_000, c.close * 1_000, c.volume) for c in found]
    assert actual == [
        (int(row.Index.timestamp() * 1_000), row.open, row.high, row.low, row.close, row.volume)
        for row in expected.itertuples()
    ]


@pytest.mark.parametrize("interval", ["1s", "1m", "3m", "8h", "1d", "3d", "1w", "1M", "3M"])
def test_open_times_in_columns_equal_those_of_the_domain(interval: str) -> None:
    moments = np.random.default_rng(7).integers(0, 4_000_000_000_000, 500)
    assert open_times(moments, interval).tolist() == [open_time(moment, interval) for moment in moments.tolist()]


@pytest.mark.parametrize("interval", ["1s", "1m", "15m", "1h", "1d", "1w", "1M"])
def test_the_candle_in_progress_holds_what_is_past_and_nothing_of_the_future(
    interval: str, replay: Market, rows: list[Any]
) -> None:
    now = rows[20_000].time + 20_000
    opened = max(open_time(now, interval), rows[0].time)
    inside = [row for row in rows[:20_000] if row.time >= opened]
    current = rows[20_000]
    # A third of the minute is over: the price stands at the low, a third of the volume has traded.
    lows, highs = [current.low], [current.open]
    volume = current.volume / 3
    start = inside[0].open if inside else current.open
    if interval == "1s":
        start, lows, highs, volume = current.low, [current.low], [current.low], Decimal(0)
    candle = replay.history.in_progress(interval, now)
    assert candle is not None
    assert candle.open_time == open_time(now, interval)
    assert candle.open == start * 100
    assert candle.high == max([row.high for row in inside] + highs) * 100
    assert candle.low == min([row.low for row in inside] + lows) * 100
    assert candle.close == current.low * 100
    assert abs(candle.volume - (sum(row.volume for row in inside) + volume) * 100_000) <= 1


def test_the_price_is_the_open_at_the_open_the_low_a_third_later_and_the_high_after_two(
    replay: Market, rows: list[Any]
) -> None:
    for row in rows[100:2_000:7]:
        seen = [replay.history.price(row.time + later) for later in (0, 20_000, 40_000)]
        assert seen == [row.open * 100, row.low * 100, row.high * 100]


def test_seconds_of_the_file_add_up_to_its_minutes(replay: Market, rows: list[Any]) -> None:
    now = rows[61].time
    seconds = listed(replay, "1s", now, limit=3_600, end=now - 1)
    assert len(seconds) == 3_600
    for number, row in enumerate(rows[1:61]):
        inside = seconds[number * 60 : number * 60 + 60]
        assert inside[0].open_time == row.time
        assert (inside[0].open, inside[-1].close) == (row.open * 100, row.close * 100)
        assert max(second.high for second in inside) == row.high * 100
        assert min(second.low for second in inside) == row.low * 100
        assert sum(second.volume for second in inside) == row.volume * 100_000


def test_after_the_end_of_the_file_the_price_stays_and_no_candle_appears(replay: Market, rows: list[Any]) -> None:
    last = rows[-1]
    for later in (MINUTE, 2 * MINUTE, 40 * 24 * 60 * MINUTE):
        assert replay.history.price(last.time + later) == last.close * 100
        assert listed(replay, "1m", last.time + later, limit=2)[-1].open_time == last.time
        assert replay.history.in_progress("1s", last.time + later) is None


def test_before_the_file_there_is_a_price_but_no_candle(replay: Market, rows: list[Any]) -> None:
    now = rows[0].time - 10 * MINUTE
    assert replay.history.price(now) == rows[0].open * 100
    assert listed(replay, "1m", now) == []
    assert listed(replay, "1d", now, start=0) == []


def test_a_hole_in_the_file_is_a_hole_in_the_candles(temporary_csv: Callable[..., Path]) -> None:
    file = temporary_csv("60000,10,12,9,11,6", "120000,11,11,11,11,3", "360000,20,22,19,21,6")
    market = replayed_market("LTCUSDT", file)
    assert [c.open_time for c in listed(market, "1m", 420_000)] == [60_000, 120_000, 360_000]
    assert market.history.price(300_000) == 1_100
    assert market.history.in_progress("1m", 300_000) is None
    assert [c.open_time for c in listed(market, "1m", 330_000)] == [60_000, 120_000]
    # 3m candles: minutes 0 to 2, none, then minutes 6 to 8 of which only the first exists.
    assert [(c.open_time, c.open, c.close, c.volume) for c in listed(market, "3m", 600_000)] == [
        (0, 1_000, 1_100, 9_000),
        (360_000, 2_000, 2_100, 6_000),
    ]


@pytest.mark.parametrize(("base", "interval"), [(300_000, "3m"), (300_000, "1m"), (3_600_000, "15m"), (900_000, "1h")])
def test_any_interval_comes_out_of_any_file_and_its_volume_is_kept(
    base: int, interval: str, temporary_csv: Callable[..., Path]
) -> None:
    begin = 12 * 3_600_000
    market = replayed_market("LTCUSDT", temporary_csv(*(f"{begin + n * base},10,13,7,11,12" for n in range(12))))
    end = begin + 12 * base
    candles = [candle for candle in listed(market, interval, end) if candle.open_time < end]
    assert [c.open_time for c in candles] == list(range(begin, end, interval_ms(interval)))
    assert sum(c.volume for c in candles) == 12 * 12_000
    assert (max(c.high for c in candles), min(c.low for c in candles)) == (1_300, 700)


def test_a_candle_in_progress_grows_into_the_closed_one(temporary_csv: Callable[..., Path]) -> None:
    file = temporary_csv("0,10,12,9,11,6", "300000,11,14,10,12,9", "600000,12,12,12,12,1")
    market = replayed_market("LTCUSDT", file)
    # 3m candles of a 5m file: the one from 3 to 6 minutes spans two candles of the file.
    last = [market.history.in_progress("3m", now) for now in (180_000, 250_000, 300_000, 359_999)]
    assert all(candle is not None and candle.open_time == 180_000 for candle in last)
    whole = next(c for c in listed(market, "3m", 600_000) if c.open_time == 180_000)
    assert last[-1] is not None
    assert (last[-1].open, last[-1].high, last[-1].volume) == (whole.open, whole.high, whole.volume)
    assert last[-1].low - whole.low in (0, 1)
