"""Fixtures around tests/support/postgres.py: import them in a conftest.py to use them below it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import make_engine
from tests.support.postgres import PostgresServer, empty_tables, fresh_database, running_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole session, with a migrated template."""
    with running_server() as server:
        yield server


@pytest.fixture
async def database_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database with all tables and no rows; nobody else uses it. Tests leave its tables as they are."""
    async with empty_tables(postgres_server) as url:
        yield url


@pytest.fixture
async def empty_database_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A fresh database that was never migrated."""
    async with fresh_database(postgres_server, template=None) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the database."""
    made = make_engine(database_url)
    yield made
    await made.dispose()
