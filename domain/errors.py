"""The errors that cross a port, each saying what the caller does.

    SteadyhandError
    ├── VenueUnavailable      try again, not before `retry_after` seconds
    ├── VenueMisfit           a person must change the configuration: unknown symbol, interval or venue
    ├── OrderRejected         final: the same order would be refused again
    ├── UnknownBot            there is no such row
    ├── UnknownCredentials    a person must add them, or correct the name
    ├── CannotDecrypt         a person must bring the key back, or store the credentials again
    └── StoreUnavailable      the database is away: wait, trading goes on

`InvalidConfig` (domain/config_errors.py) carries every problem of a configuration at once.
"""


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


class UnknownBot(SteadyhandError):
    """No row of that id exists."""


class UnknownCredentials(SteadyhandError):
    """No credentials of that name are stored."""


class CannotDecrypt(SteadyhandError):
    """No key of this process opens the credentials; the message says which key would, never what is in them."""


class StoreUnavailable(SteadyhandError):
    """The database cannot be reached now."""
