"""`bots import`: the old JSON files become rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.bots.announcing import announce_config
from cli.bots.desk import Desk, open_desk
from cli.bots.document import BadDocument, parse_document, read_text
from cli.options import DataDir, Wait
from cli.output import CliError, say, warn
from cli.plugged import validate
from cli.run import run
from cli.store import author
from domain.config_errors import InvalidConfig, Problem, shown
from domain.errors import UnknownBot

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Candidate:
    """A bot that a file describes: where it stands, and what is wrong with it, if anything."""

    place: str
    config: Any
    problems: tuple[str, ...] = ()

    @property
    def bot_id(self) -> str:
        """The bot's id; only a candidate without problems is sure to have one."""
        return str(self.config["id"])


@app.command("import")
def import_bots(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSON files: a bot each, or a list of bots.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Give bots that exist the configuration of the file.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing unless every file is valid.")] = False,
    wait: Wait = 10.0,
    data_dir: DataDir = None,
) -> None:
    """Make rows of JSON configurations, and start the bots that are enabled.

    All files are checked first. What is invalid is refused with every error and its place; the others are imported.
    """
    run(_import(files, replace, strict, wait, data_dir))


async def _import(files: Sequence[Path], replace: bool, strict: bool, wait: float, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        candidates = await _checked(desk, files, replace)
        bad = [candidate for candidate in candidates if candidate.problems]
        for candidate in bad:
            for problem in candidate.problems:
                warn(f"{candidate.place}: {problem}")
        good = [candidate for candidate in candidates if not candidate.problems]
        if bad and strict:
            raise CliError(f"nothing was imported: {len(bad)} of {len(candidates)} configurations are refused")
        versions = {}
        for candidate in good:
            versions.update(await _write(desk, candidate))
        await announce_config(desk, versions, wait=wait)
    if bad:
        rest = f"{len(good)} imported" if good else "nothing was imported"
        raise CliError(f"{len(bad)} of {len(candidates)} configurations are refused; {rest}")
    say(f"imported {len(good)}. Next: python starter.py bots list")


async def _checked(desk: Desk, files: Sequence[Path], replace: bool) -> list[Candidate]:
    """Return what the files hold, judged one by one and against each other and the rows that exist."""
    found: list[Candidate] = []
    places: dict[str, str] = {}
    for candidate in (candidate for file in files for candidate in _candidates(file)):
        problems = candidate.problems
        if not problems:
            bot_id = candidate.bot_id
            if (first := places.setdefault(bot_id, candidate.place)) != candidate.place:
                problems = (f"id: {bot_id} stands in {first} already; each bot needs an id of its own",)
            elif not replace and await _exists(desk, bot_id):
                problems = (f"id: there is a bot {bot_id} already; choose another id, or --replace its configuration",)
        found.append(Candidate(candidate.place, candidate.config, problems))
    return found


def _candidates(file: Path) -> Iterator[Candidate]:
    try:
        document = parse_document(read_text(file))
    except BadDocument as error:
        yield Candidate(str(file), None, (str(error),))
        return
    if isinstance(document, list):
        if not document:
            yield Candidate(str(file), None, ("holds no bot: the list is empty",))
        yield from (_candidate(f"{file}[{number}]", config) for number, config in enumerate(document))
    else:
        yield _candidate(str(file), document)


def _candidate(place: str, config: Any) -> Candidate:
    if not isinstance(config, Mapping):
        return Candidate(place, config, (f"must be an object with the configuration of a bot; was {shown(config)}",))
    try:
        validate(config)
    except InvalidConfig as error:
        return Candidate(place, config, tuple(map(_problem, error.problems)))
    return Candidate(place, config)


def _problem(problem: Problem) -> str:
    return str(problem)


async def _exists(desk: Desk, bot_id: str) -> bool:
    try:
        await desk.store.bots.get(bot_id)
    except UnknownBot:
        return False
    return True


async def _write(desk: Desk, candidate: Candidate) -> dict[str, int]:
    """Write a row; return its version if its bot has to hear of it."""
    bots, bot_id = desk.store.bots, candidate.bot_id
    if await _exists(desk, bot_id):
        before = await bots.get(bot_id)
        version = await bots.update_config(bot_id, candidate.config, author=author())
        say(f"{candidate.place}: {'replaced' if version != before.version else 'no change to'} {bot_id}")
        return {bot_id: version} if version != before.version else {}
    row = await bots.create(bot_id, candidate.config, author=author())
    say(f"{candidate.place}: made {bot_id}{'' if row.enabled else ', disabled'}")
    return {bot_id: row.version} if row.enabled else {}
