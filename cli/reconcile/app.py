"""`reconcile`: compares the books of live bots with their accounts, and says where they do not agree."""

from pathlib import Path
from typing import Annotated

import typer

from cli.bots.desk import open_desk
from cli.options import AsJson, DataDir
from cli.output import emit_json
from cli.reconcile.examination import examine
from cli.reconcile.report import Report
from cli.reconcile.tables import show_report
from cli.run import run

app = typer.Typer(add_completion=False)

# As `diff` does: 1 tells what was found, 2 that it could not be looked at.
_EXIT_CODES = {"agree": 0, "differ": 1, "incomplete": 2}


@app.command()
def reconcile(
    *,
    bot: Annotated[
        str | None, typer.Option("--bot", metavar="ID", help="Look at the account of this bot, and show its part.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Compare positions, cash and orders of live bots with their exchanges. It changes nothing.

    Exit code 0 when both sides agree, 1 when they differ, 2 when one could not be asked.
    """
    report = run(_reconcile(bot, data_dir), code=_EXIT_CODES["incomplete"])
    if as_json:
        emit_json(report)
    else:
        show_report(report)
    raise typer.Exit(_EXIT_CODES[report.verdict])


async def _reconcile(bot_id: str | None, data_dir: Path | None) -> Report:
    async with open_desk(data_dir) as desk:
        return await examine(desk, bot_id, data_dir)
