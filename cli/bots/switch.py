"""`bots enable`, `disable`, `pause` and `resume`: desired state, for one bot, several or all."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from cli.bots.announcing import announce_running, announce_switch
from cli.bots.desk import Desk, open_desk
from cli.options import AllBots, BotIds, DataDir, Wait
from cli.output import say
from cli.run import run
from cli.store import author
from db.bots import BotRepository

app = typer.Typer(add_completion=False)

Change = Callable[[BotRepository, str], Awaitable[int]]


class Announce(Protocol):
    """Tells bots of their new versions."""

    async def __call__(self, desk: Desk, versions: Mapping[str, int], *, wait: float) -> None:
        """Tell them, and show what became of each."""


@dataclass(frozen=True)
class Wish:
    """What is to become of the bots: the word for it once it is done, the change of the row, how bots hear of it."""

    done: str
    change: Change
    announce: Announce = announce_switch


@dataclass(frozen=True)
class Chosen:
    """Which bots are meant."""

    bot_ids: Sequence[str] | None
    everyone: bool


@app.command()
def enable(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Start bots, with the books of their earlier life."""
    wish = Wish("enabled", lambda bots, bot_id: _enable(bots, bot_id, True), announce_running)
    run(_switch(Chosen(bot_ids, everyone), wish, wait, data_dir))


@app.command()
def disable(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Stop bots; what becomes of an open position says `trading.on_stop` (by default it is kept, unwatched)."""
    wish = Wish("disabled", lambda bots, bot_id: _enable(bots, bot_id, False))
    run(_switch(Chosen(bot_ids, everyone), wish, wait, data_dir))


@app.command()
def pause(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Make no entries any more; open positions keep their exits."""
    wish = Wish("paused", lambda bots, bot_id: _pause(bots, bot_id, True))
    run(_switch(Chosen(bot_ids, everyone), wish, wait, data_dir))


@app.command()
def resume(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Make entries again."""
    wish = Wish("resumed", lambda bots, bot_id: _pause(bots, bot_id, False))
    run(_switch(Chosen(bot_ids, everyone), wish, wait, data_dir))


async def _switch(chosen: Chosen, wish: Wish, wait: float, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        versions: dict[str, int] = {}
        for bot_id in await desk.store.chosen(chosen.bot_ids, everyone=chosen.everyone):
            before = await desk.store.bots.get(bot_id)
            versions[bot_id] = await wish.change(desk.store.bots, bot_id)
            already = " (it was already)" if versions[bot_id] == before.version else ""
            say(f"{wish.done} {bot_id}, version {versions[bot_id]}{already}")
        # Told even where the row has not changed: a bot that has missed its row hears of it now.
        await wish.announce(desk, versions, wait=wait)


async def _enable(bots: BotRepository, bot_id: str, enabled: bool) -> int:
    return await bots.set_enabled(bot_id, enabled, author=author())


async def _pause(bots: BotRepository, bot_id: str, paused: bool) -> int:
    return await bots.set_paused(bot_id, paused, author=author())
