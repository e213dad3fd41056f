"""`credentials add` and `rotate`: a secret comes in, and leaves this process only encrypted."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from cli.credentials.asking import ask_secrets, checked
from cli.credentials.options import CredentialsName
from cli.credentials.ring import find_ring
from cli.credentials.venue import check_venue
from cli.options import DataDir
from cli.output import CliError, say
from cli.run import run
from cli.store import open_store
from cli.target import find_target
from domain.config_types import SLUG
from domain.credentials import Credentials, checked_secret

app = typer.Typer(add_completion=False)

_Key: TypeAlias = Annotated[str, typer.Option("--key", metavar="KEY", help="The API key; the secret is asked for.")]
_Passphrase: TypeAlias = Annotated[
    bool, typer.Option("--passphrase", help="The keys have a passphrase too, as at okx, kucoin or bitget; ask for it.")
]


@app.command()
def add(
    *,
    name: CredentialsName,
    venue: Annotated[str, typer.Option("--venue", metavar="ID", help="Exchange id, as ccxt names it.")],
    key: _Key,
    passphrase: _Passphrase = False,
    data_dir: DataDir = None,
) -> None:
    """Store the keys of an account, encrypted. The secret comes from a hidden prompt or from standard input."""
    run(_add(name, venue, key, passphrase, data_dir))


@app.command()
def rotate(*, name: CredentialsName, key: _Key, passphrase: _Passphrase = False, data_dir: DataDir = None) -> None:
    """Replace the keys of an account by newer ones of it; workers use them within a minute."""
    run(_rotate(name, key, passphrase, data_dir))


async def _add(name: str, venue: str, key: str, passphrase: bool, data_dir: Path | None) -> None:
    if not SLUG.fullmatch(name):
        raise CliError(f"NAME must be 1 to 64 of the characters a-z, 0-9, _ and -; was {name!r}")
    check_venue(venue, passphrase=passphrase)
    target = find_target(data_dir)
    ring = find_ring(target, data_dir)
    # Judged before anybody types a secret.
    key_id = ring.newest
    async with open_store(target) as store:
        await store.credentials.add(ring.seal(name, _ask(venue, key, passphrase=passphrase)))
    say(f"stored {name} for {venue}, encrypted under key {key_id}. A bot uses it by broker.credentials: {name}")


async def _rotate(name: str, key: str, passphrase: bool, data_dir: Path | None) -> None:
    target = find_target(data_dir)
    ring = find_ring(target, data_dir)
    key_id = ring.newest
    async with open_store(target) as store:
        venue = (await store.credentials.get(name)).venue
        check_venue(venue, passphrase=passphrase)
        await store.credentials.rotate(ring.seal(name, _ask(venue, key, passphrase=passphrase)))
    say(f"rotated {name} for {venue}, encrypted under key {key_id}. Delete the old key at the venue in a minute")


def _ask(venue: str, key: str, *, passphrase: bool) -> Credentials:
    api_key = checked("--key", key, checked_secret)
    secret, phrase = ask_secrets(passphrase=passphrase)
    return Credentials(venue=venue, api_key=api_key, secret=secret, passphrase=phrase)
