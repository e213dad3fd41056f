"""The command line as a whole: which commands there are, each in a module of its own."""

import sys

from cli.lazy import lazy_app

COMMANDS = {
    "up": "cli.up",
    "bots": "cli.bots.app",
    "credentials": "cli.credentials.app",
    "backtest": "cli.backtest.app",
    "demo": "cli.demo.app",
    "doctor": "cli.doctor",
    "reconcile": "cli.reconcile.app",
    "migrate": "cli.migrate",
}

app = lazy_app(COMMANDS, help="Steadyhand: a fleet of trading bots that survive anything. Begin with `up`.")


def main() -> None:
    """Run the command that the arguments name."""
    app(prog_name=_program())


def _program() -> str:
    return "python starter.py" if sys.argv[0].endswith("starter.py") else "starter"
