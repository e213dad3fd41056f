"""What `reconcile` has found: the document behind both forms of its output."""

from collections.abc import Iterable, Mapping
from typing import Literal

from domain.instruments import AccountRef
from domain.model import Model
from domain.reconciliation import Comparison

Outcome = Literal["agree", "differ", "incomplete"]


class AccountReport(Model):
    """One account.

    Attributes:
        bots: whose books were compared.
        comparison: None when the account could not be asked; `trouble` says why.
        waiting: where the sides differ, how many journal entries of each bot are not in the database yet; None: no
            worker answers for the bot.
    """

    account: AccountRef
    bots: tuple[str, ...]
    verdict: Outcome
    comparison: Comparison | None = None
    trouble: str | None = None
    waiting: Mapping[str, int | None] = {}


class Report(Model):
    """All accounts that were asked for.

    Attributes:
        not_begun: bots that are to trade live, and have no books of an account yet.
    """

    verdict: Outcome
    accounts: tuple[AccountReport, ...]
    not_begun: tuple[str, ...] = ()


def differs(comparison: Comparison) -> bool:
    """Return whether a person should look."""
    return bool(comparison.differing or comparison.questions)


def worst(verdicts: Iterable[Outcome]) -> Outcome:
    """Return the verdict on all: what could not be looked at may hide anything."""
    found = set(verdicts)
    return "incomplete" if "incomplete" in found else "differ" if "differ" in found else "agree"
