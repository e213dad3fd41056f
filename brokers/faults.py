"""What an error of ccxt means: to the one who reads a venue, and to the one who has just sent it an order.

For a reader most errors are "try again later". For an order they are "nobody knows": look it up.
"""

import re
from collections.abc import Collection
from importlib import import_module
from typing import Any

from aiohttp import ClientConnectorError

from domain.errors import (
    AccountRefused,
    InsufficientBalance,
    NotSent,
    OrderRejected,
    OrderUncertain,
    SteadyhandError,
    VenueMisfit,
    VenueUnavailable,
)

# Seconds to leave an address alone that said "too many requests" without saying for how long.
_DEFAULT_PAUSE = 60.0
# Binance's code for keys that it does not accept. ccxt calls that a ban of the address once a key has worked.
_BINANCE_REFUSED_KEY = re.compile(r'"code":\s*-2015\b')
# How venues word that they know an order of this client id: proof of an order, whatever class ccxt makes of it.
_DUPLICATE = re.compile(r"duplicat|already exist", re.IGNORECASE)
# How venues word that an account may not trade one market, such as for want of a further identification.
_ONE_MARKET = re.compile(r"symbol|trading pair|innovation zone", re.IGNORECASE)
# What a signed address carries behind its path: key, time and signature.
_QUERY = re.compile(r"\?[^\s\"']*")


def is_venue_fault(error: BaseException) -> bool:
    """Return whether the error is ccxt's own, so that `read_fault` and `order_fault` can tell its meaning."""
    return isinstance(error, _errors().BaseError)


def is_outage(_kind: type[BaseException], error: BaseException) -> bool:
    """Return whether the venue did not answer, or not sensibly: what opens the circuit breaker of a venue."""
    errors = _errors()
    return isinstance(error, errors.OperationFailed) and not isinstance(
        error, (errors.DDoSProtection, errors.RateLimitExceeded, errors.InvalidNonce)
    )


def is_refused_key(error: BaseException) -> bool:
    """Return whether the venue refuses the keys of an account, whatever they ask for."""
    errors = _errors()
    if isinstance(error, errors.DDoSProtection):
        return _BINANCE_REFUSED_KEY.search(str(error)) is not None
    return isinstance(error, errors.AuthenticationError) and not _is_about_a_market(error)


def is_wrong_clock(error: BaseException) -> bool:
    """Return whether the venue finds the time of a request wrong."""
    return isinstance(error, _errors().InvalidNonce)


def is_no_such_order(error: BaseException) -> bool:
    """Return whether the venue says that it knows no such order."""
    return isinstance(error, _errors().OrderNotFound)


def bad_response(reason: str) -> Exception:
    """Return ccxt's error for an answer that cannot be read."""
    found: Exception = _errors().BadResponse(reason)
    return found


def read_fault(error: Exception, text: str, retry_after: float | None, *, private: bool = False) -> SteadyhandError:
    """Return the error of ours that says what the caller does about a failed read.

    Args:
        text: what to say of it, see `told`.
        retry_after: seconds that the venue asked for, if it did.
        private: the request was signed, so that a refusal concerns the account.
    """
    errors = _errors()
    # Subclasses first: BadSymbol is a BadRequest, DDoSProtection a NetworkError.
    if private and is_refused_key(error):
        return AccountRefused(text)
    if isinstance(error, errors.BadSymbol):
        return VenueMisfit("symbol", text)
    if isinstance(error, (errors.NotSupported, errors.AuthenticationError, errors.RestrictedLocation)):
        return VenueMisfit("data.data_source", text)
    if isinstance(error, (errors.DDoSProtection, errors.RateLimitExceeded)):
        return VenueUnavailable(text, retry_after=_DEFAULT_PAUSE if retry_after is None else retry_after)
    return VenueUnavailable(text, retry_after=retry_after)


def order_fault(error: Exception, text: str, retry_after: float | None, *, signed: bool) -> SteadyhandError:
    """Return the error of ours that says what has become of an order that could not be placed.

    Args:
        text: what to say of it, see `told`.
        retry_after: seconds that the venue asked for, if it did.
        signed: the request was signed, so that it may have left.
    """
    errors = _errors()
    if is_refused_key(error):
        return AccountRefused(text)
    if isinstance(error, (errors.DDoSProtection, errors.RateLimitExceeded)):
        return NotSent(text, retry_after=_DEFAULT_PAUSE if retry_after is None else retry_after)
    if not signed or _never_left(error) or isinstance(error, errors.InvalidNonce):
        # InvalidNonce is an answer: the order came too late, or too early, and was not accepted.
        return OrderRejected(text) if isinstance(error, _final()) else NotSent(text)
    if isinstance(error, _final()) and not _proves_nothing(error):
        return InsufficientBalance(text) if isinstance(error, errors.InsufficientFunds) else OrderRejected(text)
    return OrderUncertain(text)


def told(error: Exception, who: object, secrets: Collection[str] = ()) -> str:
    """Return one line: which kind of error, and what the venue said, shortened (some answer with a web page).

    Nothing that was signed is in it: neither the query of an address nor one of `secrets`.
    """
    said = _without(f"{error}", secrets)
    shortened = said if len(said) <= 200 else said[:199] + "…"
    cause = "" if error.__cause__ is None else f" ({_without(f'{error.__cause__}', secrets)})"
    return f"{who}: {type(error).__name__}: {shortened}{cause}"


def _without(said: str, secrets: Collection[str]) -> str:
    line = _QUERY.sub("?…", " ".join(said.split()))
    for secret in secrets:
        line = line.replace(secret, "…")
    return line


def _final() -> tuple[type[Exception], ...]:
    errors = _errors()
    return (
        errors.InsufficientFunds,
        errors.InvalidOrder,
        errors.BadRequest,
        errors.ArgumentsRequired,
        errors.NotSupported,
        errors.OperationRejected,
        errors.PermissionDenied,
    )


def _proves_nothing(error: Exception) -> bool:
    """Return whether a refusal leaves it open if the venue has the order: it says so itself, or it is no answer."""
    errors = _errors()
    if isinstance(error, (errors.DuplicateOrderId, errors.OrderNotFound)):
        return True
    return _DUPLICATE.search(str(error)) is not None


def _is_about_a_market(error: BaseException) -> bool:
    """Return whether an account may not trade this market, but others."""
    denied = isinstance(error, _errors().PermissionDenied)
    return denied and _ONE_MARKET.search(_QUERY.sub("", str(error))) is not None


def _never_left(error: Exception) -> bool:
    """Return whether a signed request has certainly not been sent: there was no connection to send it on."""
    errors = _errors()
    local = (errors.ExchangeClosedByUser, errors.InvalidProxySettings)
    return isinstance(error, local) or isinstance(error.__cause__, ClientConnectorError)


def _errors() -> Any:
    return import_module("ccxt.base.errors")
