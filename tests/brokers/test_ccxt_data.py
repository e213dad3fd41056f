"""Reading a venue over HTTP, through the unmodified ccxt client."""

import asyncio
import json
import time
from collections.abc import Callable
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from domain.errors import VenueMisfit, VenueUnavailable
from domain.instruments import VenueRef
from domain.intervals import open_time
from tests.brokers.conftest import NOW, Venue

MINUTE = 60_000


async def raw(venue: Venue, path: str) -> object:
    """Read what the venue says, without ccxt."""
    async with aiohttp.ClientSession() as session, session.get(f"{venue.url}/api/v3/{path}") as response:
        return json.loads(await response.text())


async def test_the_instrument_has_the_rules_that_the_venue_tells(data: CcxtData) -> None:
    """The expected values are those of the simulator's BTCUSDT, which copies Binance's."""
    found = await data.instrument("BTCUSDT", "1m")
    assert (found.symbol, found.base, found.quote) == ("BTC/USDT", "BTC", "USDT")
    assert (found.lot_step, found.tick_size) == (Decimal("0.00001"), Decimal("0.01"))
    assert (found.min_quantity, found.min_notional) == (Decimal("0.00001"), Decimal(5))
    assert found.max_quantity == Decimal(120), "the tighter bound, of market orders"


async def test_both_spellings_name_one_market(data: CcxtData) -> None:
    assert await data.instrument("BTCUSDT", "1m") == await data.instrument("BTC/USDT", "1h")


@pytest.mark.parametrize(
    ("symbol", "interval", "path", "words"),
    [
        pytest.param("BTCUSDX", "1m", "symbol", "did you mean BTC/USDT", id="symbol"),
        pytest.param("BTC/USDT", "7m", "data.interval", "1s, 1m, 3m, 5m", id="interval"),
    ],
)
async def test_what_the_venue_does_not_have_is_refused_with_what_it_has(
    data: CcxtData, *, symbol: str, interval: str, path: str, words: str
) -> None:
    with pytest.raises(VenueMisfit, match=words) as caught:
        await data.instrument(symbol, interval)
    assert caught.value.path == path


async def test_an_unknown_venue_is_refused_with_the_nearest_known_ones(gateway: Gateway) -> None:
    with pytest.raises(VenueMisfit, match="did you mean binance") as caught:
        await CcxtData(gateway, VenueRef(name="binanse")).fetch_time()
    assert caught.value.path == "data.data_source"


async def test_candles_are_those_that_the_venue_tells_to_the_last_digit(data: CcxtData, venue: Venue) -> None:
    since = open_time(NOW, "1m") - 4 * MINUTE
    found = await data.candles("BTC/USDT", "1m", since=since, limit=10)
    told = await raw(venue, f"klines?symbol=BTCUSDT&interval=1m&startTime={since}&limit=10")
    assert isinstance(told, list)
    assert len(found) == len(told) == 5
    assert [each.open_time for each in found] == [since + n * MINUTE for n in range(5)]
    assert [str(each.open) for each in found] == [row[1] for row in told]
    assert [each[2:] for each in found] == [tuple(float(text) for text in row[2:6]) for row in told]


async def test_prices_of_all_symbols_come_by_one_request_and_exactly(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.paths.clear()
    found = await data.prices(["BTC/USDT", "ETH/BTC", "DOGE/USDT"])
    assert venue.paths == ["/api/v3/ticker/price"]
    told = await raw(venue, "ticker/price")
    assert isinstance(told, list)
    by_id = {row["symbol"]: row["price"] for row in told}
    assert {symbol: str(price) for symbol, price in found.items()} == {
        "BTC/USDT": by_id["BTCUSDT"],
        "ETH/BTC": by_id["ETHBTC"],
    }


async def test_the_venues_clock_is_read_in_milliseconds(data: CcxtData) -> None:
    assert await data.fetch_time() == NOW


async def test_only_the_spot_api_is_asked_and_markets_are_loaded_once(
    data: CcxtData, gateway: Gateway, venue: Venue
) -> None:
    other = CcxtData(gateway, venue.ref)
    await asyncio.gather(*(each.instrument("BTCUSDT", "1m") for each in (data, other) * 5))
    await data.candles("BTC/USDT", "1m", since=NOW, limit=2)
    assert venue.paths == ["/api/v3/exchangeInfo", "/api/v3/klines"]
    assert len(venue.connections) == 1, "one connection serves one request after another"


async def test_a_binance_that_lists_no_prices_for_some_symbols_gives_the_others(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = lambda _request: web.json_response([{"symbol": "ETHUSDT", "price": "12.5000"}])
    assert await data.prices(["BTC/USDT", "ETH/USDT"]) == {"ETH/USDT": Decimal("12.5")}


def says(status: int, body: object, **headers: str) -> Callable[[web.Request], web.Response]:
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: web.Response(status=status, text=text, headers=named)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(500, "oops"), id="500"),
        pytest.param(says(502, "<html>bad gateway</html>"), id="502"),
        pytest.param(says(503, {"code": -1000, "msg": "unknown"}), id="503-with-a-code"),
        pytest.param(says(200, "<html>hello</html>"), id="200-unreadable"),
        pytest.param(says(200, '[[1700000000000,"1","1",'), id="200-cut-off"),
        pytest.param(says(200, ""), id="200-empty"),
        pytest.param(says(400, {"code": -1021, "msg": "Timestamp outside of recvWindow"}), id="clock"),
    ],
)
async def test_a_venue_in_trouble_is_unavailable(
    data: CcxtData, venue: Venue, answer: Callable[[web.Request], web.Response]
) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = answer
    with pytest.raises(VenueUnavailable):
        await data.candles("BTC/USDT", "1m", since=NOW, limit=2)


async def test_a_venue_that_is_not_there_is_unavailable(gateway: Gateway) -> None:
    nobody = CcxtData(gateway, VenueRef(name="binance", base_url="http://127.0.0.1:9"))
    with pytest.raises(VenueUnavailable, match="binance at http"):
        await nobody.fetch_time()


@pytest.mark.parametrize("status", [418, 429])
async def test_too_many_requests_hold_back_the_whole_address_for_as_long_as_it_asked(
    data: CcxtData, gateway: Gateway, venue: Venue, status: int
) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = says(status, {"code": -1003, "msg": "Way too many requests"}, Retry_After="1")
    with pytest.raises(VenueUnavailable) as caught:
        await data.fetch_time()
    assert caught.value.retry_after == pytest.approx(1, abs=0.2)
    venue.answer = lambda _request: None
    asked = len(venue.paths)
    with pytest.raises(VenueUnavailable, match="left alone") as held:
        await CcxtData(gateway, venue.ref).prices(["BTC/USDT"])
    assert len(venue.paths) == asked, "no request was made"
    assert held.value.retry_after == pytest.approx(1, abs=0.3)
    await asyncio.sleep(1.05)
    assert await data.fetch_time() == NOW


async def test_too_many_requests_without_a_time_hold_back_for_a_minute(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = says(429, {"code": -1003, "msg": "Too many requests"})
    with pytest.raises(VenueUnavailable) as caught:
        await data.fetch_time()
    assert caught.value.retry_after == pytest.approx(60, abs=1)


async def test_a_symbol_that_the_venue_refuses_is_a_misfit(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = says(400, {"code": -1121, "msg": "Invalid symbol."})
    with pytest.raises(VenueMisfit) as caught:
        await data.candles("BTC/USDT", "1m", since=NOW, limit=2)
    assert caught.value.path == "symbol"


async def test_candles_that_make_no_sense_are_an_outage(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = says(200, [[NOW, "1", "2", "one", "1", "1"]])
    with pytest.raises(VenueUnavailable, match="should have four prices"):
        await data.candles("BTC/USDT", "1m", since=NOW, limit=2)


async def test_an_empty_candle_of_an_interval_without_trades_is_left_out(data: CcxtData, venue: Venue) -> None:
    await data.instrument("BTCUSDT", "1m")
    venue.answer = says(200, [[NOW + 1, "5", "5", "5", "5", None], [NOW, None, None, None, None, "0"]])
    (found,) = await data.candles("BTC/USDT", "1m", since=NOW, limit=2)
    assert (found.open_time, found.volume) == (NOW + 1, 0.0)


async def test_reloaded_markets_change_the_rules(data: CcxtData, gateway: Gateway, venue: Venue) -> None:
    before = await data.instrument("BTCUSDT", "1m")
    told = await raw(venue, "exchangeInfo?symbol=BTCUSDT")
    assert isinstance(told, dict)
    told["symbols"][0]["filters"] = [
        each | {"stepSize": "0.5"} if each["filterType"] == "LOT_SIZE" else each
        for each in told["symbols"][0]["filters"]
    ]
    venue.answer = lambda _request: web.json_response(told)
    assert await data.instrument("BTCUSDT", "1m") == before
    client = await gateway.client(venue.ref)
    client._markets_at = time.monotonic() - 86_401
    assert (await data.instrument("BTCUSDT", "1m")).lot_step == Decimal("0.5")


async def test_markets_that_cannot_be_reloaded_stay(data: CcxtData, gateway: Gateway, venue: Venue) -> None:
    before = await data.instrument("BTCUSDT", "1m")
    venue.answer = lambda _request: web.Response(status=500, text="oops")
    client = await gateway.client(venue.ref)
    client._markets_at = time.monotonic() - 86_401
    assert await data.instrument("BTCUSDT", "1m") == before
    asked = len(venue.paths)
    assert await data.instrument("BTCUSDT", "1m") == before
    assert len(venue.paths) == asked, "not at every look"
