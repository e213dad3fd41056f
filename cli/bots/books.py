"""`bots orders`, `trades` and `events`: what a bot has done, the newest last."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.bots.tables import moment, orders_table, trades_table
from cli.options import AsJson, BotId, DataDir, Limit
from cli.output import OUT, emit_json, say, show
from cli.run import run
from cli.store import Store, open_store
from cli.target import find_target
from db.reads import EventRecord

app = typer.Typer(add_completion=False)

_STYLES = {"info": "", "warning": "yellow", "error": "red"}
_POLL_SECONDS = 0.5
_POLL_LIMIT = 1000


@app.command()
def orders(bot_id: BotId, limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the orders of a bot: what was decided, and what came of it."""
    run(_orders(bot_id, limit, as_json, data_dir))


@app.command()
def trades(bot_id: BotId, limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the round trips of a bot, with their profits."""
    run(_trades(bot_id, limit, as_json, data_dir))


@app.command()
def events(
    *,
    bot_id: BotId,
    limit: Limit = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events until Ctrl-C.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what has happened to a bot. With --follow, JSON is one object a line."""
    run(_events(bot_id, limit, follow, as_json, data_dir))


async def _orders(bot_id: str, limit: int, as_json: bool, data_dir: Path | None) -> None:
    async with open_store(find_target(data_dir)) as store:
        found = [*reversed(await store.reads.orders(await store.known(bot_id), limit=limit))]
    if as_json:
        emit_json(found)
    elif found:
        show(orders_table(found))
    else:
        say(f"{bot_id} has made no order yet")


async def _trades(bot_id: str, limit: int, as_json: bool, data_dir: Path | None) -> None:
    async with open_store(find_target(data_dir)) as store:
        found = [*reversed(await store.reads.trades(await store.known(bot_id), limit=limit))]
    if as_json:
        emit_json(found)
    elif found:
        show(trades_table(found))
    else:
        say(f"{bot_id} has closed no trade yet")


async def _events(bot_id: str, limit: int, follow: bool, as_json: bool, data_dir: Path | None) -> None:
    async with open_store(find_target(data_dir)) as store:
        found = [*reversed(await store.reads.events(await store.known(bot_id), limit=limit))]
        if follow:
            await _follow(store, bot_id, found, as_json=as_json)
    if as_json:
        emit_json(found)
    elif not found:
        say(f"nothing has happened to {bot_id} yet")
    for event in [] if as_json else found:
        _show_event(event)


async def _follow(store: Store, bot_id: str, found: list[EventRecord], *, as_json: bool) -> None:
    last = -1
    while True:
        for event in found:
            last = event.n
            if as_json:
                emit_json(event, indent=None)
            else:
                _show_event(event)
        await asyncio.sleep(_POLL_SECONDS)
        newest = await store.reads.events(bot_id, limit=_POLL_LIMIT)
        found = [event for event in reversed(newest) if event.n > last]


def _show_event(event: EventRecord) -> None:
    text = Text.assemble(
        (f"{moment(event.at)} ", "dim"), f"{event.type:<18} ", (event.message, _STYLES[event.severity])
    )
    OUT.print(text, soft_wrap=True)
