"""Servers that all tests share: one of each for the whole session, started only when a test asks for it."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.support.postgres_fixtures import database_url, empty_database_url, engine, postgres_server
from tests.support.temporal import temporal_server

__all__ = ["database_url", "empty_database_url", "engine", "postgres_server"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_session() -> AsyncIterator[WorkflowEnvironment]:
    async with temporal_server() as environment:
        yield environment


@pytest.fixture
async def temporal(temporal_session: WorkflowEnvironment) -> AsyncIterator[Client]:
    """A client of the test's own. Workflows that the test leaves running are ended."""
    address = temporal_session.client.service_client.config.target_host
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    yield client
    async for run in client.list_workflows('ExecutionStatus = "Running"'):
        # The list lags behind: some have ended already.
        with suppress(RPCError):
            await client.get_workflow_handle(run.id, run_id=run.run_id).terminate("the test is over")
