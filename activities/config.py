"""Configuration activities: read a bot's row, and check a configuration against strategies and venue."""

import asyncio
from typing import Any

import structlog
from temporalio import activity

from activities.checking import checked
from activities.failures import final, retryable
from activities.reminders import Reminders
from domain.config import BotConfig
from domain.config_errors import InvalidConfig
from domain.errors import (
    AccountRefused,
    StoreUnavailable,
    UnknownBot,
    VenueMisfit,
    VenueUnavailable,
)
from domain.instruments import Instrument
from domain.model import ZERO
from domain.ports import Accounts, Bots, Market
from domain.state import BotRow, Prepared
from risk.allotment import allotment_problem
from strategies.plugs import NO_PLUGINS, Plugs

log = structlog.get_logger(__name__)

# What seems too little may be an order of another bot that is not in the journal yet.
_LOOKS = (0.0, 1.0, 2.0)


class ConfigActivities:
    """What a workflow needs to know of its configuration."""

    def __init__(self, bots: Bots, market: Market, accounts: Accounts, plugs: Plugs = NO_PLUGINS) -> None:
        self._bots = bots
        self._market = market
        self._accounts = accounts
        self._plugs = plugs
        self._reminders = Reminders()

    @activity.defn
    async def load_row(self, bot_id: str) -> BotRow:
        """Read the row of a bot, the newest desired state. A bot without a row fails for good."""
        try:
            return await self._bots.get(bot_id)
        except UnknownBot as error:
            raise final(error) from error
        except StoreUnavailable as error:
            raise retryable(error) from error

    @activity.defn
    async def prepare(self, raw: dict[str, Any]) -> Prepared:
        """Check a configuration and find its market. Problems are an answer; an unreachable venue is retried."""
        try:
            config = await checked(raw, self._plugs)
        except InvalidConfig as error:
            return Prepared(problems=tuple(str(problem) for problem in error.problems))
        try:
            instrument = await self._market.instrument(config.venue, config.symbol, config.data.interval)
            if problem := await self._account_problem(config, instrument):
                return Prepared(problems=(problem,))
        except (VenueMisfit, AccountRefused) as error:
            return Prepared(problems=(str(error),))
        except (VenueUnavailable, StoreUnavailable) as error:
            missing = str(config.venue) if isinstance(error, VenueUnavailable) else "database"
            if self._reminders.due(missing):
                log.warning("configurations cannot be checked: bots wait", missing=missing, reason=str(error))
            raise retryable(error) from error
        return Prepared(config=config, instrument=instrument)

    async def _account_problem(self, config: BotConfig, instrument: Instrument) -> str | None:
        """Return why the bot cannot trade its account, or None. Keys that are refused raise."""
        account, problem = config.account, None
        if account is None:
            return None
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            view = await self._accounts.view(account)
            if view.may_trade is False:
                return f"broker.credentials: {account.venue} lets the keys {account.credentials!r} read only, not trade"
            if config.risk_management.exchange_stop and not view.takes_stops:
                return f"risk_management.exchange_stop: no stop can rest at {account.venue}; expected false"
            balance = view.balances.get(instrument.quote)
            there = balance.free + balance.locked if balance else ZERO
            sharing = await self._bots.sharing(account.credentials)
            if (problem := allotment_problem(config, instrument, sharing, there)) is None:
                break
        return problem
