"""The database as commands use it."""

import getpass
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cli.output import CliError
from cli.target import Target
from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.engine import make_engine
from db.halts import HaltRepository
from db.reads import Reads


@dataclass(frozen=True)
class Store:
    """The rows of bots, their books, halts, and stored credentials."""

    bots: BotRepository
    reads: Reads
    halts: HaltRepository
    credentials: CredentialsRepository

    async def known(self, bot_id: str) -> str:
        """Return the id of a bot that exists.

        Raises:
            UnknownBot: there is no such bot.
        """
        return (await self.bots.get(bot_id)).bot_id

    async def chosen(self, bot_ids: Sequence[str] | None, *, everyone: bool) -> list[str]:
        """Return the bots that a command is meant for: those that were named, all of which exist, or all there are.

        Raises:
            CliError: both or neither were asked for.
            UnknownBot: one does not exist; nothing was done yet.
        """
        if bool(bot_ids) == everyone:
            raise CliError("name one or more bots, or --all for all of them")
        if everyone:
            return [bot.bot_id for bot in await self.bots.list_overview()]
        return [await self.known(bot_id) for bot_id in dict.fromkeys(bot_ids or ())]


@asynccontextmanager
async def open_store(target: Target) -> AsyncIterator[Store]:
    """Open the database of a target; it connects when it is first used."""
    try:
        engine = make_engine(target.database_url)
    except ValueError as error:
        raise CliError(str(error)) from error
    try:
        yield Store(BotRepository(engine), Reads(engine), HaltRepository(engine), CredentialsRepository(engine))
    finally:
        await engine.dispose()


def author() -> str:
    """Return who changes a row from here: `cli:` and the name of the person at this terminal."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"cli:{name}"
