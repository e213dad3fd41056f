"""A bot's configuration: is it valid, and what is missing until it can trade with real money?"""

from collections.abc import Sequence

from cli.checks.check import Check, fail, ok, warn
from cli.plugged import validate
from domain.config import PAPER, BotConfig
from domain.config_errors import InvalidConfig, Problem
from domain.state import BotRow

_NAME = "configuration"
_CONFIRMATION = "broker.live_trading_confirmed"


def check_configuration(row: BotRow) -> tuple[Check, BotConfig | None]:
    """Judge a bot's configuration; if it is valid, return it as it would be live."""
    edit = f"python starter.py bots edit {row.bot_id}"
    try:
        config = validate(row.config)
    except InvalidConfig as error:
        return fail(_NAME, _listed(error.problems), edit), None
    where = f"{config.symbol} on {config.venue}{', its test network' if config.venue.sandbox else ''}"
    if config.broker.trading_mode != PAPER:
        return ok(_NAME, f"live, {where}"), config
    missing = [problem for problem in _missing(row) if problem.path != _CONFIRMATION]
    if missing:
        return fail(_NAME, f"on paper, {where}; to go live: {_listed(missing)}", edit), _as_live(config)
    mend = f"{edit}: set broker.trading_mode to live and {_CONFIRMATION} to true"
    return warn(_NAME, f"on paper, {where}; all that is missing is your word", mend), _as_live(config)


def _missing(row: BotRow) -> Sequence[Problem]:
    """Return what would be wrong with a valid configuration if it said live."""
    try:
        validate({**row.config, "broker": {**row.config["broker"], "trading_mode": "live"}})
    except InvalidConfig as error:
        return error.problems
    return ()


def _as_live(config: BotConfig) -> BotConfig:
    return config.model_copy(update={"broker": config.broker.model_copy(update={"trading_mode": "live"})})


def _listed(problems: Sequence[Problem]) -> str:
    return "; ".join(map(str, problems))
