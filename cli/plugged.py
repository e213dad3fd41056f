"""Plugins for one command: a configuration is checked as a worker would, and the processes end with the check."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from domain.config import BotConfig
from domain.config_errors import InvalidConfig
from plugins.plugins import Plugins
from settings import Settings
from strategies import registry


@contextmanager
def open_plugins() -> Iterator[Plugins]:
    """Look at what is installed, and end what was started of it."""
    plugins = Plugins.by(Settings())
    try:
        yield plugins
    finally:
        plugins.close()


def validate(raw: Mapping[str, Any]) -> BotConfig:
    """Return the configuration in `raw`, whose strategy can be built.

    Raises:
        InvalidConfig: with every problem at once, those of the strategy's parameters included.
    """
    try:
        return registry.validate(raw)
    except InvalidConfig:
        # A name that the catalogue does not know may be a plugin's: only then are they looked for, which takes longer.
        with open_plugins() as plugins:
            return registry.validate(raw, plugins)
