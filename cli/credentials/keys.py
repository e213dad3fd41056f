"""`credentials new-key` and `reencrypt`: the keys that encrypt the credentials, and the way from one to the next."""

from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

import typer

from cli.credentials.ring import find_ring
from cli.options import DataDir
from cli.output import OUT, CliError, say, warn
from cli.run import run
from cli.store import open_store
from cli.target import find_target
from db.credentials import CredentialsRepository
from domain.errors import CannotDecrypt
from security.keyring import KeyRing, new_key

app = typer.Typer(add_completion=False)

_Outcome: TypeAlias = Literal["done", "already", "changed", "failed"]


@app.command("new-key")
def print_new_key() -> None:
    """Print a new random key for STEADYHAND_SECRET_KEYS, and nothing else."""
    OUT.out(new_key(), highlight=False)


@app.command()
def reencrypt(data_dir: DataDir = None) -> None:
    """Encrypt all credentials under the newest key, so that older keys can be given up. Secrets stay as they are."""
    run(_reencrypt(data_dir))


async def _reencrypt(data_dir: Path | None) -> None:
    target = find_target(data_dir)
    ring = find_ring(target, data_dir)
    newest = ring.newest
    async with open_store(target) as store:
        names = [record.name for record in await store.credentials.list_records()]
        outcomes = Counter([await _reseal(store.credentials, ring, name) for name in names])
    say(f"re-encrypted {outcomes['done']} under key {newest}; {outcomes['already']} were already")
    if left := outcomes["failed"] + outcomes["changed"]:
        raise CliError(f"{left} of {len(names)} credentials are not under key {newest}; keep the older keys")


async def _reseal(credentials: CredentialsRepository, ring: KeyRing, name: str) -> _Outcome:
    before = await credentials.get(name)
    if before.key_id == ring.newest:
        return "already"
    try:
        after = ring.seal(name, ring.open(before))
    except CannotDecrypt as error:
        warn(str(error))
        return "failed"
    if await credentials.reseal(before, after):
        return "done"
    warn(f"credentials {name} were changed meanwhile; run this again")
    return "changed"
