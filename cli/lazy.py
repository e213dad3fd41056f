"""Groups of commands whose modules are imported only when they are used: a list of bots needs no strategies."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


def lazy_app(modules: Mapping[str, str], *, help: str) -> typer.Typer:  # noqa: A002  typer's own name for it
    """Return a group of commands.

    Args:
        modules: the commands by name, in the order of the help, each with the module that has it in its `app`.
    """

    class LazyGroup(TyperGroup):
        """Finds its commands in `modules`."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            # Typer suggests the nearest of these names for an unknown one; it never looks at the values.
            self.commands = dict.fromkeys(modules)  # type: ignore[assignment]

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  click gives it
            return list(modules)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
            return _load(cmd_name, modules[cmd_name]) if cmd_name in modules else None

    app = typer.Typer(cls=LazyGroup, help=help, no_args_is_help=True, add_completion=False)
    app.callback()(_nothing)
    return app


def _load(name: str, module: str) -> Any:
    command: Any = get_command(import_module(module).app)
    if isinstance(command, TyperGroup) and name in command.commands and command.commands[name] is not None:
        command = command.commands[name]
    command.name = name
    return command


def _nothing() -> None:
    """Stand in for a callback: without one, typer takes a lone command for the whole application."""
