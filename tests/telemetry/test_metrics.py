"""What a worker tells Prometheus, and how it says whether it is well."""

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from telemetry.metrics import Metrics
from telemetry.server import TelemetryServer


async def read(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return all samples by name and labels, as a scrape over HTTP sees them."""
    async with (
        TelemetryServer(metrics.registry, {}, host="127.0.0.1", port=0) as server,
        aiohttp.ClientSession(server.url) as session,
        session.get("/metrics") as response,
    ):
        families = text_string_to_metric_families(await response.text())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


async def test_a_gauge_is_read_at_each_scrape() -> None:
    metrics, watches = Metrics(), 3
    metrics.gauge("watches", "Watches of this process.", lambda: watches)
    assert (await read(metrics))["steadyhand_watches", ()] == 3
    watches = 5
    assert (await read(metrics))["steadyhand_watches", ()] == 5


async def test_a_gauge_by_label_has_a_value_for_each_thing_there_is_at_the_scrape() -> None:
    metrics, offsets = Metrics(), {"binance": 12.5}
    metrics.gauge_by("venue_clock_offset_ms", "Offset.", "venue", lambda: offsets)
    name = "steadyhand_venue_clock_offset_ms"
    assert (await read(metrics))[name, (("venue", "binance"),)] == 12.5
    offsets["kraken"] = -3.0
    samples = await read(metrics)
    assert {labels: value for (found, labels), value in samples.items() if found == name} == {
        (("venue", "binance"),): 12.5,
        (("venue", "kraken"),): -3.0,
    }


async def test_orders_are_counted_by_side_and_outcome() -> None:
    metrics = Metrics()
    metrics.orders.labels("buy", "filled").inc()
    samples = await read(metrics)
    assert samples["steadyhand_orders_total", (("side", "buy"), ("status", "filled"))] == 1


@pytest.mark.parametrize(("verdict", "status", "told"), [(None, 200, "ok"), ("not serving", 503, "not serving")])
async def test_health_is_what_the_probes_say(verdict: str | None, status: int, told: str) -> None:
    async def probe() -> str | None:
        return verdict

    async with (
        TelemetryServer(Metrics().registry, {"temporal": probe}, host="127.0.0.1", port=0) as server,
        aiohttp.ClientSession(server.url) as session,
        session.get("/health") as response,
    ):
        body = await response.json()
    assert (response.status, body["checks"]) == (status, {"temporal": told})
