"""What people and programs read: text to standard output, troubles to standard error, JSON where it is asked for."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from rich.console import Console, RenderableType
from rich.text import Text

# A pipe has no width: wide enough there for every table of ours.
_PIPE_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200

OUT = Console(highlight=False, width=_PIPE_WIDTH)
ERR = Console(stderr=True, highlight=False)


class CliError(Exception):
    """Something that a person can mend; the message is a clear sentence, shown without a traceback."""


def say(text: str, style: str | None = None) -> None:
    """Print one line, never cut or wrapped, whatever is in it."""
    OUT.print(Text(text, style=style or ""), soft_wrap=True)


def warn(text: str) -> None:
    """Print one line to standard error."""
    ERR.print(Text(text, style="yellow"), soft_wrap=True)


def show(renderable: RenderableType) -> None:
    """Print a table or the like, as wide as the terminal."""
    OUT.print(renderable)


def emit_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON, and nothing else. Models may be anywhere in it; decimals are text, exact."""
    OUT.out(json.dumps(_plain(value), indent=indent, ensure_ascii=False), highlight=False)


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return _plain(value.model_dump())
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case str():
            return value
        case Sequence():
            return [_plain(item) for item in value]
        case Decimal():
            return f"{value.normalize():f}"
        case _:
            return to_jsonable_python(value)
