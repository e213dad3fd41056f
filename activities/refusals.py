"""Accounts whose keys a venue refuses: people are told once for an outage, and the keys are tried until they work."""

import asyncio
import time
from datetime import UTC, datetime

import structlog

from domain.accounts import KeyState
from domain.errors import SteadyhandError, StoreUnavailable
from domain.instruments import AccountRef
from domain.journal import Notice
from domain.ports import KeyStandings, Notifier, RefusalStore

log = structlog.get_logger(__name__)

_LOOK_SECONDS, _TRY_SECONDS = 2.0, 60.0


class Refusals:
    """Follows the standing of all keys that this process uses."""

    def __init__(self, keys: KeyStandings, store: RefusalStore, notifier: Notifier) -> None:
        self._keys = keys
        self._store = store
        self._notifier = notifier
        self._noted: dict[AccountRef, KeyState] = {}
        self._tried: dict[AccountRef, float] = {}
        self._untold: list[Notice] = []

    async def follow(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # one account that cannot be told of must not end the looks
                log.exception("the standing of keys was not followed")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Note what has changed since the last look, tell of it, and try keys that are refused."""
        for account, state in self._keys.standings().items():
            due = state.refused is not None and self._is_due(account)
            # Noted again before each try: somebody may have stored other keys, which are refused as well.
            if due or state != self._noted.get(account):
                await self._note(account, state)
            if due:
                await self._try(account)
        await self._tell()

    async def _note(self, account: AccountRef, state: KeyState) -> None:
        known = self._noted.get(account)
        if state.refused is not None and (known is None or known.refused is None):
            log.error("the venue refuses the keys of an account", account=str(account), reason=state.refused)
        try:
            owner = await self._store.note(account.credentials, state)
        except StoreUnavailable:
            return  # until the next look
        self._noted[account] = state
        if owner is not None:
            self._untold.append(_notice(account, state, owner))

    def _is_due(self, account: AccountRef) -> bool:
        now = time.monotonic()
        due = now - self._tried.setdefault(account, now) >= _TRY_SECONDS
        if due:
            self._tried[account] = now
        return due

    async def _try(self, account: AccountRef) -> None:
        try:
            await self._keys.try_again(account)
        except SteadyhandError as error:
            log.info("keys tried again in vain", account=str(account), reason=str(error))

    async def _tell(self) -> None:
        if not self._untold:
            return
        try:
            await self._notifier.deliver(self._untold)
        except StoreUnavailable:
            return  # until the next look
        self._untold = []


def _notice(account: AccountRef, state: KeyState, owner: str) -> Notice:
    """Return the message; it is of the account, since all its bots have the same trouble."""
    name, now = account.credentials, datetime.now(UTC)
    refused = state.refused is not None
    advice = f"No entries until it accepts them; exits are tried. `credentials rotate {name}` brings other keys."
    return Notice(
        bot_id=f"account:{name}",
        owner_id=owner,
        n=int(now.timestamp() * 1_000_000),
        at=now,
        kind="account_refused" if refused else "account_accepted",
        severity="error" if refused else "info",
        title=f"{account}: the keys are {'refused' if refused else 'accepted again'}",
        text=f"{state.refused} {advice}" if refused else "Entries are made again.",
    )
