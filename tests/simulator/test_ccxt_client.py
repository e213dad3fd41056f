"""The unmodified ccxt client reads the exchange as it reads the real one."""

from decimal import Decimal
from typing import Any

import ccxt
import pytest

from simulator.clock import ManualClock
from simulator.routes.market import INTERVALS


async def test_markets_load_with_their_precision_and_limits(binance: Any) -> None:
    markets = await binance.load_markets()
    assert set(markets) == {"BTC/USDT", "ETH/USDT", "DOGE/USDT"}
    bitcoin = markets["BTC/USDT"]
    assert (bitcoin["id"], bitcoin["spot"], bitcoin["active"]) == ("BTCUSDT", True, True)
    assert (bitcoin["precision"]["price"], bitcoin["precision"]["amount"]) == (0.01, 0.00001)
    assert bitcoin["limits"]["cost"]["min"] == 5
    assert bitcoin["limits"]["amount"] == {"min": 0.00001, "max": 9_000}
    assert bitcoin["limits"]["market"]["max"] == 120
    assert binance.amount_to_precision("BTC/USDT", 0.123456789) == "0.12345"


async def test_time_is_the_simulated_one(binance: Any, clock: ManualClock) -> None:
    assert await binance.fetch_time() == clock.now_ms()


async def test_candles_are_those_of_the_file_and_the_last_is_open(binance: Any, rows: list[Any]) -> None:
    candles = await binance.fetch_ohlcv("BTC/USDT", "1m", limit=4)
    closed = [[row.time, *(float(value) for value in row[1:])] for row in rows[2_997:3_000]]
    assert candles[:3] == closed
    assert candles[3][:2] == [rows[3_000].time, float(rows[3_000].open)]


async def test_since_and_until_page_through_the_past(binance: Any, rows: list[Any]) -> None:
    page = await binance.fetch_ohlcv("BTC/USDT", "1m", since=rows[100].time, limit=3)
    assert [candle[0] for candle in page] == [row.time for row in rows[100:103]]
    until = await binance.fetch_ohlcv("BTC/USDT", "1m", limit=2, params={"until": rows[100].time})
    assert [candle[0] for candle in until] == [rows[99].time, rows[100].time]


@pytest.mark.parametrize("interval", INTERVALS)
async def test_every_timeframe_of_the_client_works(interval: str, binance: Any) -> None:
    assert interval in binance.timeframes
    assert len(await binance.fetch_ohlcv("ETH/USDT", interval, limit=5)) == 5


async def test_the_intervals_are_all_that_the_client_knows(binance: Any) -> None:
    assert set(binance.timeframes) == set(INTERVALS)


async def test_tickers_come_alone_and_together(binance: Any, rows: list[Any], clock: ManualClock) -> None:
    clock.advance_to(rows[3_001].time + 40_000)
    one = await binance.fetch_ticker("BTC/USDT")
    assert one["last"] == float(rows[3_001].high)
    assert one["bid"] <= one["last"] <= one["ask"]
    assert one["timestamp"] == clock.now_ms()
    assert set(await binance.fetch_tickers()) == {"BTC/USDT", "ETH/USDT", "DOGE/USDT"}
    assert set(await binance.fetch_tickers(["ETH/USDT"])) == {"ETH/USDT"}


async def test_prices_and_best_offers_of_all_symbols_come_in_one_call(binance: Any, rows: list[Any]) -> None:
    last = await binance.fetch_last_prices()
    best = await binance.fetch_bids_asks()
    assert set(last) == set(best) == {"BTC/USDT", "ETH/USDT", "DOGE/USDT"}
    # Half a minute has passed: half way between the low and the high.
    assert Decimal(str(last["BTC/USDT"]["price"])) == (rows[3_000].low + rows[3_000].high) / 2
    assert best["DOGE/USDT"]["bid"] < best["DOGE/USDT"]["ask"]


async def test_the_order_book_is_sorted(binance: Any) -> None:
    book = await binance.fetch_order_book("BTC/USDT", 20)
    assert (len(book["bids"]), len(book["asks"])) == (20, 20)
    assert book["bids"][0][0] < book["asks"][0][0]


async def test_refusals_become_the_clients_own_errors(binance: Any) -> None:
    with pytest.raises(ccxt.BadSymbol):
        await binance.public_get_klines({"symbol": "NOPE", "interval": "1m"})
    with pytest.raises(ccxt.BadRequest):
        await binance.public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})
    with pytest.raises(ccxt.BadRequest):
        await binance.public_get_klines({"symbol": "BTCUSDT"})
