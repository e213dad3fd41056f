"""An account at an exchange, for one bot: are its keys accepted, what may they do, and is there enough in it?"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from brokers.ccxt_accounts import CcxtAccounts
from brokers.gateway import Gateway
from cli.checks.check import Check, fail, ok, warn
from cli.checks.trading import WAIT
from domain.accounts import AccountView, Balance
from domain.config import BotConfig
from domain.credentials import Vault
from domain.errors import AccountRefused, CannotDecrypt, SteadyhandError, UnknownCredentials
from domain.instruments import AccountRef, Instrument
from domain.model import ZERO
from domain.positions import Book
from domain.state import BotRow
from risk.allotment import allotment_problem

_NOTHING = Balance(free=ZERO, locked=ZERO)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bot counts on in its account.

    Attributes:
        book: what its books say that it has.
        sharing: the enabled live bots with the same keys, oldest first.
    """

    config: BotConfig
    instrument: Instrument
    book: Book
    sharing: Sequence[BotRow]


async def check_account(account: AccountRef, claim: Claim, gateway: Gateway, vault: Vault) -> AsyncIterator[Check]:
    """Judge an account; keys that do not open it leave the rest out."""
    keys = await _check_keys(account, vault)
    yield keys
    if keys.verdict == "fail":
        return
    try:
        view = await CcxtAccounts(gateway).view(account)
    except AccountRefused as error:
        mend = (
            "look at the key at the exchange: is it active, for spot, and allowed from this machine's address? If it "
            f"is another one by now: python starter.py credentials rotate {account.credentials} --key KEY"
        )
        yield fail("account", str(error), mend)
    except SteadyhandError as error:
        yield fail("account", str(error), WAIT)
    else:
        yield _check_trading_right(view)
        yield _check_withdrawals(view)
        yield _check_quote(view, claim)
        yield _check_base(view, claim)


async def _check_keys(account: AccountRef, vault: Vault) -> Check:
    name, credentials, venue = "keys", account.credentials, account.venue.name
    try:
        found = await vault.get(credentials)
    except UnknownCredentials as error:
        add = f"python starter.py credentials add {credentials} --venue {venue} --key KEY"
        return fail(name, str(error), f"store them: {add}")
    except CannotDecrypt as error:
        return fail(name, str(error), "docs/credentials.md says where the keys that encrypt them are kept")
    if found.venue != venue:
        wrong = f"{credentials} are for {found.venue}, the bot trades at {venue}"
        return fail(name, wrong, "correct broker.credentials")
    return ok(name, f"{credentials}, {found.hint}")


def _check_trading_right(view: AccountView) -> Check:
    name = "right to trade"
    if view.may_trade is False:
        return fail(name, "the key may read only", "allow it spot trading at the exchange, and nothing beyond")
    return ok(name, "yes" if view.may_trade else "the exchange accepts the key, and does not say what it may do")


def _check_withdrawals(view: AccountView) -> Check:
    name = "right to withdraw"
    if view.may_withdraw is False:
        return ok(name, "no")
    if view.may_withdraw is None:
        return warn(name, "the exchange does not say", "make sure there that the key may not withdraw")
    return warn(name, "yes: who gets hold of the key can empty the account", "take that right away at the exchange")


def _check_quote(view: AccountView, claim: Claim) -> Check:
    quote, own = claim.instrument.quote, claim.book.cash
    name, balance = f"balance {quote}", view.balances.get(quote, _NOTHING)
    there = (balance.free + balance.locked).normalize()
    found = f"{balance.free.normalize():f} {quote} free; the bot may spend {own.normalize():f}"
    mend = f"pay in {quote}, or lower broker.cash"
    if balance.free < own:
        return fail(name, found, mend)
    if problem := allotment_problem(claim.config, claim.instrument, claim.sharing, there):
        return fail(name, problem, mend)
    return ok(name, found)


def _check_base(view: AccountView, claim: Claim) -> Check:
    base, booked = claim.instrument.base, claim.book.holding
    name, balance = f"balance {base}", view.balances.get(base, _NOTHING)
    held = balance.free + balance.locked
    found = f"{held.normalize():f} {base} there; the bot's books hold {booked.normalize():f}"
    if held < booked:
        return fail(name, found, "docs/alarms.md says what to do when books and exchange differ")
    return ok(name, found)
