from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.journal import JournalRepository
from tests.db.samples import BOT, config
from tests.support.postgres import Sql


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Sql]:
    """Plain SQL, as a person at psql writes it."""
    connection = await asyncpg.connect(database_url, ssl=False)
    yield connection
    await connection.close()


@pytest.fixture
def bots(engine: AsyncEngine) -> BotRepository:
    return BotRepository(engine)


@pytest.fixture
def journal(engine: AsyncEngine) -> JournalRepository:
    return JournalRepository(engine)


@pytest.fixture
async def uid(bots: BotRepository) -> str:
    """The identity of the one bot there is."""
    return (await bots.create(BOT, config())).uid
