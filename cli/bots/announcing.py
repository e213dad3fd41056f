"""Telling bots of new versions of their rows, and showing what became of each."""

from collections.abc import Mapping, Sequence

from cli.bots.desk import Desk
from cli.output import OUT, CliError, say, warn
from db.overview import BotOverview


async def announce_config(desk: Desk, versions: Mapping[str, int], *, wait: float) -> None:
    """Tell bots of configurations that are new to them.

    Raises:
        CliError: one has refused its own, or could not be told.
    """
    _fail(await _announce(desk, versions, wait=wait))


async def announce_switch(desk: Desk, versions: Mapping[str, int], *, wait: float) -> None:
    """Tell bots what else has changed; it is done by whatever version is in force, so a refused one is warned of only.

    Raises:
        CliError: one could not be told.
    """
    _warn(await _announce(desk, versions, wait=wait))


async def announce_running(desk: Desk, versions: Mapping[str, int], *, wait: float) -> None:
    """Tell bots that are to run; one that does by an earlier version than its newest is warned of.

    Raises:
        CliError: one has never had a valid configuration, or could not be told.
    """
    refused = await _announce(desk, versions, wait=wait)
    _warn([bot for bot in refused if bot.in_force is not None])
    _fail([bot for bot in refused if bot.in_force is None])


async def _announce(desk: Desk, versions: Mapping[str, int], *, wait: float) -> list[BotOverview]:
    """Tell bots of their new versions and show what became of each; return the enabled ones that refuse theirs.

    Raises:
        CliError: they could not be told.
    """
    if not versions:
        return []
    await desk.tell(list(versions))
    with OUT.status("waiting for the bots to confirm …"):
        confirmed = await desk.confirmed(versions, wait)
    bots = [await desk.store.bots.overview(bot_id) for bot_id in versions]
    for bot in bots:
        await _show_verdict(desk, bot, versions[bot.bot_id], confirmed=bot.bot_id in confirmed)
    return [bot for bot in bots if bot.enabled and bot.newest_refused]


def _warn(refused: Sequence[BotOverview]) -> None:
    if refused:
        warn(f"the newest configuration is refused, mend it with `bots edit`: {_names(refused)}")


def _fail(refused: Sequence[BotOverview]) -> None:
    if refused:
        raise CliError(f"the configuration is refused, mend it with `bots edit`: {_names(refused)}")


async def _show_verdict(desk: Desk, bot: BotOverview, version: int, *, confirmed: bool) -> None:
    link = f"  {page}" if (page := desk.target.link(bot.bot_id)) and bot.enabled else ""
    if not confirmed:
        advice = f"see `python starter.py bots why {bot.bot_id}`"
        say(f"  {bot.bot_id}  told, has not confirmed yet; {advice}{link}", "yellow")
    elif not (bot.enabled and bot.newest_refused):
        say(f"  {bot.bot_id}  {bot.status}, version {version}{link}", "green")
    elif bot.in_force is None:
        say(f"  {bot.bot_id}  {bot.last_error}", "red")
    else:
        status = await desk.status(bot.bot_id)
        say(f"  {bot.bot_id}  {status.status if status else bot.status}, by version {bot.in_force}{link}", "green")
        say(f"  {bot.bot_id}  {bot.last_error}", "yellow")


def _names(bots: Sequence[BotOverview]) -> str:
    return ", ".join(bot.bot_id for bot in bots)
