"""`credentials remove`: forgets the keys of an account."""

from pathlib import Path
from typing import Annotated

import typer

from cli.credentials.options import CredentialsName
from cli.options import DataDir
from cli.output import say
from cli.run import run
from cli.store import open_store
from cli.target import find_target

app = typer.Typer(add_completion=False)


@app.command()
def remove(
    *,
    name: CredentialsName,
    force: Annotated[bool, typer.Option("--force", help="Even while enabled bots use them.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete stored credentials; refused while an enabled bot names them. At the venue they stay valid."""
    run(_remove(name, force, data_dir))


async def _remove(name: str, force: bool, data_dir: Path | None) -> None:
    async with open_store(find_target(data_dir)) as store:
        await store.credentials.remove(name, force=force)
    say(f"removed {name}; workers forget it within a minute of its next use")
