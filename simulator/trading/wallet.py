"""The balances of an account, and the postings that they are the sum of."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from simulator.errors import insufficient_balance
from simulator.trading.money import ZERO


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has of one asset. `locked` is held for open orders."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one balance, and why."""

    moment: int
    cause: str
    asset: str
    free: Decimal
    locked: Decimal


class Wallet:
    """Balances that never go below zero and that change by postings only."""

    def __init__(self) -> None:
        self._balances: dict[str, Balance] = {}
        self._postings: list[Posting] = []

    @property
    def postings(self) -> list[Posting]:
        """Every change so far, oldest first."""
        return list(self._postings)

    @property
    def balances(self) -> Mapping[str, Balance]:
        """What there is of each asset that was ever there."""
        return dict(self._balances)

    def free(self, asset: str) -> Decimal:
        """Return what may be spent."""
        return self._balances.get(asset, Balance()).free

    def post(self, moment: int, cause: str, asset: str, *, free: Decimal = ZERO, locked: Decimal = ZERO) -> None:
        """Add to a balance; negative amounts take away.

        Raises:
            VenueError: there is not so much.
        """
        before = self._balances.get(asset, Balance())
        after = Balance(before.free + free, before.locked + locked)
        if after.free < 0 or after.locked < 0:
            raise insufficient_balance()
        self._balances[asset] = after
        self._postings.append(Posting(moment, cause, asset, free, locked))

    def lock(self, moment: int, cause: str, asset: str, quantity: Decimal) -> None:
        """Hold a part of what is free; a negative quantity frees it again.

        Raises:
            VenueError: there is not so much.
        """
        if quantity:
            self.post(moment, cause, asset, free=-quantity, locked=quantity)
