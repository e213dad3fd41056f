"""`migrate`: the newest tables, for installations whose database somebody else runs."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DatabaseUrl, DataDir
from cli.output import CliError, say
from cli.run import run
from cli.target import find_target
from db.migrate import heads
from db.migrate import migrate as apply_migrations
from domain.errors import StoreUnavailable

app = typer.Typer(add_completion=False)

_PAUSE_SECONDS = 1.0


@app.command()
def migrate(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for a database that is starting.")
    ] = 0.0,
) -> None:
    """Bring the database to the newest tables. Safe to repeat, and while everything runs; `up` does it by itself."""
    run(_migrate(database_url, data_dir, wait))


async def _migrate(database_url: str | None, data_dir: Path | None, wait: float) -> None:
    url = find_target(data_dir, database_url=database_url).database_url
    deadline = time.monotonic() + wait
    while True:
        try:
            applied = await apply_migrations(url)
        except ValueError as error:
            raise CliError(str(error)) from error
        except StoreUnavailable:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            break
    newest = ", ".join(heads())
    say(f"applied {', '.join(applied)}; the database is at {newest}" if applied else f"the database is at {newest}")
