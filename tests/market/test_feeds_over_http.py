"""The real path: feeds over the unmodified ccxt client, which reads the simulated exchange over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest

from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from domain.decisions import ExitLevels
from domain.instruments import VenueRef
from domain.model import Price
from domain.ports import FeedKey, LevelHit
from market.data import MarketData
from market.settings import MarketSettings
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, generated_market
from simulator.server import RunningSimulator, start_simulator

START = 1_700_000_040_000
SPEED = 60.0
NO_LEVELS = ExitLevels()


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    exchange = Exchange(SimulatedClock(SPEED, START), [generated_market("BTCUSDT"), generated_market("ETHUSDT")])
    async with await start_simulator(exchange) as running:
        yield running


@pytest.fixture
async def market() -> AsyncIterator[MarketData]:
    gateway = Gateway(timeout=2)
    data = MarketData(lambda venue: CcxtData(gateway, venue), MarketSettings())
    yield data
    await data.close()
    await gateway.close()


async def told(simulator: RunningSimulator, since: int, count: int) -> list[list[str]]:
    """Read candles from the venue, without ccxt."""
    query = f"symbol=BTCUSDT&interval=1m&startTime={since}&limit={count}"
    async with aiohttp.ClientSession() as session, session.get(f"{simulator.url}/api/v3/klines?{query}") as response:
        rows: list[list[str]] = json.loads(await response.text())
        return rows


async def test_at_sixty_times_real_time_every_candle_is_final_and_its_follower_has_begun(
    market: MarketData, simulator: RunningSimulator
) -> None:
    venue = VenueRef(name="binance", base_url=simulator.url)
    instrument = await market.instrument(venue, "BTCUSDT", "1m")
    key = FeedKey(venue, instrument.symbol, "1m")
    seen: int | None = None
    async with asyncio.timeout(20), market.subscribe(key, lookback=1_200, since=None, price_seconds=1) as feed:
        for _ in range(5):
            assert await feed.wait(seen=seen, opened=None, levels=NO_LEVELS, was_stale=False) == "candle"
            view = feed.view()
            assert seen is None or int(view.candles.open_time[-1]) == seen + 60_000
            seen = int(view.candles.open_time[-1])
            assert view.opening_time == seen + 60_000
        assert seen is not None
        rows = await told(simulator, seen - 999 * 60_000, 1_000)
        running = (await told(simulator, seen + 60_000, 1))[0]
    candles = view.candles[-1_000:]
    assert len(view.candles) >= 1_200
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    for place, column in enumerate(columns, start=1):
        np.testing.assert_array_equal(column, [float(row[place]) for row in rows])
    assert view.opening_price == Price(running[1])


async def test_a_price_level_is_reached_between_candles(market: MarketData, simulator: RunningSimulator) -> None:
    venue = VenueRef(name="binance", base_url=simulator.url)
    key = FeedKey(venue, "BTC/USDT", "1h")
    async with asyncio.timeout(20), market.subscribe(key, lookback=10, since=None, price_seconds=1) as feed:
        await feed.wait(seen=None, opened=None, levels=NO_LEVELS, was_stale=False)
        view = feed.view()
        assert view.opening_price is not None
        seen, hair = int(view.candles.open_time[-1]), Price("0.01")
        near = ExitLevels(stop=view.opening_price - hair, target=view.opening_price + hair)
        wake = await feed.wait(seen=seen, opened=None, levels=near, was_stale=False)
    assert isinstance(wake, LevelHit)
    assert wake.price in (near.stop, near.target)


async def test_a_venue_that_goes_away_and_comes_back_loses_no_candle(market: MarketData) -> None:
    exchange = Exchange(SimulatedClock(SPEED, START), [generated_market("BTCUSDT")])
    simulator = await start_simulator(exchange)
    port = int(simulator.url.rsplit(":", 1)[1])
    key = FeedKey(VenueRef(name="binance", base_url=simulator.url), "BTC/USDT", "1m")
    async with asyncio.timeout(30), market.subscribe(key, lookback=50, since=None, price_seconds=1) as feed:
        await feed.wait(seen=None, opened=None, levels=NO_LEVELS, was_stale=False)
        seen = int(feed.view().candles.open_time[-1])
        await simulator.close()
        await asyncio.sleep(3.1)  # three minutes there
        assert feed.view().degraded is not None
        async with await start_simulator(exchange, port=port):
            stale = False
            while (wake := await feed.wait(seen=seen, opened=None, levels=NO_LEVELS, was_stale=stale)) != "candle":
                stale = wake == "stale"
            view = feed.view()
    assert view.degraded is None
    assert set(np.diff(view.candles.open_time)) == {60_000}
    assert int(view.candles.open_time[-1]) >= seen + 3 * 60_000
