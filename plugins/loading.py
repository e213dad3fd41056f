"""Loads the classes of plugins, in the child only."""

import importlib
import inspect
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from strategies.entry_logic import AnyEntry, EntryLogic
from strategies.exit_logic import AnyExit, ExitLogic
from strategies.logic import Parameters
from strategies.whole import Strategy

_BASES: dict[str, type] = {"entry": EntryLogic, "exit": ExitLogic, "strategy": Strategy}


def load_class(kind: str, target: str) -> type[AnyEntry] | type[AnyExit]:
    """Return the class at `module:Class`.

    Raises:
        TypeError: it is no class of the kind, lacks a method, or has no parameters of the right base.
        ImportError, AttributeError: there is none. The module may raise anything else.
    """
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    base = _BASES[kind]
    if not isinstance(found, type) or not issubclass(found, base):
        raise TypeError(f"{target} must be a subclass of {base.__module__}.{base.__name__}; was {found!r:.80}")
    if lacking := sorted(getattr(found, "__abstractmethods__", ())):
        raise TypeError(f"{target} lacks {', '.join(lacking)}")
    params = getattr(found, "Params", None)
    if not isinstance(params, type) or not issubclass(params, Parameters):
        raise TypeError(f"{target}.Params must be a subclass of strategies.logic.Parameters; was {params!r:.80}")
    return cast("type[AnyEntry] | type[AnyExit]", found)


def version_of(loaded: type, distribution: str | None) -> str:
    """Return a plugin's version: that of its distribution, or else a digest of its module's source."""
    if distribution is not None:
        return version(distribution)
    source = inspect.getsourcefile(loaded)
    return f"source {sha256(Path(source).read_bytes()).hexdigest()[:8]}" if source else "unknown"


def rule_of(loaded: type) -> str:
    """Return what a class says of itself, in one line."""
    return " ".join((loaded.__doc__ or "").split())
