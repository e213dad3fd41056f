"""`bots list` and `bots show`: the bots at a glance, and one of them in full."""

from pathlib import Path
from typing import Any

import typer
from rich.syntax import Syntax

from cli.bots.document import pretty
from cli.bots.tables import bots_table, facts_table, versions_table
from cli.options import AsJson, BotId, DataDir
from cli.output import OUT, emit_json, say, show
from cli.run import run
from cli.store import open_store
from cli.target import find_target

app = typer.Typer(add_completion=False)


@app.command("list")
def list_bots(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List all bots: status, price, position, profit, last event."""
    run(_list(as_json, data_dir))


@app.command("show")
def show_bot(bot_id: BotId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one bot: how it stands, its position, its configuration and the versions before it."""
    run(_show(bot_id, as_json, data_dir))


async def _list(as_json: bool, data_dir: Path | None) -> None:
    async with open_store(find_target(data_dir)) as store:
        bots = await store.bots.list_overview()
    if as_json:
        emit_json(bots)
    elif bots:
        show(bots_table(bots, width=OUT.width))
        if bots[0].halted:
            say(f"entries are halted: {bots[0].halted}; end it with: python starter.py bots halt --off", "red")
    else:
        say("There are no bots yet; make some: python starter.py bots create --template rsi --symbols BTC/USDT")


async def _show(bot_id: str, as_json: bool, data_dir: Path | None) -> None:
    target = find_target(data_dir)
    async with open_store(target) as store:
        row = await store.bots.get(bot_id)
        bot = await store.bots.overview(bot_id)
        versions = await store.bots.versions(bot_id)
    link = target.link(bot_id)
    if as_json:
        answer: dict[str, Any] = {"bot": bot, "config": row.config, "uid": row.uid, "web_ui": link}
        emit_json({**answer, "carried": row.carried, "versions": versions})
        return
    show(facts_table(bot, row, link))
    say("\nconfiguration", "bold")
    show(Syntax(pretty(row.config), "json", background_color="default", word_wrap=True))
    say("\nversions", "bold")
    show(versions_table(versions))
