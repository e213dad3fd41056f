"""The key ring of a command: that of the workers that will read what it writes."""

from pathlib import Path

from cli.endpoints import read_endpoints
from cli.target import Target
from security.key_file import load_ring
from security.keyring import KeyRing
from settings import Settings


def find_ring(target: Target, data_dir: Path | None) -> KeyRing:
    """Return the keys to encrypt and decrypt with.

    The key file of a data directory counts for the database of its own stack only: the workers of another database do
    not have it.

    Raises:
        BadSecretKeys: a key is malformed.
    """
    settings = Settings()
    home = data_dir or settings.data_dir
    running = read_endpoints(home)
    own = running is not None and running.database_url == target.database_url
    return load_ring(settings.secret_keys, home if own else None)
