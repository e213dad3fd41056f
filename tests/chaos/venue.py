"""The simulated exchange of a chaos run, as its conductor speaks to it: accounts, faults, and the ledger."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.chaos.faults import Tally
from tests.chaos.ledger import Ledger

_TIMEOUT = aiohttp.ClientTimeout(total=20)


class Venue:
    """A client of the simulator's own endpoints, which no fault concerns. Leave its context to close it."""

    def __init__(self, url: str) -> None:
        self._session = aiohttp.ClientSession(url, timeout=_TIMEOUT, raise_for_status=True)
        self.tally = Tally()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def open_account(self, account: dict[str, Any]) -> None:
        """Open an account."""
        await self._session.post("/sim/accounts", json=account)

    async def set_faults(self, faults: Sequence[dict[str, Any]]) -> None:
        """Set these faults instead of those before, whose count goes into the tally."""
        async with self._session.get("/sim/faults") as answer:
            self.tally.add(await answer.json())
        await self._session.put("/sim/faults", json=list(faults))

    async def ledger(self) -> Ledger:
        """Return what was really accepted."""
        async with self._session.get("/ledger") as answer:
            return Ledger.model_validate_json(await answer.read())
