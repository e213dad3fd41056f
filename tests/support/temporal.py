"""A real Temporal server for tests, from the package that the service itself uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from embedded.temporal import DYNAMIC_CONFIG, SEARCH_ATTRIBUTES, find_temporal


@asynccontextmanager
async def temporal_server() -> AsyncIterator[WorkflowEnvironment]:
    """Run a server in memory, as the embedded stack configures it, on a free port."""
    extra = [f"--search-attribute={name}=Keyword" for name in SEARCH_ATTRIBUTES]
    extra += [f"--dynamic-config-value={setting}" for setting in DYNAMIC_CONFIG]
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(find_temporal()),
        dev_server_extra_args=extra,
        dev_server_log_level="error",
    ) as environment:
        yield environment
