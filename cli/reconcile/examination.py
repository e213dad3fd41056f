"""Asks both sides, and asks again before it calls anything a difference."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.service import RPCError

from brokers.ccxt_accounts import CcxtAccounts
from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from cli.bots.desk import Desk
from cli.credentials.ring import find_ring
from cli.credentials.vault import StoredKeys
from cli.output import CliError
from cli.reconcile.report import AccountReport, Report, differs, worst
from domain.account_sides import BotBooks, MarketOrders, VenueSide, live_books
from domain.errors import AccountRefused, VenueMisfit, VenueUnavailable
from domain.instruments import AccountRef
from domain.orders import order_prefix
from domain.reconciliation import Comparison, compare, lasting, of_bot, window_start
from domain.state import BotRow
from settings import Settings

# An order that is slow to end keeps its bot's journal waiting for two seconds.
_SECOND_LOOK_SECONDS = 3.0


async def examine(desk: Desk, bot_id: str | None, data_dir: Path | None) -> Report:
    """Compare both sides of all accounts that live bots trade, or of that of one bot.

    Raises:
        CliError: there is nothing to compare.
        UnknownBot: there is no such bot.
        StoreUnavailable: the database cannot be reached.
    """
    rows = await desk.store.bots.live()
    found = by_account(rows)
    begun = {each.bot_id for books in found.values() for each in books}
    if bot_id is not None and bot_id not in begun:
        raise CliError(_why_not(await desk.store.bots.get(bot_id)))
    if not found:
        raise CliError(_nothing_to_compare(rows))
    wanted = [account for account, books in found.items() if bot_id is None or bot_id in {b.bot_id for b in books}]
    vault = StoredKeys(desk.store.credentials, find_ring(desk.target, data_dir))
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    gateway = Gateway(vault=vault, budgets=settings.budgets_dir)
    try:
        examination = Examination(desk, gateway, bot_id)
        accounts = await asyncio.gather(*(examination.of(account, found[account]) for account in wanted))
    finally:
        await gateway.close()
    return Report(
        verdict=worst(account.verdict for account in accounts),
        accounts=tuple(accounts),
        not_begun=tuple(row.bot_id for row in rows if bot_id is None and row.bot_id not in begun),
    )


def by_account(rows: Sequence[BotRow]) -> dict[AccountRef, list[BotBooks]]:
    """Return the books of live bots by the account that they are of."""
    found: dict[AccountRef, list[BotBooks]] = {}
    for row in rows:
        if side := live_books(row):
            account, books = side
            found.setdefault(account, []).append(books)
    return found


@dataclass(frozen=True)
class Examination:
    """Asks the accounts of bots; all of each, or what concerns one bot."""

    desk: Desk
    gateway: Gateway
    bot_id: str | None

    async def of(self, account: AccountRef, books: Sequence[BotBooks]) -> AccountReport:
        """Compare both sides of an account, and once more where they differ."""
        waiting: dict[str, int | None] = {}
        bots = tuple(each.bot_id for each in books)
        try:
            comparison = await self._look(account, books)
            if comparison.differing:
                await asyncio.sleep(_SECOND_LOOK_SECONDS)
                books = by_account(await self.desk.store.bots.live()).get(account, [])
                comparison = lasting(comparison, await self._look(account, books))
        except (VenueUnavailable, VenueMisfit, AccountRefused) as error:
            return AccountReport(account=account, bots=bots, verdict="incomplete", trouble=str(error))
        if comparison.differing:
            waiting = await self._waiting([each.bot_id for each in books])
        return AccountReport(
            account=account,
            bots=bots,
            verdict="differ" if differs(comparison) else "agree",
            comparison=comparison,
            waiting=waiting,
        )

    async def _look(self, account: AccountRef, books: Sequence[BotBooks]) -> Comparison:
        own = next((each for each in books if each.bot_id == self.bot_id), None)
        venue = await self._venue_side(account, books, own)
        ids = [order.report.client_order_id for order in venue.orders.own]
        ids += [order.client_order_id for order in venue.orders.others if order.client_order_id]
        journal = await self.desk.store.reads.standings(ids=ids, uids=[each.uid for each in books])
        comparison = compare(books, journal, venue)
        return of_bot(comparison, own) if own else comparison

    async def _venue_side(self, account: AccountRef, books: Sequence[BotBooks], own: BotBooks | None) -> VenueSide:
        accounts = CcxtAccounts(self.gateway)
        now = await CcxtData(self.gateway, account.venue).fetch_time()
        prefixes = [order_prefix(each.uid) for each in books]
        markets = {each.instrument.symbol: each.instrument for each in ([own] if own else books)}
        found = [
            await accounts.market_orders(account, market, prefixes=prefixes, since=_since(books, symbol, now))
            for symbol, market in markets.items()
        ]
        orders = MarketOrders(
            own=tuple(order for each in found for order in each.own),
            others=tuple(order for each in found for order in each.others),
        )
        return VenueSide(now=now, balances=(await accounts.view(account)).balances, orders=orders)

    async def _waiting(self, bot_ids: Sequence[str]) -> dict[str, int | None]:
        try:
            await self.desk.client()
        except CliError:
            return dict.fromkeys(bot_ids)
        return dict(zip(bot_ids, await asyncio.gather(*map(self._journal_waiting, bot_ids)), strict=True))

    async def _journal_waiting(self, bot_id: str) -> int | None:
        try:
            status = await self.desk.status(bot_id)
        except RPCError:
            return None
        return status.journal_waiting if status else None


def _since(books: Sequence[BotBooks], symbol: str, now: int) -> int:
    return window_start([each for each in books if each.instrument.symbol == symbol], now)


def _nothing_to_compare(rows: Sequence[BotRow]) -> str:
    if not rows:
        return "no bot trades live; there is no other side"
    return f"no live bot has begun to trade, so there are no books yet: {', '.join(row.bot_id for row in rows)}"


def _why_not(row: BotRow) -> str:
    broker = row.config.get("broker")
    if isinstance(broker, dict) and broker.get("trading_mode") == "live":
        return f"{row.bot_id} has not begun to trade live; it has no books yet"
    return f"{row.bot_id} trades on paper; there is no other side"
