"""`bots restart`: a bot's workflow ends and begins anew, with its books and its position."""

import asyncio
import time
from pathlib import Path

import typer

from cli.bots.announcing import announce_running
from cli.bots.desk import Desk, open_desk
from cli.options import AllBots, BotIds, DataDir, Wait
from cli.output import CliError, say
from cli.run import run
from cli.store import author
from domain.state import BotRow

app = typer.Typer(add_completion=False)

_POLL_SECONDS = 0.2


@app.command()
def restart(bot_ids: BotIds = None, everyone: AllBots = False, wait: Wait = 30.0, data_dir: DataDir = None) -> None:
    """Stop bots and start them anew from their journaled state; positions stay open.

    A bot that would sell its position on a stop (`trading.on_stop: close_position`) is not stopped: it only looks at
    the market anew. With --all, bots that are disabled are left alone.
    """
    run(_restart(bot_ids, everyone, wait, data_dir))


async def _restart(bot_ids: list[str] | None, everyone: bool, wait: float, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        rows = [await desk.store.bots.get(bot_id) for bot_id in await desk.store.chosen(bot_ids, everyone=everyone)]
        disabled = [row.bot_id for row in rows if not row.enabled]
        if disabled and not everyone:
            raise CliError(f"nothing was restarted: disabled, so start with `bots enable`: {', '.join(disabled)}")
        for row in rows:
            if row.enabled:
                await _restart_one(desk, row, wait)


async def _restart_one(desk: Desk, row: BotRow, wait: float) -> None:
    if await desk.runs(row.bot_id) and await _would_sell(desk, row):
        await desk.tell([row.bot_id], rewatch=True)
        say(f"{row.bot_id} looks at the market anew; it was not stopped, because that would sell its position")
        return
    await desk.store.bots.set_enabled(row.bot_id, False, author=author())
    try:
        await desk.tell([row.bot_id])
        ended = await _ended(desk, row.bot_id, wait)
    finally:
        # Whatever has gone wrong, the bot is to run: a workflow that is still stopping then goes on.
        version = await desk.store.bots.set_enabled(row.bot_id, True, author=author())
    if not ended:
        await desk.tell([row.bot_id])
        raise CliError(f"{row.bot_id} did not stop within {wait:g} s, so it goes on as it was; does a worker run?")
    say(f"restarted {row.bot_id}")
    await announce_running(desk, {row.bot_id: version}, wait=wait)


async def _ended(desk: Desk, bot_id: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while await desk.runs(bot_id):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _would_sell(desk: Desk, row: BotRow) -> bool:
    carried = row.carried
    if carried is None or carried.config is None or carried.config.trading.on_stop != "close_position":
        return False
    # The bot itself knows first; its row, once that is journaled.
    status = await desk.status(row.bot_id)
    return status.position.quantity is not None if status else carried.book.position is not None
