"""One bot and real money: everything that its live orders need, and the first of them. Nothing is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from brokers.gateway import Gateway
from cli.checks.account import Claim, check_account
from cli.checks.check import Check, fail
from cli.checks.first_order import check_first_order
from cli.checks.going_live import check_configuration
from cli.checks.trading import check_clock, check_market
from cli.credentials.ring import find_ring
from cli.credentials.vault import StoredKeys
from cli.store import Store, open_store
from cli.target import find_target
from domain.config import BotConfig
from domain.credentials import Vault
from domain.errors import UnknownBot
from domain.positions import Book
from domain.state import BotRow
from security.errors import BadSecretKeys


async def check_live_bot(bot_id: str, *, data_dir: Path | None, database_url: str | None) -> AsyncIterator[Check]:
    """Judge whether a bot can trade with real money. What a check needs and was not found leaves it out.

    Raises:
        CliError: there is no database to read the bot from.
    """
    target = find_target(data_dir, database_url=database_url)
    async with open_store(target) as store:
        try:
            row = await store.bots.get(bot_id)
            vault = StoredKeys(store.credentials, find_ring(target, data_dir))
        except UnknownBot as error:
            yield fail("bot", str(error), "`python starter.py bots list` names them all")
            return
        except BadSecretKeys as error:
            yield fail("keys", str(error), "docs/credentials.md says what it must hold")
            return
        configuration, config = check_configuration(row)
        yield configuration
        if config is not None:
            async for check in _check_trading(row, config, store, vault):
                yield check


async def _check_trading(row: BotRow, config: BotConfig, store: Store, vault: Vault) -> AsyncIterator[Check]:
    async with _opened(vault) as gateway:
        check, market = await check_market(gateway, config)
        yield check
        if market is None:
            return
        yield await check_clock(gateway, config.venue)
        account, book = config.account, _book(row, config)
        if account is not None:
            claim = Claim(config, market.instrument, book, await store.bots.sharing(account.credentials))
            async for check in check_account(account, claim, gateway, vault):
                yield check
        yield check_first_order(row, config, book, market)


def _book(row: BotRow, config: BotConfig) -> Book:
    """Return the bot's books if they are those of its account; from paper a bot begins with new ones."""
    carried, account = row.carried, config.account
    if account is None or carried is None or carried.config is None or carried.config.account != account:
        return Book(cash=config.broker.cash)
    return carried.book


@asynccontextmanager
async def _opened(vault: Vault) -> AsyncIterator[Gateway]:
    gateway = Gateway(vault=vault)
    try:
        yield gateway
    finally:
        await gateway.close()
