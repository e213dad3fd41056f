"""Gives out the clients of this process: one per venue and address, and one per account there."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from brokers.access import VenueAccess
from brokers.account_client import AccountClient
from brokers.budget import AddressBudget
from brokers.client import VenueClient
from brokers.clock import VenueTime
from brokers.habits import habits_of
from brokers.opening import new_exchange, new_session
from domain.accounts import KeyState
from domain.credentials import Credentials, Vault
from domain.errors import AccountRefused, CannotDecrypt, StoreUnavailable, UnknownCredentials, VenueUnavailable
from domain.instruments import AccountRef, VenueRef


class Gateway:
    """The door to all venues. What asks one address shares its connections, its markets and its patience.

    Args:
        vault: opens the keys of accounts; None for public data alone.
        timeout: seconds that one request may take.
        budgets: a directory in which the processes of this machine share what they use of each address; None: they
            do not.
    """

    def __init__(self, *, vault: Vault | None = None, timeout: float = 10.0, budgets: Path | None = None) -> None:
        self._vault = vault
        self._budgets = budgets
        self._timeout = timeout
        self._clients: dict[VenueRef, VenueClient] = {}
        self._accounts: dict[AccountRef, AccountClient] = {}
        self._clocks: dict[VenueRef, VenueTime] = {}
        self._opening = asyncio.Lock()

    @property
    def clocks(self) -> Mapping[VenueRef, VenueTime]:
        """The clocks of the venues at which accounts are open, for the gauge."""
        return self._clocks

    async def client(self, venue: VenueRef) -> VenueClient:
        """Return the client of a venue for public data, opening it the first time.

        Raises:
            VenueMisfit: there is no such venue, or it has no test network.
        """
        if (client := self._clients.get(venue)) is not None:
            return client
        async with self._opening:
            if venue not in self._clients:
                self._clients[venue] = await self._open(venue)
        return self._clients[venue]

    async def account_client(self, account: AccountRef) -> AccountClient:
        """Return the client of an account, ready to be used; a new one when its keys were rotated.

        Raises:
            VenueMisfit: there is no such venue, or it trades on paper only.
            VenueUnavailable: the venue does not answer, or the keys cannot be read now.
            AccountRefused: there are no such keys, none of ours opens them, or they are another venue's or incomplete.
        """
        public = await self.client(account.venue)
        credentials = await self._credentials(account)
        client = self._accounts.get(account)
        if client is None or client.credentials != credentials:
            async with self._opening:
                client = self._accounts.get(account)
                if client is None or client.credentials != credentials:
                    client = await self._open_account(account, public, credentials)
        await client.ready()
        return client

    def standings(self) -> Mapping[AccountRef, KeyState]:
        """Return how the keys stand that a venue has judged; with `keeps_out` and `try_again`, see `KeyStandings`."""
        known = {account: client.keys.state for account, client in self._accounts.items()}
        return {account: state for account, state in known.items() if state is not None}

    def keeps_out(self, account: AccountRef) -> str | None:
        """Return why no entry may be made at an account, or None."""
        client = self._accounts.get(account)
        return client.keys.keeps_out() if client else None

    async def try_again(self, account: AccountRef) -> None:
        """Ask the venue something that needs the keys, with the newest that are stored.

        Raises:
            AccountRefused: the keys are still refused.
            VenueUnavailable: the venue does not answer.
        """
        client = await self.account_client(account)
        await client.call(lambda exchange: exchange.fetch_balance())

    async def close(self) -> None:
        """Close every client."""
        accounts, self._accounts = list(self._accounts.values()), {}
        clients, self._clients = list(self._clients.values()), {}
        self._clocks = {}
        for account in accounts:
            await account.exchange.close()
        for client in clients:
            await client.close()

    async def _open(self, venue: VenueRef) -> VenueClient:
        session = await new_session()
        try:
            exchange = await new_exchange(venue, session, timeout_seconds=self._timeout)
        except BaseException:
            await session.close()
            raise
        return VenueClient(venue, exchange, session, VenueAccess(venue, AddressBudget(self._budget_folder(venue))))

    def _budget_folder(self, venue: VenueRef) -> Path | None:
        if self._budgets is None:
            return None
        address = hashlib.sha256(f"{venue.base_url}, {venue.sandbox}".encode()).hexdigest()[:12]
        return self._budgets / f"{venue.name}-{address}"

    async def _open_account(self, account: AccountRef, public: VenueClient, credentials: Credentials) -> AccountClient:
        habits = habits_of(account.venue.name)
        exchange = await new_exchange(
            account.venue, public.session, timeout_seconds=self._timeout, keys=_keys(credentials)
        )
        if exchange.requiredCredentials.get("password") and credentials.passphrase is None:
            await exchange.close()
            raise AccountRefused(f"{account}: {account.venue.name} wants a passphrase; the credentials have none")
        clock = self._clocks.setdefault(account.venue, VenueTime(public.time))
        client = AccountClient(account, exchange, public, habits=habits, clock=clock, credentials=credentials)
        if (outdated := self._accounts.get(account)) is not None:
            # Requests under way end as they would; those that wait for their turn fail, and have not left.
            await outdated.exchange.close()
        self._accounts[account] = client
        return client

    async def _credentials(self, account: AccountRef) -> Credentials:
        if self._vault is None:
            raise VenueUnavailable(f"{account}: this process opens no credentials")
        try:
            credentials = await self._vault.get(account.credentials)
        except StoreUnavailable as error:
            raise VenueUnavailable(f"{account}: {error}") from error
        except (UnknownCredentials, CannotDecrypt) as error:
            raise AccountRefused(f"{account}: {error}") from error
        if credentials.venue != account.venue.name:
            raise AccountRefused(f"{account}: the credentials are for {credentials.venue}")
        return credentials


def _keys(credentials: Credentials) -> Mapping[str, str]:
    passphrase = credentials.passphrase
    keys = {"apiKey": credentials.api_key.get_secret_value(), "secret": credentials.secret.get_secret_value()}
    return keys if passphrase is None else {**keys, "password": passphrase.get_secret_value()}
