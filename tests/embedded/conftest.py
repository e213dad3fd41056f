"""Fixtures of the tests of the embedded stack."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from embedded.stack import EmbeddedStack, WorkerCommand
from tests.embedded.helpers import ANY_PORTS, QUICK, STAND_IN_WORKER, Recorder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A private folder, not below pytest's own, which every session that starts closes to other accounts again."""
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        yield Path(folder) / "data"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stack() -> AsyncIterator[EmbeddedStack]:
    """One running stack for all tests that leave it usable."""
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        stack = EmbeddedStack(
            Path(folder) / "data",
            durable=False,
            ports=ANY_PORTS,
            worker=WorkerCommand([sys.executable, "-c", STAND_IN_WORKER]),
            backoff=QUICK,
        )
        async with stack:
            yield stack
