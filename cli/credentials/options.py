"""Arguments that the commands of `credentials` share."""

from typing import Annotated, TypeAlias

import typer

CredentialsName: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the credentials, as broker.credentials of a bot says it.")
]
