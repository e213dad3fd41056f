"""`bots open` and `bots close`: a person's order, carried out by the bot and booked like its own."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from temporalio.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from cli.bots.desk import Desk, open_desk
from cli.options import BotId, DataDir
from cli.output import CliError, say
from cli.run import run

app = typer.Typer(add_completion=False)

_Timeout: TypeAlias = Annotated[float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Wait so long.")]

_OPEN, _CLOSE = "open_position", "close_position"
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.3


@app.command("open")
def open_position(bot_id: BotId, timeout: _Timeout = 60.0, data_dir: DataDir = None) -> None:
    """Buy at the current price, as much as an entry of the bot would; its exits then watch the position."""
    run(_command(bot_id, _OPEN, timeout, data_dir))


@app.command("close")
def close_position(bot_id: BotId, timeout: _Timeout = 60.0, data_dir: DataDir = None) -> None:
    """Sell the position at the current price."""
    run(_command(bot_id, _CLOSE, timeout, data_dir))


async def _command(bot_id: str, update: str, timeout_seconds: float, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        await desk.store.known(bot_id)
        # The server carries out each id once, however often it is asked.
        update_id = f"cli-{uuid.uuid4()}"
        try:
            async with asyncio.timeout(timeout_seconds):
                say(f"{bot_id}: {await _ask(desk, bot_id, update, update_id)}")
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise CliError(
                f"{bot_id} has not answered within {timeout_seconds:g} s; it may still carry the command out "
                f"(does a worker run? see `bots orders {bot_id}`)"
            ) from None


async def _ask(desk: Desk, bot_id: str, update: str, update_id: str) -> str:
    handle = await desk.handle(bot_id)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return str(await handle.execute_update(update, id=update_id, result_type=str))
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            reason = cause.message if isinstance(cause, FailureError) else cause
            raise CliError(f"{bot_id}: {reason}") from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise CliError(f"{bot_id} does not run; start it with `bots enable {bot_id}`") from error
            # A bot that is just beginning a new run refuses; a moment later it does not.
            if error.status is not RPCStatusCode.FAILED_PRECONDITION or attempt == _ATTEMPTS:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last attempt has returned or raised")
