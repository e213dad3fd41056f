"""`up`: the local stack in one command, until Ctrl-C."""

import asyncio
import contextlib
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from cli.endpoints import Endpoints, own_process, remove_endpoints, write_endpoints
from cli.options import DatabaseUrl, DataDir
from cli.output import say
from cli.run import run
from cli.up_log import stack_log
from cli.up_view import UpView
from db.bots import BotRepository
from db.engine import make_engine
from db.migrate import migrate
from db.overview import BotOverview
from domain.state import WatchOptions
from embedded.ports import Ports
from embedded.stack import EmbeddedStack, WorkerCommand
from security.key_file import load_ring, make_key_file
from settings import Settings

app = typer.Typer(add_completion=False)

REPOSITORY = Path(__file__).resolve().parents[1]

_Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_Port: TypeAlias = Annotated[int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Any free one if 0.")]


@app.command()
def up(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    postgres_port: _Port = None,
    temporal_port: _Port = None,
    ui_port: _Port = None,
    health_port: _Port = None,
    log_level: Annotated[
        _Level | None,
        typer.Option(case_sensitive=False, help="How much the worker's log holds; else $STEADYHAND_LOG_LEVEL."),
    ] = None,
) -> None:
    """Start PostgreSQL, Temporal with its Web UI, and the worker; Ctrl-C stops them all, in order.

    Everything lies in the data directory, and a second start goes on where the first left off. With --database-url
    and TEMPORAL_ADDRESS (or a Temporal profile) existing servers are used instead.
    """
    settings = Settings()
    ports = Ports(postgres=postgres_port, temporal=temporal_port, ui=ui_port, health=health_port)
    named = settings.database_url.get_secret_value() if settings.database_url else None
    run(_up(settings, data_dir or settings.data_dir, database_url or named, ports, log_level or settings.log_level))


def _flush_seconds(settings: Settings) -> float:
    """Return how often the rows show prices: more often than in a big fleet, for a person who has just made a bot."""
    return settings.flush_seconds if "flush_seconds" in settings.model_fields_set else 5.0


async def _up(settings: Settings, data_dir: Path, database_url: str | None, ports: Ports, log_level: str) -> None:
    view = UpView(data_dir)
    stack = EmbeddedStack(
        data_dir,
        database_url=database_url,
        temporal_from_env=True,
        ports=ports,
        prepare=view.step("bringing the database up to date", partial(_prepare, settings)),
        worker=_worker(settings, log_level),
        on_event=view.on_event,
        on_line=view.on_line,
    )
    running = asyncio.create_task(_run_stack(stack, settings, view))
    _stop_on_signals(running, view)
    try:
        # An error of the stack is raised here; our own cancellation is the good end.
        with stack_log(data_dir, view.warning), contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        view.close()
    say("stopped; nothing is left running")


def _worker(settings: Settings, log_level: str) -> WorkerCommand:
    return WorkerCommand(
        [sys.executable, str(REPOSITORY / "worker.py")],
        env={
            "STEADYHAND_SOLE_WORKER": "1",
            "STEADYHAND_LOG_LEVEL": log_level.upper(),
            "STEADYHAND_LOG_FORMAT": "json",
            "STEADYHAND_FLUSH_SECONDS": str(_flush_seconds(settings)),
        },
        cwd=REPOSITORY,
    )


def _stop_on_signals(running: asyncio.Task[None], view: UpView) -> None:
    """Cancel at the first SIGINT or SIGTERM. Later ones change nothing: each part has a time limit for its end."""
    stopping = False

    def stop(number: signal.Signals) -> None:
        nonlocal stopping
        view.stopping(number.name, again=stopping)
        if not stopping:
            stopping = True
            running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)


async def _run_stack(stack: EmbeddedStack, settings: Settings, view: UpView) -> None:
    view.starting()
    async with stack:
        write_endpoints(stack.data_dir, _endpoints(stack, settings))
        try:
            view.ready(stack, await _bots(stack.database_url))
            await asyncio.Event().wait()
        finally:
            remove_endpoints(stack.data_dir)


async def _prepare(settings: Settings, stack: EmbeddedStack) -> str:
    # Malformed keys end the start here, in one sentence.
    if not load_ring(settings.secret_keys, stack.data_dir).key_ids:
        make_key_file(stack.data_dir)
    applied = await migrate(stack.database_url)
    return f"applied {', '.join(applied)}" if applied else "nothing to do"


async def _bots(database_url: str) -> list[BotOverview]:
    engine = make_engine(database_url)
    try:
        return list(await BotRepository(engine).list_overview())
    finally:
        await engine.dispose()


def _endpoints(stack: EmbeddedStack, settings: Settings) -> Endpoints:
    watch = WatchOptions(
        segment_seconds=settings.segment_seconds, heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds
    )
    return Endpoints.model_validate(
        {
            **own_process(),
            "database_url": stack.database_url,
            "temporal_address": stack.temporal_address,
            "namespace": stack.namespace,
            "ui_url": stack.ui_url,
            "health_url": stack.health_url,
            "watch": watch,
        }
    )
