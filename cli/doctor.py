"""`doctor`: looks at everything that Steadyhand needs, and says how to mend what is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.checks.check import Check, warn
from cli.checks.database import check_database
from cli.checks.live_bot import check_live_bot
from cli.checks.machine import check_machine
from cli.checks.temporal import check_temporal
from cli.checks.venues import check_venues, venues_of_bots
from cli.endpoints import read_endpoints
from cli.options import AsJson, DatabaseUrl, DataDir
from cli.output import OUT, CliError, emit_json
from cli.run import run
from cli.target import Target, find_target
from domain.instruments import VenueRef
from settings import Settings

app = typer.Typer(add_completion=False)

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@app.command()
def doctor(
    *,
    venue: Annotated[
        list[str] | None, typer.Option("--venue", metavar="ID", help="Also look at this exchange; may be repeated.")
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(metavar="BOT", help="Look at this bot's account alone, and at what it would send first."),
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Check Python, ports, programs, database, Temporal, workers and exchanges; exit code 1 if anything fails."""
    if live is None:
        found = _checks(venue or [], database_url, data_dir or Settings().data_dir)
    elif venue:
        raise typer.BadParameter("it looks at one bot alone; leave --venue out", param_hint="--live")
    else:
        found = check_live_bot(live, data_dir=data_dir, database_url=database_url)
    checks = run(_doctor(found, as_json))
    if any(check.verdict == "fail" for check in checks):
        raise typer.Exit(1)


async def _doctor(found: AsyncIterator[Check], as_json: bool) -> list[Check]:
    checks = []
    async for check in found:
        checks.append(check)
        if not as_json:
            _show(check)
    if as_json:
        emit_json(checks)
    return checks


async def _checks(venues: list[str], database_url: str | None, data_dir: Path) -> AsyncIterator[Check]:
    for check in check_machine(data_dir, stack_runs=read_endpoints(data_dir) is not None):
        yield check
    wanted = {VenueRef(name=name) for name in venues}
    try:
        target = find_target(data_dir, database_url=database_url)
    except CliError as error:
        yield warn("servers", str(error), "start them, then ask again")
    else:
        async for check in _check_servers(target, wanted):
            yield check
    async for check in check_venues(wanted):
        yield check


async def _check_servers(target: Target, venues: set[VenueRef]) -> AsyncIterator[Check]:
    """Judge database and Temporal; add to `venues` those that bots trade by."""
    database = await check_database(target)
    yield database
    async for check in check_temporal(target):
        yield check
    if database.verdict == "ok":
        venues |= await venues_of_bots(target)


def _show(check: Check) -> None:
    verdict = (f"{check.verdict:<5}", _STYLES[check.verdict])
    OUT.print(Text.assemble(verdict, f"{check.name:<20} ", check.found), soft_wrap=True)
    if check.mend:
        OUT.print(Text(f"{'':<26}→ {check.mend}", style="cyan"), soft_wrap=True)
