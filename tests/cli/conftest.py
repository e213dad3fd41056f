"""The command line on a real database, and where a test asks for bots, on a real Temporal with a worker."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from temporalio.client import Client

from db.bots import BotRepository
from db.journal import JournalRepository
from db.reads import Reads
from tests.cli.helpers import Cli
from tests.support.bots import Bench

Logs: TypeAlias = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's: an empty data directory, no servers, no Temporal profile."""
    ours = ("STEADYHAND_DATABASE_URL", "STEADYHAND_SECRET_KEYS")
    for name in (*ours, "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    monkeypatch.setenv("STEADYHAND_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Cli:
    """The command line on a database without bots; at Temporal's address nobody answers."""
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", database_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    return Cli()


@pytest.fixture
def rows(engine: AsyncEngine) -> BotRepository:
    return BotRepository(engine)


@pytest.fixture
def reads(engine: AsyncEngine) -> Reads:
    return Reads(engine)


@pytest.fixture
def logs() -> Iterator[Logs]:
    """What is logged: by a worker of the bench it would else go to the output of the commands, which run beside it."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def idle_bench(cli: Cli, temporal: Client, engine: AsyncEngine, logs: Logs, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose rows and journal are in the database, for the command line to see; no worker runs."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
    bench = Bench(temporal, journal=cast("Any", JournalRepository(engine)))
    bench.bots = cast("Any", BotRepository(engine))
    bench.market.flat(60, 100.0)
    return bench


@pytest.fixture
async def bench(idle_bench: Bench) -> AsyncIterator[Bench]:
    """The same with a worker."""
    async with idle_bench.worker():
        yield idle_bench
