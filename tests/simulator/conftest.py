"""A served exchange on a clock that stands still, over real candles or generated ones, and ccxt pointed at it."""

import csv
import gzip
import hmac
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import pytest
from yarl import URL

from simulator.clock import ManualClock
from simulator.exchange import Exchange, Market, generated_market, replayed_market
from simulator.server import RunningSimulator, ccxt_config, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.support.market_data import BTC_MONTH

KEY = ApiKey(key="key-of-main", secret="secret-of-main")
MAIN = AccountSpec(name="main", keys=(KEY,), balances={"USDT": Decimal(100_000), "BTC": Decimal(2)})


class Row(NamedTuple):
    """A line of the file, read here without the code under test."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@pytest.fixture(scope="session")
def data_file() -> Path:
    return BTC_MONTH


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    with gzip.open(BTC_MONTH, "rt") as lines:
        return [Row(int(line[0]), *map(Decimal, line[1:6])) for line in list(csv.reader(lines))[1:]]


@pytest.fixture(scope="session")
def replay() -> Market:
    return replayed_market("BTCUSDT", BTC_MONTH)


@pytest.fixture
def clock(rows: list[Row]) -> ManualClock:
    """Half a minute into the candle number 3,000 of the file."""
    return ManualClock(rows[3_000].time + 30_000)


@pytest.fixture
async def simulator(clock: ManualClock, replay: Market) -> AsyncIterator[RunningSimulator]:
    exchange = Exchange(clock, [replay, generated_market("ETHUSDT"), generated_market("DOGEUSDT")])
    async with await start_simulator(exchange, accounts=[MAIN]) as running:
        yield running


@pytest.fixture
async def binance(simulator: RunningSimulator) -> AsyncIterator[Any]:
    client = ccxt.binance(ccxt_config(simulator.url) | {"enableRateLimit": False})
    yield client
    await client.close()


@pytest.fixture
async def trader(simulator: RunningSimulator, clock: ManualClock) -> AsyncIterator[Any]:
    """The unmodified client with a key, on a machine whose clock is that of the exchange."""
    client = ccxt.binance(ccxt_config(simulator.url, KEY) | {"enableRateLimit": False})
    client.milliseconds = clock.now_ms
    yield client
    await client.close()


class Api:
    """Bare requests, to see status, body and headers."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str, **params: str | int) -> Any:
        async with self._session.get(path, params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def get_status(self, path: str) -> tuple[int, Any]:
        async with self._session.get(path) as response:
            return response.status, await response.json()

    async def refused(self, path: str, **params: str | int) -> tuple[int, int, str]:
        async with self._session.get(path, params=params) as response:
            body = await response.json()
            return response.status, body["code"], body["msg"]

    async def headers(self, path: str) -> dict[str, str]:
        async with self._session.get(path) as response:
            return dict(response.headers)

    async def post(self, path: str, body: str) -> tuple[int, Any]:
        async with self._session.post(path, data=body) as response:
            return response.status, await response.json()


@pytest.fixture
async def api(simulator: RunningSimulator) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession(simulator.url) as session:
        yield Api(session)


class SignedApi:
    """Signed requests, signed here without the code under test. Returns status and body."""

    def __init__(self, session: aiohttp.ClientSession, clock: ManualClock, key: ApiKey = KEY) -> None:
        self._session = session
        self._clock = clock
        self._key = key

    def sign(self, **params: object) -> str:
        query = urlencode({"timestamp": self._clock.now_ms()} | params)
        signature = hmac.new(self._key.secret.encode(), query.encode(), "sha256").hexdigest()
        return f"{query}&signature={signature}"

    async def send(self, method: str, path: str, query: str, body: str = "") -> tuple[int, Any]:
        headers = {"X-MBX-APIKEY": self._key.key, "Content-Type": "application/x-www-form-urlencoded"}
        url = URL(f"{path}?{query}", encoded=True)
        async with self._session.request(method, url, data=body or None, headers=headers) as response:
            return response.status, await response.json()

    async def __call__(self, method: str, path: str, **params: object) -> tuple[int, Any]:
        return await self.send(method, path, self.sign(**params))

    async def order(self, symbol: str = "BTCUSDT", **params: object) -> tuple[int, Any]:
        return await self("POST", "/api/v3/order", symbol=symbol, **params)

    async def accepted(self, symbol: str = "BTCUSDT", **params: object) -> Any:
        status, answer = await self.order(symbol, **params)
        assert status == 200, answer
        return answer

    async def refused(self, method: str, path: str, **params: object) -> tuple[int, str]:
        status, answer = await self(method, path, **params)
        assert status in (400, 401), answer
        return answer["code"], answer["msg"]


@pytest.fixture
async def private(simulator: RunningSimulator, clock: ManualClock) -> AsyncIterator[SignedApi]:
    async with aiohttp.ClientSession(simulator.url) as session:
        yield SignedApi(session, clock)


@pytest.fixture
def temporary_csv(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, header: str = "timestamp,open,high,low,close,volume") -> Path:
        file = tmp_path / "candles.csv"
        file.write_text("\n".join((header, *lines)) + "\n")
        return file

    return write
