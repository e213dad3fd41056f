"""Checks configurations off the event loop: a plugin may have a say in them, or a library be loaded, for seconds."""

import asyncio
from collections.abc import Mapping
from typing import Any

from domain.config import BotConfig
from strategies.plugs import Plugs
from strategies.registry import validate


async def checked(raw: Mapping[str, Any], plugs: Plugs) -> BotConfig:
    """Return the configuration in `raw`, whose strategy can be built.

    Raises:
        InvalidConfig: with every problem at once, those of the strategy's parameters included.
        SteadyhandError: a plugin has too much to do to be asked now.
    """
    threads = plugs.executor(raw.get("strategy"))
    return await asyncio.get_running_loop().run_in_executor(threads, validate, raw, plugs)
