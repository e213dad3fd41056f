"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Data directory of the local stack; else $STEADYHAND_DATA_DIR, else ~/.steadyhand.",
    ),
]
DatabaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="postgresql://user:password@host:port/name of an existing database; else $STEADYHAND_DATABASE_URL.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
BotId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id of the bot.")]
BotIds: TypeAlias = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of the bots.")]
AllBots: TypeAlias = Annotated[bool, typer.Option("--all", help="All bots there are.")]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="So many, the newest.")]
Wait: TypeAlias = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for the bot to confirm; 0: do not wait."),
]
