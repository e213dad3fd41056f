"""`bots halt`: forbid entries to all bots at once, or allow them again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DataDir
from cli.output import CliError, say
from cli.run import run
from cli.store import author, open_store
from cli.target import find_target

app = typer.Typer(add_completion=False)


@app.command()
def halt(
    reason: Annotated[str | None, typer.Argument(metavar="[REASON]", help="Why, for whoever asks later.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Allow entries again.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Forbid entries to all bots at once, on paper too; exits go on. `bots list` shows whether it is so."""
    run(_halt(reason, off, data_dir))


async def _halt(reason: str | None, off: bool, data_dir: Path | None) -> None:
    if off and reason is not None:
        raise CliError("expected a reason or --off, not both")
    async with open_store(find_target(data_dir)) as store:
        if not off:
            await store.halts.halt(reason or "no reason was given", author=author())
            say("entries are halted, exits go on; end it with: python starter.py bots halt --off")
        elif await store.halts.lift(author=author()):
            say("entries are allowed again")
        else:
            say("entries were not halted")
