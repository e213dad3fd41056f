"""`bots open`, `close` and `resolve`: what a person orders or has found out, carried out and booked by the bot."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import typer
from pydantic import ValidationError
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
from domain.model import ZERO
from workflows.command import OrderFound

app = typer.Typer(add_completion=False)

_Timeout: TypeAlias = Annotated[float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Wait so long.")]

_OPEN, _CLOSE = "open_position", "close_position"
_RESOLVE, _SOLD, _EXPLAIN = "resolve_order", "book_sale", "explain_difference"
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


@app.command()
def resolve(  # noqa: PLR0917
    bot_id: BotId,
    filled: Annotated[
        str | None, typer.Option(metavar="QUANTITY@PRICE", help="It was filled: so much, at this average price.")
    ] = None,
    absent: Annotated[bool, typer.Option("--absent", help="The exchange has no such order.")] = False,
    sold: Annotated[
        str | None, typer.Option(metavar="QUANTITY@PRICE", help="So much of the position was sold by hand.")
    ] = None,
    fee: Annotated[str, typer.Option(help="With --filled and --sold: the fee, in quote.")] = "0",
    explained: Annotated[
        bool, typer.Option("--explained", help="Books and exchange differ, and it is known why: go on.")
    ] = False,
    timeout: _Timeout = 60.0,
    data_dir: DataDir = None,
) -> None:
    """Tell a bot what only a person can find out: how an order ended (see `bots show`), or what was sold by hand."""
    run(_resolve(bot_id, _Finding(filled, absent, sold, explained, fee), timeout, data_dir))


class _Finding(NamedTuple):
    filled: str | None
    absent: bool
    sold: str | None
    explained: bool
    fee: str


async def _resolve(bot_id: str, finding: _Finding, timeout_seconds: float, data_dir: Path | None) -> None:
    update, argument = _update(finding)
    await _command(bot_id, update, timeout_seconds, data_dir, argument)


def _update(finding: _Finding) -> tuple[str, OrderFound | None]:
    """Return the update that tells a bot of a finding, and its argument."""
    options = ("--filled", "--absent", "--sold", "--explained")
    given = [option for option, value in zip(options, finding, strict=False) if value not in (None, False)]
    if len(given) != 1:
        expected = "one of --filled QUANTITY@PRICE, --absent, --sold QUANTITY@PRICE and --explained"
        raise CliError(f"expected {expected}; found {' and '.join(given) or 'none of them'}")
    if finding.sold is not None:
        return _SOLD, _found("--sold", finding.sold, finding.fee)
    if finding.filled is not None:
        return _RESOLVE, _found("--filled", finding.filled, finding.fee)
    return (_RESOLVE, OrderFound(quantity=ZERO)) if finding.absent else (_EXPLAIN, None)


def _found(option: str, text: str, fee: str) -> OrderFound:
    quantity, _, price = text.partition("@")
    try:
        return OrderFound.model_validate({"quantity": quantity, "price": price, "fee": fee})
    except ValidationError:
        raise CliError(f"{option} must be like 0.25@43210.5, and --fee a number; was {text!r}, {fee!r}") from None


async def _command(
    bot_id: str, update: str, timeout_seconds: float, data_dir: Path | None, argument: OrderFound | None = None
) -> None:
    async with open_desk(data_dir) as desk:
        await desk.store.known(bot_id)
        # The server carries out each id once, however often it is asked.
        update_id = f"cli-{uuid.uuid4()}"
        try:
            async with asyncio.timeout(timeout_seconds):
                say(f"{bot_id}: {await _ask(desk, bot_id, update, update_id, argument)}")
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise CliError(
                f"{bot_id} has not answered within {timeout_seconds:g} s; it may still carry the command out "
                f"(does a worker run? see `bots orders {bot_id}`)"
            ) from None


async def _ask(desk: Desk, bot_id: str, update: str, update_id: str, argument: OrderFound | None) -> str:
    arguments = [] if argument is None else [argument]
    handle = await desk.handle(bot_id)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return str(await handle.execute_update(update, args=arguments, id=update_id, result_type=str))
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
