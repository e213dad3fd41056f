"""`bots edit`: a configuration in the editor, until it is valid or given up; nothing that was typed is lost."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from cli.bots.announcing import announce_config
from cli.bots.desk import Desk, open_desk
from cli.bots.document import BadDocument, parse_document, pretty, read_text
from cli.options import BotId, DataDir, Wait
from cli.output import CliError, say, warn
from cli.plugged import validate
from cli.run import run
from cli.store import author
from db.errors import VersionConflict
from domain.config_errors import InvalidConfig
from domain.state import BotRow

app = typer.Typer(add_completion=False)


@app.command()
def edit(bot_id: BotId, wait: Wait = 10.0, data_dir: DataDir = None) -> None:
    """Open the configuration of a bot in $VISUAL or $EDITOR; the bot takes over what you save."""
    run(_edit(bot_id, wait, data_dir))


async def _edit(bot_id: str, wait: float, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        row = await desk.store.bots.get(bot_id)
        with _draft(row) as file:
            config = _edited(row, file)
            if config == row.config:
                say(f"no change to {bot_id}")
                return
            version = await _save(desk, row, config)
        say(f"saved {bot_id} as version {version}")
        await announce_config(desk, {bot_id: version} if config["enabled"] or row.enabled else {}, wait=wait)


async def _save(desk: Desk, row: BotRow, config: dict[str, Any]) -> int:
    try:
        return await desk.store.bots.update_config(row.bot_id, config, author=author(), expected_version=row.version)
    except VersionConflict as error:
        raise CliError(f"somebody else has changed it meanwhile: {error}") from error


@contextmanager
def _draft(row: BotRow) -> Iterator[Path]:
    """Lend a file with the configuration of a bot. If it could not be saved, what was typed is kept, and said where."""
    folder = Path(tempfile.mkdtemp(prefix="steadyhand-edit-"))
    file, text = folder / f"{row.bot_id}.json", pretty(row.config)
    file.write_text(text, encoding="utf-8")
    try:
        yield file
    except BaseException:
        if file.exists() and file.read_bytes() != text.encode():
            warn(f"your text is kept in {file}")
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _edited(row: BotRow, file: Path) -> dict[str, Any]:
    """Let a person edit a file until it holds a valid configuration of this bot.

    Raises:
        CliError: they have given up, or their editor has failed.
    """
    while True:
        _open_editor(file)
        problems = _problems(row, file)
        if not problems:
            return dict(parse_document(read_text(file)))
        for problem in problems:
            warn(problem)
        if not _again():
            raise CliError(f"{row.bot_id} was not changed")


def _problems(row: BotRow, file: Path) -> list[str]:
    try:
        document = parse_document(read_text(file))
        if document == row.config:
            return []
        config = validate(document)
    except BadDocument as error:
        return [str(error)]
    except InvalidConfig as error:
        return [str(problem) for problem in error.problems]
    if config.id != row.bot_id:
        return [f"id: must be {row.bot_id}, a bot cannot be renamed; was {config.id}"]
    return []


def _again() -> bool:
    try:
        return typer.confirm("Edit again?", default=True)
    except typer.Abort:
        return False


def _open_editor(file: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    command = shlex.split(named) if named else [_usual_editor()]
    try:
        status = subprocess.run([*command, str(file)], check=False).returncode  # noqa: S603  the user's own editor
    except OSError as error:
        raise CliError(f"the editor {command[0]} cannot be run: {error.strerror}; set EDITOR") from error
    if status != 0:
        raise CliError(f"the editor {command[0]} ended with status {status}")


def _usual_editor() -> str:
    for name in ("nano", "vim", "vi"):
        if found := shutil.which(name):
            return found
    raise CliError("no editor was found; set EDITOR to yours")
