"""Every kind of fault: what a customer gets to see of it, and what the exchange really did."""

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import pytest

from simulator.clock import ManualClock
from simulator.server import RunningSimulator

ORDER = "/api/v3/order"
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "0.001"}
RESTING = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.003", "price": "30000"}
SYMBOL = "BTC/USDT"


class Faults:
    """Sets faults over HTTP, and reads the truth."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def set(self, *faults: dict[str, Any]) -> None:
        async with self._session.put("/sim/faults", json=faults) as response:
            assert response.status == 200, await response.text()

    async def refused(self, body: str) -> str:
        async with self._session.put("/sim/faults", data=body) as response:
            assert response.status == 400
            return str((await response.json())["error"])

    async def shown(self) -> Any:
        async with self._session.get("/sim/faults") as response:
            return await response.json()

    async def clear(self) -> Any:
        async with self._session.delete("/sim/faults") as response:
            return await response.json()

    async def accepted(self) -> list[str]:
        """The client order ids of what was really accepted."""
        async with self._session.get("/ledger?account=main") as response:
            (account,) = (await response.json())["accounts"]
            return [order["clientOrderId"] for order in account["orders"]]

    async def status(self, path: str) -> int:
        async with self._session.get(path) as response:
            await response.read()
            return response.status


@pytest.fixture
async def faults(simulator: RunningSimulator) -> Any:
    async with aiohttp.ClientSession(simulator.url) as session:
        yield Faults(session)


@pytest.mark.parametrize(
    ("fault", "status", "answer"),
    [
        ({}, 500, {"code": -1000, "msg": "An unknown error occurred while processing the request."}),
        (
            {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."},
            500,
            {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."},
        ),
        (
            {"status": 503},
            503,
            {"code": -1000, "msg": "Unknown error, please check your request or try again later."},
        ),
    ],
)
async def test_an_error_is_answered_and_nothing_accepted(
    fault: dict[str, Any], status: int, answer: dict[str, Any], private: Any, faults: Faults
) -> None:
    await faults.set({"kind": "http_error", "endpoint": f"POST {ORDER}"} | fault)
    assert await private.order(**MARKET) == (status, answer)
    assert await faults.accepted() == []


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 504, "html": True}, {"status": 520}])
async def test_an_error_may_be_a_page(fault: dict[str, Any], trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "http_error"} | fault)
    with pytest.raises(ccxt.NetworkError, match="<html>"):
        await trader.create_order(SYMBOL, "market", "buy", 0.001)


@pytest.mark.parametrize("status", [429, 418])
async def test_a_rate_limit_says_when_to_come_back(
    status: int, trader: Any, faults: Faults, simulator: RunningSimulator
) -> None:
    await faults.set({"kind": "rate_limit", "status": status, "retry_after": 7, "endpoint": "/api/v3/ticker/*"})
    async with aiohttp.ClientSession(simulator.url) as session, session.get("/api/v3/ticker/price") as response:
        assert (response.status, response.headers["Retry-After"]) == (status, "7")
        assert (await response.json())["code"] == -1003
    with pytest.raises(ccxt.DDoSProtection):
        await trader.fetch_ticker(SYMBOL)


async def test_a_delayed_order_is_refused_once_its_deadline_has_passed(
    private: Any, faults: Faults, clock: ManualClock
) -> None:
    await faults.set({"kind": "delay", "endpoint": f"POST {ORDER}", "before_ms": 200})
    sending = asyncio.create_task(private.order(**MARKET, recvWindow=1_000))
    while (await faults.shown())[0]["fired"] == 0:
        await asyncio.sleep(0)
    clock.advance_to(clock.now_ms() + 1_001)
    status, answer = await sending
    assert (status, answer["code"]) == (400, -1021)
    assert await faults.accepted() == []


async def test_a_delayed_order_is_carried_out_though_nobody_waits_for_it(
    trader: Any, faults: Faults, simulator: RunningSimulator
) -> None:
    await trader.load_markets()
    await faults.set({"kind": "delay", "endpoint": f"POST {ORDER}", "before_ms": 300})
    trader.timeout = 100
    with pytest.raises(ccxt.RequestTimeout):
        await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"newClientOrderId": "late"})
    assert await faults.accepted() == []
    for _ in range(200):
        if await faults.accepted():
            break
        await asyncio.sleep(0.02)
    assert await faults.accepted() == ["late"]


async def test_a_delayed_answer_comes_after_the_order_was_accepted(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "delay", "endpoint": f"POST {ORDER}", "after_ms": 800})
    trader.timeout = 300
    with pytest.raises(ccxt.RequestTimeout):
        await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"newClientOrderId": "slow"})
    assert await faults.accepted() == ["slow"]


async def test_a_hanging_request_is_never_carried_out(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "hang", "endpoint": f"POST {ORDER}"})
    trader.timeout = 100
    with pytest.raises(ccxt.RequestTimeout):
        await trader.create_order(SYMBOL, "market", "buy", 0.001)
    assert await faults.accepted() == []


async def test_a_hanging_connection_breaks_in_the_end(private: Any, faults: Faults) -> None:
    await faults.set({"kind": "hang", "endpoint": f"POST {ORDER}", "seconds": 0.1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await private.order(**MARKET)
    assert await faults.accepted() == []


async def test_a_reset_comes_before_the_request_was_read(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "reset", "endpoint": f"POST {ORDER}"})
    with pytest.raises(ccxt.NetworkError):
        await trader.create_order(SYMBOL, "market", "buy", 0.001)
    assert await faults.accepted() == []


async def test_an_order_is_accepted_and_the_answer_dropped(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "drop_answer"})
    with pytest.raises(ccxt.NetworkError):
        await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"newClientOrderId": "lost"})
    assert await faults.accepted() == ["lost"]
    found = await trader.fetch_order(None, SYMBOL, {"origClientOrderId": "lost"})
    assert (found["status"], found["filled"]) == ("closed", 0.001)


@pytest.mark.parametrize("html", [False, True])
async def test_an_order_is_accepted_and_a_timeout_answered(html: bool, trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "accept_504", "html": html})
    with pytest.raises(ccxt.RequestTimeout):
        await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"newClientOrderId": "unknown"})
    assert await faults.accepted() == ["unknown"]


async def test_an_order_is_accepted_and_the_answer_unreadable(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "garbage", "endpoint": f"POST {ORDER}"})
    # This is what the real client makes of it: no error, and an order without an id.
    order = await trader.create_order(SYMBOL, "market", "buy", 0.001, None, {"newClientOrderId": "mumbled"})
    assert order["id"] is None
    assert await faults.accepted() == ["mumbled"]


async def test_a_new_order_is_invisible_for_a_while(private: Any, faults: Faults, clock: ManualClock) -> None:
    await faults.set({"kind": "invisible_order", "for_ms": 500})
    order = await private.accepted(**MARKET, newClientOrderId="ghost")
    open_order = await private.accepted(**RESTING)
    asked = {"symbol": "BTCUSDT", "origClientOrderId": "ghost"}

    async def lists() -> list[int]:
        paths = ("allOrders", "openOrders", "myTrades")
        return [len((await private("GET", f"/api/v3/{path}", symbol="BTCUSDT"))[1]) for path in paths]

    assert await private.refused("GET", ORDER, **asked) == (-2013, "Order does not exist.")
    assert await lists() == [0, 0, 0]
    assert await faults.accepted() == ["ghost", open_order["clientOrderId"]]
    clock.advance_to(clock.now_ms() + 500)
    assert (await private("GET", ORDER, **asked))[1]["orderId"] == order["orderId"]
    assert await lists() == [2, 1, 1]


async def test_a_market_order_fills_in_parts_and_the_rest_expires(private: Any, faults: Faults) -> None:
    await faults.set({"kind": "partial_fills", "parts": 4, "share": 0.5})
    order = await private.accepted(**MARKET | {"quantity": "0.008"})
    assert [fill["qty"] for fill in order["fills"]] == ["0.00200000", "0.00200000"]
    assert (order["status"], order["executedQty"], order["origQty"]) == ("EXPIRED", "0.00400000", "0.00800000")
    await faults.set({"kind": "partial_fills", "parts": 3})
    order = await private.accepted(**MARKET | {"quantity": "0.008"})
    assert [fill["qty"] for fill in order["fills"]] == ["0.00267000", "0.00267000", "0.00266000"]
    assert order["status"] == "FILLED"


async def test_a_resting_order_fills_bit_by_bit(
    private: Any, faults: Faults, clock: ManualClock, rows: list[Any]
) -> None:
    await faults.set({"kind": "partial_fills", "parts": 3, "every_ms": 50})
    # A price above all that the next two minutes see: it fills as fast as the fault lets it.
    high = max(row.high for row in rows[3_000:3_003])
    order = await private.accepted(**RESTING | {"side": "SELL", "price": str(high - 1), "quantity": "0.003"})
    clock.advance_to(rows[3_003].time)
    _, trades = await private("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=order["orderId"])
    assert [trade["qty"] for trade in trades] == ["0.00100000"] * len(trades)
    assert len(trades) >= 2
    assert all(later["time"] - sooner["time"] >= 50 for sooner, later in itertools.pairwise(trades))


async def test_the_clock_is_wrong(private: Any, faults: Faults, clock: ManualClock, api: Any) -> None:
    await faults.set({"kind": "clock_skew", "ms": 6_000})
    assert (await api.get("/api/v3/time"))["serverTime"] == clock.now_ms() + 6_000
    assert (await private.refused("GET", "/api/v3/account"))[0] == -1021
    status, _ = await private("GET", "/api/v3/account", timestamp=clock.now_ms() + 6_000)
    assert status == 200
    await faults.set({"kind": "clock_skew", "ms": -1_500})
    code, message = await private.refused("GET", "/api/v3/account")
    assert (code, message) == (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


async def test_maintenance_closes_everything_and_says_so(trader: Any, faults: Faults) -> None:
    await trader.load_markets()
    await faults.set({"kind": "maintenance"})
    assert (await trader.fetch_status())["status"] == "maintenance"
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await trader.create_order(SYMBOL, "market", "buy", 0.001)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await trader.fetch_time()
    assert await faults.status("/sim/health") == await faults.status("/ledger") == 200


async def test_candles_end_and_prices_go_on(faults: Faults, api: Any, clock: ManualClock, rows: list[Any]) -> None:
    await faults.set({"kind": "stale_candles"})
    before = await api.get("/api/v3/ticker/price", symbol="BTCUSDT")
    clock.advance_to(rows[3_010].time)
    candles = await api.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=2)
    assert [candle[0] for candle in candles] == [rows[2_999].time, rows[3_000].time]
    assert await api.get("/api/v3/ticker/price", symbol="BTCUSDT") != before
    await faults.clear()
    candles = await api.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=1)
    assert candles[0][0] == rows[3_010].time


async def test_a_delisted_symbol_takes_no_orders(trader: Any, private: Any, faults: Faults) -> None:
    open_order = await private.accepted(**RESTING)
    await faults.set({"kind": "symbol_break", "symbols": ["BTCUSDT"]})
    markets = await trader.load_markets(True)
    assert (markets[SYMBOL]["active"], markets["ETH/USDT"]["active"]) == (False, True)
    assert await private.refused("POST", ORDER, symbol="BTCUSDT", **MARKET) == (-1013, "Market is closed.")
    status, _ = await private("DELETE", ORDER, symbol="BTCUSDT", orderId=open_order["orderId"])
    assert status == 200
    await private.accepted("DOGEUSDT", side="BUY", type="MARKET", quantity="100")


async def outcomes(faults: Faults, seed: int) -> list[int]:
    await faults.set({"kind": "http_error", "endpoint": "GET /api/v3/ping", "probability": 0.4, "seed": seed})
    return [await faults.status("/api/v3/ping") for _ in range(40)]


async def test_the_same_seed_makes_the_same_requests_fail(faults: Faults) -> None:
    first, second = await outcomes(faults, 7), await outcomes(faults, 7)
    assert first == second
    assert first != await outcomes(faults, 8)
    assert 6 <= first.count(500) <= 26


async def test_a_fault_happens_so_often_and_is_counted(faults: Faults) -> None:
    await faults.set({"kind": "http_error", "endpoint": "/api/v3/ping", "count": 2})
    assert [await faults.status("/api/v3/ping") for _ in range(4)] == [500, 500, 200, 200]
    assert await faults.status("/api/v3/time") == 200
    (shown,) = await faults.shown()
    assert (shown["kind"], shown["seen"], shown["fired"]) == ("http_error", 4, 2)
    assert await faults.clear() == []
    assert await faults.shown() == []


async def test_several_faults_happen_to_one_request(private: Any, faults: Faults) -> None:
    await faults.set({"kind": "drop_answer"}, {"kind": "partial_fills", "share": 0.5, "parts": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await private.order(**MARKET, newClientOrderId="both")
    await faults.clear()
    _, found = await private("GET", ORDER, symbol="BTCUSDT", origClientOrderId="both")
    assert Decimal(found["executedQty"]) == Decimal("0.0005")


async def test_the_first_fault_is_the_outermost(faults: Faults) -> None:
    garbage, error = {"kind": "garbage", "body": "?"}, {"kind": "http_error"}
    await faults.set(garbage, error)
    assert await faults.status("/api/v3/ping") == 200
    await faults.set(error, garbage)
    assert await faults.status("/api/v3/ping") == 500


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('[{"kind": "gremlins"}]', "0: Input tag 'gremlins'"),
        ('[{"kind": "reset", "probability": 2}]', "0.reset.probability: Input should be less than or equal to 1"),
        ('[{"kind": "reset", "often": 2}]', "0.reset.often: Extra inputs are not permitted"),
        ('[{"kind": "drop_answer", "endpoint": "order"}]', "0.drop_answer.endpoint: String should match pattern"),
        ('[{"kind": "invisible_order"}]', "0.invisible_order.for_ms: Field required"),
        ("{}", "Input should be a valid array"),
        ("nonsense", "Invalid JSON"),
    ],
)
async def test_a_mistake_is_named_and_changes_nothing(body: str, complaint: str, faults: Faults) -> None:
    await faults.set({"kind": "reset", "endpoint": "/nowhere"})
    assert (await faults.refused(body)).startswith(complaint)
    assert len(await faults.shown()) == 1
