"""The credentials of one command: to ask a venue with, never to order."""

from db.credentials import CredentialsRepository
from domain.credentials import Credentials
from security.keyring import KeyRing


class StoredKeys:
    """Implements `Vault` for one command: opens what the database holds, and leaves nothing on this machine."""

    def __init__(self, store: CredentialsRepository, ring: KeyRing) -> None:
        self._store = store
        self._ring = ring

    async def get(self, name: str) -> Credentials:
        """Return the credentials of a name; see `Vault`."""
        return self._ring.open(await self._store.get(name))
