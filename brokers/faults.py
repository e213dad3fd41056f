"""What an error of ccxt means to the one who reads a venue: try again later, or mend the configuration.

This is the reading side only. For an order, most of what is "try again" here means "nobody knows": look it up.
"""

from importlib import import_module
from typing import Any

from domain.errors import SteadyhandError, VenueMisfit, VenueUnavailable

# Seconds to leave an address alone that said "too many requests" without saying for how long.
_DEFAULT_PAUSE = 60.0


def is_venue_fault(error: BaseException) -> bool:
    """Return whether the error is ccxt's own, so that `translated` can tell its meaning."""
    return isinstance(error, _errors().BaseError)


def bad_response(reason: str) -> Exception:
    """Return ccxt's error for an answer that cannot be read."""
    found: Exception = _errors().BadResponse(reason)
    return found


def translated(error: Exception, venue: str, retry_after: float | None) -> SteadyhandError:
    """Return the error of ours that says what the caller does about a failed read.

    Args:
        retry_after: seconds that the venue asked for, if it did.
    """
    errors = _errors()
    text = _told(error, venue)
    # Subclasses first: BadSymbol is a BadRequest, DDoSProtection a NetworkError.
    if isinstance(error, errors.BadSymbol):
        return VenueMisfit("symbol", text)
    if isinstance(error, (errors.NotSupported, errors.AuthenticationError, errors.RestrictedLocation)):
        return VenueMisfit("data.data_source", text)
    if isinstance(error, (errors.DDoSProtection, errors.RateLimitExceeded)):
        return VenueUnavailable(text, retry_after=_DEFAULT_PAUSE if retry_after is None else retry_after)
    return VenueUnavailable(text, retry_after=retry_after)


def _told(error: Exception, venue: str) -> str:
    """Return one line: which kind of error, and what the venue said, shortened (some answer with a web page)."""
    said = " ".join(str(error).split())
    cause = "" if error.__cause__ is None else f" ({error.__cause__})"
    shortened = said if len(said) <= 200 else said[:199] + "…"
    return f"{venue}: {type(error).__name__}: {shortened}{cause}"


def _errors() -> Any:
    return import_module("ccxt.base.errors")
