"""A vault that holds what a test puts into it."""

from pydantic import SecretStr

from domain.credentials import Credentials
from domain.errors import UnknownCredentials


def credentials(venue: str, key: str, secret: str, passphrase: str | None = None) -> Credentials:
    """Return credentials."""
    phrase = None if passphrase is None else SecretStr(passphrase)
    return Credentials(venue=venue, api_key=SecretStr(key), secret=SecretStr(secret), passphrase=phrase)


class FixedVault:
    """Implements `Vault`."""

    def __init__(self, **kept: Credentials) -> None:
        self.kept = kept

    async def get(self, name: str) -> Credentials:
        if name not in self.kept:
            raise UnknownCredentials(f"there are no credentials {name!r}")
        return self.kept[name]
