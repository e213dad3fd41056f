"""Configuration activities: read a bot's row, and check a configuration against strategies and venue."""

from typing import Any

from temporalio import activity

from activities.failures import final, retryable
from domain.config_errors import InvalidConfig
from domain.errors import StoreUnavailable, UnknownBot, VenueMisfit, VenueUnavailable
from domain.instruments import VenueRef
from domain.ports import Bots, Market
from domain.state import BotRow, Prepared
from strategies.registry import validate


class ConfigActivities:
    """What a workflow needs to know of its configuration."""

    def __init__(self, bots: Bots, market: Market) -> None:
        self._bots = bots
        self._market = market

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
            config = validate(raw)
            venue = VenueRef(name=config.venue, base_url=config.broker.base_url, sandbox=config.broker.sandbox)
            instrument = await self._market.instrument(venue, config.symbol, config.data.interval)
        except InvalidConfig as error:
            return Prepared(problems=tuple(str(problem) for problem in error.problems))
        except VenueMisfit as error:
            return Prepared(problems=(str(error),))
        except VenueUnavailable as error:
            raise retryable(error) from error
        return Prepared(config=config, instrument=instrument)
