"""Runs a command: its coroutine on an event loop, and foreseeable trouble as one clear sentence with an exit code."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from rich.text import Text
from temporalio.service import RPCError, RPCStatusCode

from cli.output import ERR, CliError
from domain.config_errors import InvalidConfig
from domain.errors import SteadyhandError
from embedded.errors import EmbeddedError
from settings import Settings, wrong_settings

T = TypeVar("T")

_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)


def run(main: Coroutine[Any, Any, T], *, code: int = 1) -> T:
    """Run a command to its end and return what it returns.

    Raises:
        typer.Exit: with `code`, after one sentence on standard error, for whatever a person can mend.
    """
    try:
        return asyncio.run(main)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception as error:
        text = sentence(error)
        if text is None:
            raise
        ERR.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)
        raise typer.Exit(code) from None


def sentence(error: BaseException) -> str | None:
    """Return what to tell a person; None for an error that nobody foresaw."""
    match error:
        case CliError() | SteadyhandError() | EmbeddedError():
            return str(error)
        case InvalidConfig():
            return "\n  ".join(("the configuration is refused:", *map(str, error.problems)))
        case RPCError():
            return _of_temporal(error)
        case ValidationError() if error.title == Settings.__name__:
            return wrong_settings(error)
        case _:
            return None


def _of_temporal(error: RPCError) -> str:
    if error.status in _AWAY:
        return f"Temporal does not answer: {error.message}"
    if error.status is RPCStatusCode.NOT_FOUND:
        return f"Temporal does not know it: {error.message}"
    return f"Temporal refused: {error.message}"
