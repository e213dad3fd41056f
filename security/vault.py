"""The vault of a worker: finds sealed credentials, in the database or on its own disk, and opens them for each use."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable

from domain.config_types import SLUG
from domain.credentials import Credentials, CredentialStore, SealedCredentials
from domain.errors import StoreUnavailable, UnknownCredentials
from security.cache import CiphertextCache
from security.keyring import KeyRing

log = logging.getLogger(__name__)

_FRESH_SECONDS = 60.0
# An order waits for this; a database that is merely slow is not worth more where there is a copy.
_PATIENCE_SECONDS = 2.0


class SealedVault:
    """Keeps ciphertext in memory and on disk, and never anything that was decrypted.

    Args:
        clock: seconds that only grow.
        fresh_seconds: how long the store is not asked again. So long a rotation or removal may go unnoticed.
    """

    def __init__(
        self,
        store: CredentialStore,
        ring: KeyRing,
        cache: CiphertextCache,
        *,
        fresh_seconds: float = _FRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ring = ring
        self._cache = cache
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, SealedCredentials]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str) -> Credentials:
        """Return the credentials of a name, decrypted for this call.

        Raises:
            UnknownCredentials: there are none.
            CannotDecrypt: no key of this process opens them.
            StoreUnavailable: the database cannot be reached, and this machine has never used them.
        """
        if not SLUG.fullmatch(name):
            # It comes from a configuration and may be anything; what it names are rows and files.
            raise UnknownCredentials(f"there are no credentials {name!r}; a name is 1 to 64 of a-z, 0-9, _ and -")
        # One question at a time for each name: all bots of an account ask at the same moment.
        async with self._asking[name]:
            since, sealed = self._kept.get(name, (0.0, None))
            if sealed is not None and self._clock() - since < self._fresh_seconds:
                return self._ring.open(sealed)
            return await self._ask(name)

    async def _ask(self, name: str) -> Credentials:
        on_disk = await asyncio.to_thread(self._cache.load, name)
        sealed = await self._look_up(name, on_disk)
        credentials = self._ring.open(sealed)
        # What could not be opened replaces nothing.
        self._kept[name] = (self._clock(), sealed)
        if sealed != on_disk:
            await asyncio.to_thread(self._cache.save, sealed)
        return credentials

    async def _look_up(self, name: str, on_disk: SealedCredentials | None) -> SealedCredentials:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if on_disk else None):
                return await self._store.get(name)
        except (StoreUnavailable, TimeoutError) as error:
            if on_disk is None:
                raise
            log.warning("credentials %s are taken from this machine's disk: %s", name, str(error) or "no answer")
            return on_disk
        except UnknownCredentials:
            self._kept.pop(name, None)
            await asyncio.to_thread(self._cache.remove, name)
            raise
