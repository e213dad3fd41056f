"""What `up` shows: its progress, where everything listens, and what the worker has to say."""

import contextlib
import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from rich.status import Status
from rich.text import Text

from cli.output import OUT, say
from db.overview import BotOverview
from domain.queues import BOT_PREFIX
from embedded.cluster import find_binaries
from embedded.stack import EmbeddedStack, Prepare
from embedded.supervisor import ChildEvent

_NAMES = {"postgres": "PostgreSQL", "temporal": "Temporal", "worker": "worker"}
_STYLES = {
    ChildEvent.READY: "green",
    ChildEvent.DIED: "bold red",
    ChildEvent.FAILED: "bold red",
    ChildEvent.RESTARTING: "yellow",
    ChildEvent.KILLED: "bold red",
    ChildEvent.CLEANED: "yellow",
}
_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}
# Loggers whose every word is a bot's life; of the others warnings and errors are shown.
_LIFE = ("notifications", "activities.fleet")
_WORKFLOW = re.compile(rf"'workflow_id': '{BOT_PREFIX}([^']+)'")
_LONGEST = 400
_DULL_KEYS = {"event", "level", "logger", "timestamp", "exception", "text", "kind", "at", "bot", "bot_id"}


class UpView:
    """Writes lines to the terminal; while the stack starts, a spinner below them."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.expanduser().absolute()
        self._status: Status | None = None

    def starting(self) -> None:
        """Begin the progress."""
        say(f"Steadyhand in {self._data_dir}", "bold")
        self._status = OUT.status("starting …")
        self._status.start()

    def step(self, title: str, work: Callable[[EmbeddedStack], Awaitable[str]]) -> Prepare:
        """Return `work` as a step of the start, with a line when it is done; what it returns is shown there."""

        async def shown(stack: EmbeddedStack) -> None:
            if self._status is not None:
                self._status.update(f"{title} …")
            _line("database", f"up to date: {await work(stack)}", "green")

        return shown

    def ready(self, stack: EmbeddedStack, bots: Sequence[BotOverview]) -> None:
        """Show where everything listens, then `ready`, then what to do next."""
        self.close()
        say("")
        for name, place in _places(stack):
            say(f"  {name:<12}{place}")
        say("")
        say("ready", "bold green")
        say(_next_step(bots, self._data_dir))
        say("Ctrl-C stops everything, in order; bots go on where they stand at the next start.")
        say("")

    def stopping(self, signal_name: str, *, again: bool) -> None:
        """Say that the end has begun."""
        self.close()
        say("still stopping …" if again else f"\n{signal_name}: draining and stopping everything, in order")

    def close(self) -> None:
        """End the spinner."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def warning(self, text: str) -> None:
        """Show a warning of the stack itself."""
        _line("stack", text, "yellow")

    def on_event(self, child: str, event: ChildEvent, detail: str) -> None:
        """Show what happened to a child process."""
        if self._status is not None and event is ChildEvent.STARTING:
            self._status.update(f"starting {_NAMES.get(child, child)} …")
        _line(_NAMES.get(child, child), f"{event}{f': {detail}' if detail else ''}", _STYLES.get(event, ""))

    def on_line(self, child: str, line: str) -> None:
        """Show a line of a child's log, if a person needs it now; the log file has them all."""
        if child != "worker":
            return
        try:
            record = json.loads(line)
        except ValueError:
            # Not written by our logging: a traceback, or a warning of the interpreter.
            _line("worker", line, "yellow")
            return
        if isinstance(record, dict) and (told := readable(record)) is not None:
            text, style = told
            _line("worker", text, style)


def readable(record: dict[str, object]) -> tuple[str, str] | None:
    """Return a record of the worker's log as text and style; None when it is not worth a line in the terminal."""
    level, logger = str(record.get("level", "")), str(record.get("logger", ""))
    if level not in _LEVELS and not logger.startswith(_LIFE):
        return None
    rest = [
        f"{key}={value}" for key, value in record.items() if key not in _DULL_KEYS and not key.startswith("temporal")
    ]
    event = str(record.get("event", ""))
    # The SDK appends its context to the message, as a dictionary.
    event, _, context = event.partition(" ({'")
    named = _WORKFLOW.search(context)
    bot = record.get("bot") or record.get("bot_id") or (named[1] if named else None)
    # A message to people has a title for their inbox and a text, which says it all.
    words = [f"[{bot}]" if bot else "", str(record.get("text") or event), *rest]
    exception = str(record.get("exception") or "").strip().splitlines()
    text = " ".join(filter(None, (*words, exception[-1] if exception else "")))
    return textwrap.shorten(text, _LONGEST, placeholder=" …"), _LEVELS.get(level, "cyan")


def _line(who: str, text: str, style: str) -> None:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    OUT.print(Text.assemble((now, "dim"), f" {who:<11}", (text, style)), soft_wrap=True)


def _places(stack: EmbeddedStack) -> list[tuple[str, str]]:
    health = stack.health_url
    return [
        ("database", _without_password(stack.database_url)),
        *_psql(stack),
        ("Temporal", f"{stack.temporal_address}, namespace {stack.namespace}"),
        ("Web UI", stack.ui_url or "that of your Temporal server"),
        ("worker", f"{health}, metrics at {health.removesuffix('health')}metrics"),
        ("logs", str(stack.logs)),
    ]


def _psql(stack: EmbeddedStack) -> list[tuple[str, str]]:
    """Say how to look into the database by hand: the password comes from a file, never from an argument."""
    password = stack.data_dir / "postgres.password"
    url = urlsplit(stack.database_url)
    if not password.is_file() or url.hostname != "127.0.0.1":
        return []
    program = shutil.which("psql")
    if program is None:
        with contextlib.suppress(OSError, ImportError):
            bundled = find_binaries() / "psql"
            program = str(bundled) if bundled.exists() else None
    arguments = f"-h {url.hostname} -p {url.port} -U {url.username} {url.path.lstrip('/')}"
    return [("", f"PGPASSWORD=$(cat {shlex.quote(str(password))}) {program or 'psql'} {arguments}")]


def _without_password(url: str) -> str:
    place = urlsplit(url)
    user = f"{place.username}@" if place.username else ""
    port = f":{place.port}" if place.port else ""
    return f"postgresql://{user}{place.hostname or 'localhost'}{port}{place.path}"


def _next_step(bots: Sequence[BotOverview], data_dir: Path) -> str:
    where = "" if data_dir == Path.home() / ".steadyhand" else f" --data-dir {shlex.quote(str(data_dir))}"
    if not bots:
        return (
            "There are no bots yet. In another terminal: "
            f"python starter.py bots create --template rsi --symbols BTC/USDT,ETH/USDT{where}"
        )
    enabled = sum(bot.enabled for bot in bots)
    count = f"{len(bots)} bot{'' if len(bots) == 1 else 's'}, {enabled} of them enabled"
    return f"{count}. In another terminal: python starter.py bots list{where}"
