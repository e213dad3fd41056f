from typing import Any

import aiohttp
import pytest

from simulator.clock import ManualClock, SimulatedClock
from simulator.exchange import Exchange, generated_market
from simulator.server import start_simulator


async def test_health_names_the_symbols(api: Any) -> None:
    health = await api.get("/sim/health")
    assert health["status"] == "ok"
    assert health["symbols"] == ["BTCUSDT", "ETHUSDT", "DOGEUSDT"]


async def test_a_manual_clock_moves_over_http(api: Any, clock: ManualClock) -> None:
    later = clock.now_ms() + 90_000
    status, shown = await api.post("/sim/clock", f'{{"advance_to": {later}}}')
    assert status == 200
    assert shown["now_ms"] == clock.now_ms() == later
    assert await api.get("/sim/clock") == shown
    assert (shown["clock"], shown["speed"]) == ("manual", None)
    assert shown["now"] == "2022-01-03T01:02:00.000+00:00"
    assert (await api.get("/api/v3/time"))["serverTime"] == later


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"advance_to": 5}', "cannot go back"),
        ('{"advance_to": "soon"}', "expected"),
        ('{"advance_to": true}', "expected"),
        ("[]", "expected"),
        ("not json", "expected"),
    ],
)
async def test_a_clock_refuses_nonsense(body: str, reason: str, api: Any, clock: ManualClock) -> None:
    before = clock.now_ms()
    status, answer = await api.post("/sim/clock", body)
    assert status == 400
    assert reason in answer["error"]
    assert clock.now_ms() == before


async def test_a_running_clock_cannot_be_moved() -> None:
    exchange = Exchange(SimulatedClock(speed=60, start_ms=10**12), [generated_market("BTCUSDT")])
    async with await start_simulator(exchange) as simulator, aiohttp.ClientSession(simulator.url) as session:
        async with session.post("/sim/clock", data='{"advance_to": 2000000000000}') as response:
            assert response.status == 409
        async with session.get("/sim/clock") as response:
            shown = await response.json()
    assert (shown["clock"], shown["speed"]) == ("running", 60)
    assert 10**12 <= shown["now_ms"] < 10**12 + 3_600_000


async def test_a_taken_port_is_refused_and_a_closed_one_is_free_again(clock: ManualClock) -> None:
    exchange = Exchange(clock, [generated_market("BTCUSDT")])
    first = await start_simulator(exchange)
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await start_simulator(exchange, port=port)
    await first.close()
    await first.close()
    second = await start_simulator(exchange, port=port)
    await second.close()


def test_an_exchange_without_markets_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="at least one market"):
        Exchange(clock, [])
