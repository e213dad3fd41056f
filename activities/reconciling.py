"""Reconciliation: while a live bot watches, its books are held against what its venue says, every few minutes."""

import asyncio

import structlog

from domain.errors import SteadyhandError
from domain.instruments import AccountRef
from domain.model import ZERO
from domain.orders import order_prefix
from domain.ports import Accounts
from domain.watch import WatchRequest

log = structlog.get_logger(__name__)

# The first comparison waits until the venue shows what the last order has changed.
_FIRST_SECONDS, _EVERY_SECONDS = 10.0, 300.0


class Reconciler:
    """Compares the books of bots with their accounts. It reads only."""

    def __init__(
        self, accounts: Accounts, *, first_seconds: float = _FIRST_SECONDS, every_seconds: float = _EVERY_SECONDS
    ) -> None:
        self._accounts = accounts
        self._first_seconds = first_seconds
        self._every_seconds = every_seconds

    async def difference(self, request: WatchRequest) -> str:
        """Wait until books and venue differ, and return how, in one sentence. Nothing is ordered meanwhile."""
        account = request.config.account
        if account is None:
            await asyncio.Event().wait()  # paper has no other side
            raise AssertionError("nobody sets the event")
        pause = self._first_seconds
        while True:
            await asyncio.sleep(pause)
            pause = self._every_seconds
            try:
                if found := await self._compare(request, account):
                    return found
            except SteadyhandError as error:
                log.warning("books not compared", bot_id=request.bot_id, reason=str(error))
            except Exception:  # what is read only must not end a watch
                log.exception("books not compared", bot_id=request.bot_id)

    async def _compare(self, request: WatchRequest, account: AccountRef) -> str | None:
        instrument, holding = request.instrument, request.book.holding
        prefix, known = order_prefix(request.uid), {order.client_order_id for order in request.resting}
        for order in await self._accounts.open_orders(account, instrument):
            name = order.report.client_order_id
            if name.startswith(prefix) and name not in known:
                return f"order {name} rests at {account.venue}, and the bot knows of none"
        if holding == ZERO:
            return None
        balance = (await self._accounts.view(account)).balances.get(instrument.base)
        there = balance.free + balance.locked if balance else ZERO
        if there < holding:
            return f"{account} holds {there:f} {instrument.base}, the books of this bot alone {holding:f}"
        return None
