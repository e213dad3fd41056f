"""Who sent a request, whether it was tampered with, and whether it comes in time."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl

from simulator import errors
from simulator.trading.accounts import Account, Accounts, Permission

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_SIGNATURE = re.compile(r"^signature=[^&]*&?|&signature=[^&]*")
_NUMBER = r"^[0-9]{1,20}$"
_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_AHEAD_MS = 1_000


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came: header, raw query string and raw body, nothing decoded."""

    key: str | None
    query: str
    body: str

    def values(self) -> Mapping[str, str]:
        """Return the parameters; those of the query win over those of the body."""
        pairs = [pair for part in (self.body, self.query) for pair in parse_qsl(part, keep_blank_values=True)]
        return dict(pairs)


def authenticate(accounts: Accounts, request: SignedRequest, permission: Permission, now: int) -> Account:
    """Return the account that a request is for.

    Args:
        now: the time of the venue at which it is about to be carried out: a request that was held up on its way
            is too late, whenever it was sent.

    Raises:
        VenueError: the key is unknown or may not do this, the signature is wrong, or the time is.
    """
    if request.key is None or not _KEY.fullmatch(request.key):
        raise errors.malformed_key()
    found = accounts.with_key(request.key)
    if found is None:
        raise errors.rejected_key()
    account, key = found
    values = request.values()
    signature = values.get("signature")
    if not signature:
        raise errors.mandatory_parameter("signature")
    _check_time(values, now)
    if not hmac.compare_digest(_sign(key.secret, request), signature.lower().encode()):
        raise errors.invalid_signature()
    if permission not in key.permissions:
        raise errors.rejected_key()
    return account


def _sign(secret: str, request: SignedRequest) -> bytes:
    """Return the HMAC of query and body, one after the other, without the signature itself."""
    payload = _SIGNATURE.sub("", request.query) + _SIGNATURE.sub("", request.body)
    return hmac.new(secret.encode(), payload.encode(), sha256).hexdigest().encode()


def _check_time(values: Mapping[str, str], now: int) -> None:
    timestamp = _number(values, "timestamp")
    window = _number(values, "recvWindow")
    if timestamp is None:
        raise errors.mandatory_parameter("timestamp")
    if window is not None and window > _LONGEST_WINDOW_MS:
        raise errors.receive_window_too_long()
    if timestamp >= now + _AHEAD_MS:
        raise errors.ahead_of_time()
    if now - timestamp > (_DEFAULT_WINDOW_MS if window is None else window):
        raise errors.outside_receive_window()


def _number(values: Mapping[str, str], name: str) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    if not re.fullmatch(_NUMBER, value, re.ASCII):
        raise errors.illegal_characters(name, _NUMBER)
    return int(value)
