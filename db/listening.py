"""A connection that hears what the database notifies of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import store_errors


class Listener:
    """Hears one channel, on a connection of its own.

    Attributes:
        connection: commits each statement. What is read on it shows, too, that it still hears.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._heard = asyncio.Event()

    def wake(self, *_: object) -> None:
        """End the wait: something was heard, or the connection is lost."""
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a notification, but so long at most; one that came since the last wait ends it at once."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), seconds)
        self._heard.clear()


@asynccontextmanager
async def listening(engine: AsyncEngine, channel: str) -> AsyncIterator[Listener]:
    """Listen to a channel.

    Raises:
        StoreUnavailable: the database cannot be reached, or was lost on the way.
    """
    with store_errors(engine):
        connection = await engine.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = await connection.get_raw_connection()
            listener, driver = Listener(connection), cast("asyncpg.Connection", raw.driver_connection)
            raw.detach()  # it is held for ever: the pool gets another one instead
            driver.add_termination_listener(listener.wake)
            await driver.add_listener(channel, listener.wake)
            yield listener
        finally:
            await connection.close()
