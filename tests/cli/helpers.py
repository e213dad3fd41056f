"""Runs commands as a person would, and says what came of them."""

import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from typer.testing import CliRunner

from cli.app import app
from db.bots import BotRepository
from tests.support.bots import Bench, BotUnderTest, raw_config


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands in a thread: they have event loops of their own."""

    async def __call__(self, *arguments: str, answer: str | bytes = "") -> Outcome:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)


def new_id() -> str:
    """Return an id that no other test's bot has: all share one Temporal server."""
    return f"b{uuid.uuid4().hex[:10]}"


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.1)


async def running_bot(bench: Bench, **changes: Any) -> BotUnderTest:
    """Make a row in the database and have its bot run."""
    bot_id = new_id()
    rows = cast("BotRepository", bench.bots)
    await bench.fleet.sync(await rows.create(bot_id, raw_config(bot_id, **changes)))
    bot = BotUnderTest(bench, bot_id)
    await bot.reaches("running")
    return bot


def editor(folder: Path, *texts: str) -> str:
    """Return an editor that replaces the file by the next of these texts, and keeps what it was given in `seen-N`.

    It waits while there is a file `hold` in the folder.
    """
    (folder / "texts.json").write_text(json.dumps(texts))
    script = folder / "editor.py"
    script.write_text(
        "import json, pathlib, sys, time\n"
        "folder, file = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])\n"
        "number = len(list(folder.glob('seen-*')))\n"
        "(folder / f'seen-{number}').write_text(file.read_text())\n"
        "while (folder / 'hold').exists(): time.sleep(0.02)\n"
        "file.write_text(json.loads((folder / 'texts.json').read_text())[number])\n"
    )
    return f"{sys.executable} {script}"
