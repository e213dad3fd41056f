"""Keys that cannot be had: what a person must mend is told apart from what may pass."""

import pytest

from brokers.gateway import Gateway
from domain.credentials import Credentials
from domain.errors import (
    AccountRefused,
    CannotDecrypt,
    SteadyhandError,
    StoreUnavailable,
    UnknownCredentials,
    VenueUnavailable,
)
from domain.instruments import AccountRef, VenueRef


class Closed:
    """A vault that opens nothing, for one reason."""

    def __init__(self, reason: SteadyhandError) -> None:
        self._reason = reason

    async def get(self, name: str) -> Credentials:
        raise self._reason


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (UnknownCredentials("there are no credentials main"), AccountRefused),
        (CannotDecrypt("key 12345678 would open them"), AccountRefused),
        (StoreUnavailable("the database is away"), VenueUnavailable),
    ],
)
async def test_keys_that_cannot_be_opened(reason: SteadyhandError, told: type[SteadyhandError]) -> None:
    gateway = Gateway(vault=Closed(reason))
    try:
        with pytest.raises(told, match=str(reason)):
            await gateway.account_client(AccountRef(venue=VenueRef(name="binance"), credentials="main"))
    finally:
        await gateway.close()
