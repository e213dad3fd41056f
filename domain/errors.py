"""The errors that cross a port, each saying what the caller does.

    SteadyhandError
    ├── VenueUnavailable      try again, not before `retry_after` seconds
    │   └── NotSent           the order has certainly not been accepted: try again
    ├── VenueMisfit           a person must change the configuration: unknown symbol, interval or venue
    ├── OrderRejected         final: the same order would be refused again
    │   └── InsufficientBalance   so would it, but one of what is `free` would not
    ├── OrderUncertain        the venue may have the order or not: look it up, never send it anew before that
    ├── OrderMismatch         another order stands under this id: a person must look
    ├── AccountRefused        the venue refuses the account's keys: stop all bots of the account, tell a person
    ├── UnknownBot            there is no such row
    ├── UnknownCredentials    a person must add them, or correct the name
    ├── CannotDecrypt         a person must bring the key back, or store the credentials again
    └── StoreUnavailable      the database is away, or takes nothing: wait, trading goes on

`InvalidConfig` (domain/config_errors.py) carries every problem of a configuration at once.
"""

from decimal import Decimal


class SteadyhandError(Exception):
    """Base of all errors that Steadyhand itself raises across a port."""


class VenueUnavailable(SteadyhandError):
    """The venue did not answer, or asked to be left alone for a while.

    Args:
        retry_after: seconds to wait, as the venue asked; None when it said nothing.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotSent(VenueUnavailable):
    """An order has certainly not been accepted.

    It has not left this process (the breaker is open, the budget is spent, its window is over), or the venue has turned
    it away without judging it (too many requests, too late by the venue's clock).
    """


class VenueMisfit(SteadyhandError):
    """The venue has no such symbol, interval or market; or there is no such venue.

    Args:
        path: dotted path of the configuration key that a person must change.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.reason = message


class OrderRejected(SteadyhandError):
    """The broker refused an order for good; the message says why."""


class InsufficientBalance(OrderRejected):
    """The account has not got what the order would spend.

    Args:
        free: what it has of that currency and no open order holds back; None while that is not known.
    """

    def __init__(self, message: str, *, free: Decimal | None = None) -> None:
        super().__init__(message)
        self.free = free


class OrderUncertain(SteadyhandError):
    """The venue may have accepted an order or not; the message says what happened. Only a look-up tells."""


class OrderMismatch(SteadyhandError):
    """The venue knows another order under this client order id: of another side, symbol or quantity."""


class AccountRefused(SteadyhandError):
    """The venue refuses the keys of an account, or what they ask for; the message says which."""


class UnknownBot(SteadyhandError):
    """No row of that id exists."""


class UnknownCredentials(SteadyhandError):
    """No credentials of that name are stored."""


class CannotDecrypt(SteadyhandError):
    """No key of this process opens the credentials; the message says which key would, never what is in them."""


class StoreUnavailable(SteadyhandError):
    """The database cannot be reached now, or refuses to write."""
