"""Servers that are already there: found in the environment, and checked before anything is started on them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from embedded.errors import EmbeddedError
from temporal_client import NoTemporal, connect, require_namespace, temporal_options

CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True)
class ExistingTemporal:
    """A Temporal server that somebody else runs. Everything but the address comes from the environment."""

    address: str

    @property
    def namespace(self) -> str:
        """The namespace that the environment names, else `default`."""
        return str(_connect_config().get("namespace") or "default")

    async def check(self) -> None:
        """Raise EmbeddedError when it does not answer, or lacks the namespace."""
        try:
            await require_namespace(await connect(_connect_config() | {"target_host": self.address}))
        except NoTemporal as error:
            raise EmbeddedError(str(error)) from error


def temporal_from_environment() -> ExistingTemporal | None:
    """Return the server that TEMPORAL_ADDRESS or a Temporal profile names; None when none is named.

    Raises:
        EmbeddedError: the variables or the profile cannot be understood.
    """
    address = _connect_config().get("target_host")
    return ExistingTemporal(str(address)) if address else None


async def check_database(url: str) -> None:
    """Check that a database answers.

    Args:
        url: `postgresql://user:password@host:port/name`; a driver name after `postgresql` is ignored.

    Raises:
        EmbeddedError: it does not; the message holds no password.
    """
    scheme, _, rest = url.partition("://")
    if scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise EmbeddedError("the database URL must begin with postgresql://; it begins otherwise")
    place = urlsplit(url)
    try:
        connection = await asyncpg.connect(f"postgresql://{rest}", timeout=CONNECT_TIMEOUT)
        await connection.close()
    except (
        OSError,
        TimeoutError,
        ValueError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        where = f"{place.hostname}:{place.port or 5432}{place.path}"
        raise EmbeddedError(f"the database at {where} does not answer: {error or type(error).__name__}") from error


def _connect_config() -> dict[str, Any]:
    try:
        return temporal_options()
    except NoTemporal as error:
        raise EmbeddedError(str(error)) from error
