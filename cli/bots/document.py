"""Configurations as text: JSON for people to read and edit, in the order of the documentation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from cli.output import CliError
from domain.config import BotConfig


class BadDocument(CliError):
    """A text is no JSON object; the message says where."""


def pretty(config: Mapping[str, Any]) -> str:
    """Return a configuration as JSON, its keys in the order in which the configuration's models name them."""
    return json.dumps(_ordered(config, BotConfig), indent=2, ensure_ascii=False) + "\n"


def parse_document(text: str) -> Any:
    """Return a JSON document.

    Raises:
        BadDocument: it is no JSON, names a key twice, or holds a number that JSON does not know.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadDocument(f"line {error.lineno}, column {error.colno}: {error.msg}") from error


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BadDocument: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadDocument(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadDocument(f"is not text in UTF-8: {error.reason} at byte {error.start}") from error


def _ordered(values: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    known = [name for name in model.model_fields if name in values]
    rest = [name for name in values if name not in model.model_fields]
    return {name: _ordered_value(values[name], model, name) for name in (*known, *rest)}


def _ordered_value(value: Any, model: type[BaseModel], name: str) -> Any:
    field = model.model_fields.get(name)
    section = field.annotation if field else None
    if isinstance(value, Mapping) and isinstance(section, type) and issubclass(section, BaseModel):
        return _ordered(value, section)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise BadDocument(f"each key may stand once in an object; there twice: {', '.join(twice)}")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadDocument(f"{name} is not a number that JSON knows")
