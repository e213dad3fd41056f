"""Generated prices: the same for ever, consistent between their levels, and alive."""

from datetime import UTC, datetime

import numpy as np
import pytest

from domain.intervals import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, open_time
from simulator.candles import Candle, Candles, aggregate
from simulator.exchange import Market, generated_market
from simulator.generator import FIRST_MS
from simulator.regimes import day_script
from simulator.rules import DEFAULT_SYMBOLS

START = int(datetime(2024, 3, 5, tzinfo=UTC).timestamp() * 1_000)


def candles(level: int, start: int, end: int, market: Market | None = None) -> Candles:
    return (market or generated_market("BTCUSDT", seed=5)).history.source.candles(level, start, end)


def same(first: Candles, second: Candles) -> bool:
    return all((a == b).all() for a, b in zip(first.columns(), second.columns(), strict=True))


def test_a_second_is_the_same_whenever_and_in_whatever_order_it_is_asked_for() -> None:
    walked = generated_market("BTCUSDT", seed=5)
    for hour in range(5, -1, -1):
        candles(SECOND_MS, START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS, walked)
    moment = START + 3 * HOUR_MS + 1_234_000
    assert same(candles(SECOND_MS, moment, moment + 10_000, walked), candles(SECOND_MS, moment, moment + 10_000))


def test_prices_do_not_change_from_one_version_to_the_next() -> None:
    # A restart with a newer simulator must go on at the same prices; change these only on purpose.
    seconds = candles(SECOND_MS, START, START + 60_000)
    pinned = {0: 21_701_415, 17: 21_701_314, 59: 21_697_593}
    # One unit of leeway: another processor may round a logarithm differently.
    assert all(abs(int(seconds.close[second]) - price) <= 1 for second, price in pinned.items())


def test_another_seed_symbol_or_volatility_is_another_market() -> None:
    markets = (
        generated_market("BTCUSDT", seed=5),
        generated_market("BTCUSDT", seed=6),
        generated_market("LTCUSDT", seed=5),
        generated_market("BTCUSDT", seed=5, volatility=3),
    )
    closes = {candles(MINUTE_MS, START, START + HOUR_MS, market).close.tobytes() for market in markets}
    assert len(closes) == 4


@pytest.mark.parametrize("symbol", [*DEFAULT_SYMBOLS, "SHIBUSDT"])
def test_minutes_add_up_to_days_and_seconds_to_minutes(symbol: str) -> None:
    market = generated_market(symbol, seed=2)
    minutes = candles(MINUTE_MS, START, START + 3 * DAY_MS, market)
    assert [row[:6] for row in rows(aggregate(minutes, "1d"))] == [
        row[:6] for row in rows(candles(DAY_MS, START, START + 3 * DAY_MS, market))
    ]
    seconds = candles(SECOND_MS, START, START + 2 * HOUR_MS, market)
    assert [row[:6] for row in rows(aggregate(seconds, "1m"))] == [
        row[:6] for row in rows(candles(MINUTE_MS, START, START + 2 * HOUR_MS, market))
    ]


def rows(block: Candles) -> list[Candle]:
    return [block.row(index) for index in range(len(block))]


@pytest.mark.parametrize("interval", ["3d", "1w", "1M"])
def test_weeks_and_months_add_up_from_their_days(interval: str) -> None:
    market = generated_market("BTCUSDT", seed=5)
    end = open_time(START, interval)
    found: list[Candle] = []

    def keep(candle: Candle) -> str:
        found.append(candle)
        return ""

    market.history.lines(interval, now=START, start=None, end=end - 1, limit=600, write=keep)
    found.sort()
    days = candles(DAY_MS, found[0].open_time, end, market)
    assert len(found) == 600
    assert [candle[:6] for candle in found] == [row[:6] for row in rows(aggregate(days, interval))]


@pytest.mark.parametrize("start", [0, 90_000, 11 * HOUR_MS + 60_000, 14 * HOUR_MS])
def test_a_window_holds_all_seconds_since_its_start(start: int) -> None:
    market = generated_market("BTCUSDT", seed=5)
    now = START + DAY_MS + 13 * HOUR_MS + 754_000
    seconds = rows(candles(SECOND_MS, START + start, now + SECOND_MS, market))
    window = market.history.window(START + start, now)
    assert window is not None
    # The last second has just begun: of it there is only its open.
    assert window.open == seconds[0].open
    assert window.close == seconds[-1].open
    assert window.high == max(seconds[-1].open, *(second.high for second in seconds[:-1]))
    assert window.low == min(seconds[-1].open, *(second.low for second in seconds[:-1]))
    assert window.volume == sum(second.volume for second in seconds[:-1])


@pytest.mark.parametrize("volatility", [0.1, 1, 50])
@pytest.mark.parametrize("level", [DAY_MS, MINUTE_MS, SECOND_MS])
def test_candles_are_sound(level: int, volatility: float) -> None:
    market = generated_market("DOGEUSDT", seed=3, volatility=volatility)
    block = candles(level, START, START + {DAY_MS: 3_000, MINUTE_MS: 10, SECOND_MS: 1}[level] * DAY_MS, market)
    assert (block.high >= np.maximum(block.open, block.close)).all()
    assert (block.low <= np.minimum(block.open, block.close)).all()
    assert (block.low > 0).all()
    assert (block.volume >= 0).all()
    assert (np.diff(block.open_time) > 0).all()
    assert (block.open_time % level == 0).all()


def test_each_candle_opens_where_the_last_one_closed_unless_the_market_was_halted() -> None:
    minutes = candles(MINUTE_MS, START, START + 30 * DAY_MS)
    together = np.diff(minutes.open_time) == MINUTE_MS
    assert (minutes.open[1:][together] == minutes.close[:-1][together]).all()
    halts = np.diff(minutes.open_time)[~together] // MINUTE_MS - 1
    # About every second day, for two to six minutes, and then the price is another.
    assert 5 <= len(halts) <= 25
    assert set(halts.tolist()) <= set(range(2, 7))
    assert (minutes.open[1:][~together] != minutes.close[:-1][~together]).any()


def test_the_price_goes_on_through_a_halt_and_no_candle_shows() -> None:
    market = generated_market("BTCUSDT", seed=5)
    minutes = candles(MINUTE_MS, START, START + 30 * DAY_MS, market)
    place = int(np.flatnonzero(np.diff(minutes.open_time) > MINUTE_MS)[0])
    halted = int(minutes.open_time[place]) + MINUTE_MS + 30_000
    assert market.history.in_progress("1m", halted) is None
    assert market.history.price(halted) == int(minutes.close[place])


def test_a_day_moves_like_a_market() -> None:
    days = candles(DAY_MS, START, START + 1_000 * DAY_MS)
    spans = np.log(days.high / days.low)
    assert 0.02 < np.median(spans) < 0.1
    assert 0.01 < np.diff(np.log(days.close)).std() < 0.05
    # The price wanders around its level for years and neither vanishes nor explodes.
    assert 9_500_000 / 5 < days.low.min() < days.high.max() < 9_500_000 * 5


def test_volume_rises_with_the_moves() -> None:
    minutes = candles(MINUTE_MS, START, START + 10 * DAY_MS)
    wide = (minutes.high - minutes.low) > np.quantile(minutes.high - minutes.low, 0.9)
    assert minutes.volume[wide].mean() > 2 * minutes.volume[~wide].mean()


def test_regimes_differ_calm_hours_and_crashes_within_days() -> None:
    minutes = candles(MINUTE_MS, START, START + 60 * DAY_MS)
    hours = aggregate(minutes, "1h")
    spans = np.log(hours.high / hours.low)
    assert np.quantile(spans, 0.98) > 5 * np.quantile(spans, 0.1)
    ten_minutes = np.log(minutes.close[10:] / minutes.close[:-10])
    assert ten_minutes.min() < -8 * ten_minutes.std()


def test_seconds_are_alive() -> None:
    seconds = candles(SECOND_MS, START, START + 6 * HOUR_MS)
    idle = float((seconds.volume == 0).mean())
    assert 0 < idle < 0.1
    assert (seconds.high == seconds.low)[seconds.volume == 0].all()
    assert np.abs(np.diff(np.log(seconds.close))).mean() > 1e-5


def test_volatility_widens_the_moves() -> None:
    spans = []
    for volatility in (1.0, 8.0):
        block = candles(SECOND_MS, START, START + HOUR_MS, generated_market("BTCUSDT", volatility=volatility))
        spans.append(float(np.log(block.high / block.low).mean()))
    assert 4 < spans[1] / spans[0] < 16


def test_history_reaches_back_to_the_first_monday_of_unix_time() -> None:
    market = generated_market("BTCUSDT")
    assert candles(DAY_MS, 0, 10 * DAY_MS, market).open_time[0] == FIRST_MS
    assert market.history.lines("1m", now=START, start=0, end=None, limit=2, write=lambda c: str(c.open_time)) == [
        str(FIRST_MS),
        str(FIRST_MS + MINUTE_MS),
    ]


def test_a_script_fills_its_day() -> None:
    for day in range(50):
        script = day_script(np.uint64(day), 1_440)
        assert {len(column) for column in (script.steps, script.reach, script.activity, script.present)} == {1_440}
        assert script.present[:60].all()
        assert script.present[-60:].all()


@pytest.mark.parametrize("volatility", [0, -1, 51, float("nan")])
def test_a_volatility_out_of_range_is_refused(volatility: float) -> None:
    with pytest.raises(ValueError, match="volatility must be above 0 and at most 50"):
        generated_market("BTCUSDT", volatility=volatility)
