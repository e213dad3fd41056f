"""The endpoints as a bare HTTP client sees them: Binance's shapes, semantics and refusals."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from domain.intervals import interval_ms
from simulator.clock import ManualClock
from simulator.routes.market import INTERVALS

MINUTE = 60_000
KLINES = "/api/v3/klines"


async def opens(api: Any, **params: str | int) -> list[int]:
    return [line[0] for line in await api.get(KLINES, symbol="BTCUSDT", **{"interval": "1m"} | params)]


async def test_closed_candles_are_the_lines_of_the_file(api: Any, rows: list[Any]) -> None:
    lines = await api.get(KLINES, symbol="BTCUSDT", interval="1m", startTime=rows[1_500].time, limit=1_000)
    assert len(lines) == 1_000
    for line, row in zip(lines, rows[1_500:2_500], strict=True):
        assert line[0] == row.time
        assert [Decimal(text) for text in line[1:6]] == [row.open, row.high, row.low, row.close, row.volume]
        assert line[6] == row.time + MINUTE - 1
    sample = lines[0]
    assert len(sample) == 12
    assert [type(value) for value in sample] == [int, *[str] * 5, int, str, int, str, str, str]
    # Turnover lies between the volume at the low and at the high, and buyers take a part of it.
    assert float(sample[3]) <= float(sample[7]) / float(sample[5]) <= float(sample[2])
    assert 0 < float(sample[9]) < float(sample[5])


async def test_the_latest_candles_end_with_the_one_in_progress(api: Any, clock: ManualClock, rows: list[Any]) -> None:
    assert await opens(api, limit=3) == [rows[n].time for n in (2_998, 2_999, 3_000)]
    clock.advance_to(rows[3_001].time - 1)
    assert (await opens(api, limit=1)) == [rows[3_000].time]
    clock.advance_to(rows[3_001].time)
    line = (await api.get(KLINES, symbol="BTCUSDT", interval="1m", limit=1))[0]
    # It has just begun: open, high, low and close are its open, and nothing has traded.
    assert line[0] == rows[3_001].time
    assert [Decimal(text) for text in line[1:6]] == [rows[3_001].open] * 4 + [Decimal(0)]
    assert line[8:] == [0, "0.00000000", "0.00000000", "0"]


async def test_without_a_limit_there_are_500_and_never_more_than_1000(api: Any) -> None:
    assert len(await opens(api)) == 500
    assert len(await opens(api, limit=1_000)) == 1_000
    assert len(await opens(api, limit=5_000)) == 1_000


async def test_a_start_gives_the_first_candles_that_open_at_it_or_later(api: Any, rows: list[Any]) -> None:
    assert await opens(api, startTime=rows[10].time, limit=3) == [row.time for row in rows[10:13]]
    assert await opens(api, startTime=rows[10].time + 1, limit=3) == [row.time for row in rows[11:14]]
    assert await opens(api, startTime=0, limit=2) == [row.time for row in rows[:2]]


async def test_a_start_near_the_end_includes_the_candle_in_progress(api: Any, rows: list[Any]) -> None:
    assert await opens(api, startTime=rows[2_999].time) == [rows[2_999].time, rows[3_000].time]
    assert await opens(api, startTime=rows[2_999].time, limit=1) == [rows[2_999].time]
    assert await opens(api, startTime=rows[3_000].time) == [rows[3_000].time]
    assert await opens(api, startTime=rows[3_000].time + 1) == []


async def test_an_end_gives_the_last_candles_that_open_at_it_or_before(api: Any, rows: list[Any]) -> None:
    assert await opens(api, endTime=rows[50].time, limit=2) == [rows[49].time, rows[50].time]
    assert await opens(api, endTime=rows[50].time - 1, limit=2) == [rows[48].time, rows[49].time]
    assert await opens(api, endTime=rows[1].time) == [rows[0].time, rows[1].time]
    assert await opens(api, endTime=rows[0].time - 1) == []


async def test_a_start_and_an_end_give_what_lies_between_from_the_start(api: Any, rows: list[Any]) -> None:
    assert await opens(api, startTime=rows[5].time, endTime=rows[7].time) == [row.time for row in rows[5:8]]
    assert await opens(api, startTime=rows[5].time, endTime=rows[7].time, limit=2) == [row.time for row in rows[5:7]]
    assert await opens(api, startTime=rows[7].time, endTime=rows[5].time) == []


async def test_the_future_stays_hidden(api: Any, rows: list[Any]) -> None:
    assert await opens(api, endTime=rows[4_000].time, limit=1) == [rows[3_000].time]
    assert await opens(api, startTime=rows[3_500].time) == []


@pytest.mark.parametrize("interval", INTERVALS)
async def test_every_interval_is_served_without_gap_or_overlap(interval: str, api: Any) -> None:
    lines = await api.get(KLINES, symbol="ETHUSDT", interval=interval, limit=400)
    assert len(lines) == 400
    for before, after in pairwise(lines):
        assert after[0] > before[0]
        # A halt leaves out whole candles of seconds or minutes; the close time belongs to its own candle.
        assert after[0] >= before[6] + 1
        if interval != "1M":
            assert before[6] - before[0] + 1 == interval_ms(interval)
            assert (after[0] - before[0]) % interval_ms(interval) == 0


async def test_months_and_weeks_open_on_the_first_and_on_mondays(api: Any) -> None:
    months = await api.get(KLINES, symbol="ETHUSDT", interval="1M", limit=2)
    weeks = await api.get(KLINES, symbol="ETHUSDT", interval="1w", limit=2)
    # The clock stands in the first days of January 2022: 2021-12-01 to 12-31, then 2022-01-01 to 01-31.
    assert [(line[0], line[6]) for line in months] == [
        (1_638_316_800_000, 1_640_995_199_999),
        (1_640_995_200_000, 1_643_673_599_999),
    ]
    # 2021-12-27 and 2022-01-03 are Mondays; the clock shows 2022-01-03 01:00:30.
    assert [line[0] for line in weeks] == [1_640_563_200_000, 1_641_168_000_000]


async def test_time_is_the_clock_and_ping_is_empty(api: Any, clock: ManualClock) -> None:
    assert await api.get("/api/v3/ping") == {}
    assert await api.get("/api/v3/time") == {"serverTime": clock.now_ms()}


async def test_prices_come_for_one_for_several_and_for_all(api: Any, clock: ManualClock, rows: list[Any]) -> None:
    clock.advance_to(rows[3_001].time + 20_000)
    one = await api.get("/api/v3/ticker/price", symbol="BTCUSDT")
    assert one == {"symbol": "BTCUSDT", "price": f"{rows[3_001].low:.8f}"}
    several = await api.get("/api/v3/ticker/price", symbols='["DOGEUSDT","BTCUSDT"]')
    assert [entry["symbol"] for entry in several] == ["DOGEUSDT", "BTCUSDT"]
    everything = await api.get("/api/v3/ticker/price")
    assert [entry["symbol"] for entry in everything] == ["BTCUSDT", "ETHUSDT", "DOGEUSDT"]
    assert everything[0] == one


async def test_the_last_price_lies_between_bid_and_ask(api: Any) -> None:
    for best in await api.get("/api/v3/ticker/bookTicker"):
        price = await api.get("/api/v3/ticker/price", symbol=best["symbol"])
        assert Decimal(best["bidPrice"]) <= Decimal(price["price"]) <= Decimal(best["askPrice"])
        assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"])
        assert min(Decimal(best["bidQty"]), Decimal(best["askQty"])) > 0


@pytest.mark.parametrize(("asked", "levels"), [(1, 1), (5, 5), (5_000, 5_000), (9_999, 5_000)])
async def test_the_book_has_the_levels_that_were_asked_for_and_starts_at_the_best(
    asked: int, levels: int, api: Any
) -> None:
    book = await api.get("/api/v3/depth", symbol="BTCUSDT", limit=asked)
    best = await api.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (levels, levels)
    assert book["bids"][0] == [best["bidPrice"], best["bidQty"]]
    assert book["asks"][0] == [best["askPrice"], best["askQty"]]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))


async def test_the_day_counts_the_last_24_hours(api: Any, clock: ManualClock, rows: list[Any]) -> None:
    clock.advance_to(rows[3_010].time)
    day = await api.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    inside = rows[3_010 - 1_440 + 1 : 3_010]
    assert day["openTime"] == inside[0].time
    assert day["closeTime"] == clock.now_ms()
    assert Decimal(day["openPrice"]) == inside[0].open
    assert Decimal(day["lastPrice"]) == rows[3_010].open
    assert Decimal(day["highPrice"]) == max(*(row.high for row in inside), rows[3_010].open)
    assert Decimal(day["lowPrice"]) == min(*(row.low for row in inside), rows[3_010].open)
    assert Decimal(day["volume"]) == sum(row.volume for row in inside)
    assert Decimal(day["priceChange"]) == rows[3_010].open - inside[0].open
    change = (rows[3_010].open / inside[0].open - 1) * 100
    assert abs(Decimal(day["priceChangePercent"]) - change) < Decimal("0.001")
    assert float(day["lowPrice"]) < float(day["weightedAvgPrice"]) < float(day["highPrice"])


async def test_the_day_comes_short_too_and_for_several(api: Any) -> None:
    full = await api.get("/api/v3/ticker/24hr")
    mini = await api.get("/api/v3/ticker/24hr", type="MINI", symbols='["ETHUSDT"]')
    assert [day["symbol"] for day in full] == ["BTCUSDT", "ETHUSDT", "DOGEUSDT"]
    assert mini == [{key: full[1][key] for key in mini[0]}]
    assert "bidPrice" not in mini[0]
    assert "volume" in mini[0]


async def test_the_day_of_a_market_whose_file_has_ended_is_idle(api: Any, clock: ManualClock, rows: list[Any]) -> None:
    clock.advance_to(rows[-1].time + 3 * 24 * 60 * MINUTE)
    day = await api.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert Decimal(day["lastPrice"]) == Decimal(day["openPrice"]) == rows[-1].close
    assert (day["volume"], day["count"], day["weightedAvgPrice"]) == ("0.00000000", 0, "0.00000000")


async def test_the_rules_of_a_market_are_binances(api: Any) -> None:
    info = await api.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    (symbol,) = info["symbols"]
    filters = {entry["filterType"]: entry for entry in symbol["filters"]}
    assert (symbol["status"], symbol["baseAsset"], symbol["quoteAsset"]) == ("TRADING", "BTC", "USDT")
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert (filters["LOT_SIZE"]["stepSize"], filters["LOT_SIZE"]["minQty"]) == ("0.00001000", "0.00001000")
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert {"MARKET_LOT_SIZE", "PERCENT_PRICE_BY_SIDE", "MAX_NUM_ORDERS"} <= filters.keys()
    assert len((await api.get("/api/v3/exchangeInfo"))["symbols"]) == 3
    limits = {limit["rateLimitType"] for limit in info["rateLimits"]}
    assert limits == {"REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"}


async def test_the_used_weight_adds_up(api: Any) -> None:
    before = int((await api.headers("/api/v3/ping"))["X-MBX-USED-WEIGHT-1M"])
    after = int((await api.headers("/api/v3/depth?symbol=BTCUSDT&limit=500"))["X-MBX-USED-WEIGHT-1M"])
    # A new minute of real time may begin between the two.
    assert after in (before + 25, 25)


@pytest.mark.parametrize(
    ("path", "params", "code", "message"),
    [
        ("klines", {"symbol": "BTCEUR", "interval": "1m"}, -1121, "Invalid symbol."),
        ("klines", {"symbol": "btcusdt", "interval": "1m"}, -1100, "Illegal characters found in parameter 'symbol'"),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120, "Invalid interval."),
        ("klines", {"interval": "1m"}, -1102, "Mandatory parameter 'symbol' was not sent"),
        ("klines", {"symbol": "BTCUSDT"}, -1102, "Mandatory parameter 'interval' was not sent"),
        ("klines", {"symbol": "", "interval": "1m"}, -1105, "Parameter 'symbol' was empty."),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "-1"}, -1100, "Illegal characters"),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 0}, -1130, "Data sent for parameter 'limit'"),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "now"}, -1100, "parameter 'startTime'"),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "x": 1}, -1104, "read '2' parameter(s) but was sent '3'"),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "timeZone": "+05:00"}, -1130, "parameter 'timeZone'"),
        ("depth", {}, -1102, "Mandatory parameter 'symbol' was not sent"),
        ("ping", {"x": 1}, -1104, "Not all sent parameters were read"),
        ("ticker/price", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ("ticker/price", {"symbols": "BTCUSDT"}, -1100, "Illegal characters found in parameter 'symbols'"),
        ("ticker/price", {"symbols": '["BTCUSDT","NOPE"]'}, -1121, "Invalid symbol."),
        ("ticker/bookTicker", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151, "present multiple times"),
        ("ticker/24hr", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128, "Combination of optional"),
        ("ticker/24hr", {"symbol": "BTCUSDT", "type": "HUGE"}, -1130, "Data sent for parameter 'type'"),
        ("exchangeInfo", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    ],
)
async def test_bad_requests_are_refused_with_binances_codes(
    path: str, params: dict[str, str | int], code: int, message: str, api: Any
) -> None:
    status, found, text = await api.refused(f"/api/v3/{path}", **params)
    assert (status, found) == (400, code)
    assert message in text


async def test_times_beyond_all_bounds_are_answered(api: Any, rows: list[Any]) -> None:
    huge = 10**19
    assert await opens(api, startTime=huge) == []
    assert await opens(api, endTime=huge, limit=1) == [rows[3_000].time]
