"""`bots enable`, `disable`, `pause` and `resume`: desired state, for one bot, several or all."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from cli.bots.desk import announce, open_desk
from cli.options import AllBots, BotIds, DataDir, Wait
from cli.output import say
from cli.run import run
from cli.store import author
from db.bots import BotRepository

app = typer.Typer(add_completion=False)

Change = Callable[[BotRepository, str], Awaitable[int]]


@dataclass(frozen=True)
class Chosen:
    """Which bots are meant."""

    bot_ids: Sequence[str] | None
    everyone: bool


@app.command()
def enable(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Start bots, with the books of their earlier life."""
    run(_switch(Chosen(bot_ids, everyone), "enabled", wait, data_dir, lambda bots, bot_id: _enable(bots, bot_id, True)))


@app.command()
def disable(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Stop bots; what becomes of an open position says `trading.on_stop` (by default it is kept, unwatched)."""
    run(
        _switch(
            Chosen(bot_ids, everyone), "disabled", wait, data_dir, lambda bots, bot_id: _enable(bots, bot_id, False)
        )
    )


@app.command()
def pause(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Make no entries any more; open positions keep their exits."""
    run(_switch(Chosen(bot_ids, everyone), "paused", wait, data_dir, lambda bots, bot_id: _pause(bots, bot_id, True)))


@app.command()
def resume(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Make entries again."""
    run(_switch(Chosen(bot_ids, everyone), "resumed", wait, data_dir, lambda bots, bot_id: _pause(bots, bot_id, False)))


async def _switch(chosen: Chosen, done: str, wait: float, data_dir: Path | None, change: Change) -> None:
    async with open_desk(data_dir) as desk:
        versions: dict[str, int] = {}
        for bot_id in await desk.store.chosen(chosen.bot_ids, everyone=chosen.everyone):
            before = await desk.store.bots.get(bot_id)
            versions[bot_id] = await change(desk.store.bots, bot_id)
            already = " (it was already)" if versions[bot_id] == before.version else ""
            say(f"{done} {bot_id}, version {versions[bot_id]}{already}")
        # Told even where the row has not changed: a bot that has missed its row hears of it now.
        await announce(desk, versions, wait=wait)


async def _enable(bots: BotRepository, bot_id: str, enabled: bool) -> int:
    return await bots.set_enabled(bot_id, enabled, author=author())


async def _pause(bots: BotRepository, bot_id: str, paused: bool) -> int:
    return await bots.set_paused(bot_id, paused, author=author())
