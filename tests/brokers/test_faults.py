"""The table of errors: every class of ccxt that a venue's answer can become, and what it means."""

import socket
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from ccxt.base import errors

from brokers.faults import is_outage, is_refused_key, order_fault, read_fault, told
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

SECRET = "s3cret-of-main"

PLACING: list[tuple[type[Exception], type[SteadyhandError]]] = [
    (errors.RequestTimeout, OrderUncertain),
    (errors.NetworkError, OrderUncertain),
    (errors.ExchangeNotAvailable, OrderUncertain),
    (errors.OnMaintenance, OrderUncertain),
    (errors.BadResponse, OrderUncertain),
    (errors.NullResponse, OrderUncertain),
    (errors.OperationFailed, OrderUncertain),
    (errors.CancelPending, OrderUncertain),
    (errors.ExchangeError, OrderUncertain),
    (errors.InvalidAddress, OrderUncertain),
    (errors.OrderNotFound, OrderUncertain),
    (errors.DuplicateOrderId, OrderUncertain),
    (errors.DDoSProtection, NotSent),
    (errors.RateLimitExceeded, NotSent),
    (errors.InvalidNonce, NotSent),
    (errors.ExchangeClosedByUser, NotSent),
    (errors.InvalidProxySettings, NotSent),
    (errors.InsufficientFunds, InsufficientBalance),
    (errors.InvalidOrder, OrderRejected),
    (errors.OrderImmediatelyFillable, OrderRejected),
    (errors.OrderNotFillable, OrderRejected),
    (errors.ContractUnavailable, OrderRejected),
    (errors.BadSymbol, OrderRejected),
    (errors.BadRequest, OrderRejected),
    (errors.ArgumentsRequired, OrderRejected),
    (errors.NotSupported, OrderRejected),
    (errors.OperationRejected, OrderRejected),
    (errors.MarketClosed, OrderRejected),
    (errors.ManualInteractionNeeded, OrderRejected),
    (errors.RestrictedLocation, OrderRejected),
    (errors.AuthenticationError, AccountRefused),
    (errors.PermissionDenied, AccountRefused),
    (errors.AccountNotEnabled, AccountRefused),
    (errors.AccountSuspended, AccountRefused),
]

READING: list[tuple[type[Exception], type[SteadyhandError]]] = [
    (errors.RequestTimeout, VenueUnavailable),
    (errors.NetworkError, VenueUnavailable),
    (errors.ExchangeNotAvailable, VenueUnavailable),
    (errors.OnMaintenance, VenueUnavailable),
    (errors.BadResponse, VenueUnavailable),
    (errors.NullResponse, VenueUnavailable),
    (errors.OperationFailed, VenueUnavailable),
    (errors.ExchangeError, VenueUnavailable),
    (errors.OrderNotFound, VenueUnavailable),
    (errors.InvalidOrder, VenueUnavailable),
    (errors.InvalidNonce, VenueUnavailable),
    (errors.DDoSProtection, VenueUnavailable),
    (errors.RateLimitExceeded, VenueUnavailable),
    (errors.BadSymbol, VenueMisfit),
    (errors.NotSupported, VenueMisfit),
    (errors.RestrictedLocation, VenueMisfit),
    (errors.AuthenticationError, AccountRefused),
    (errors.PermissionDenied, AccountRefused),
    (errors.AccountSuspended, AccountRefused),
]


def name_of(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("kind", "meaning"), PLACING, ids=name_of)
def test_an_order_that_fails_means(kind: type[Exception], meaning: type[SteadyhandError]) -> None:
    assert type(order_fault(kind("binance said so"), "why", None, signed=True)) is meaning


@pytest.mark.parametrize(
    "said",
    [
        'binance {"code":-2010,"msg":"This symbol is not permitted for this account."}',
        'kucoin {"code":"126005","msg":"This trading pair requires advanced KYC certification before trading"}',
    ],
)
def test_a_market_that_an_account_may_not_trade_is_no_refusal_of_its_keys(said: str) -> None:
    error = errors.PermissionDenied(said)
    assert not is_refused_key(error)
    assert type(order_fault(error, "why", None, signed=True)) is OrderRejected


def test_the_symbol_in_the_address_of_a_request_says_nothing() -> None:
    said = "binance GET https://api.binance.com/api/v3/order?symbol=BTCUSDT 403 Forbidden"
    assert is_refused_key(errors.PermissionDenied(said))


@pytest.mark.parametrize(("kind", "meaning"), READING, ids=name_of)
def test_a_signed_read_that_fails_means(kind: type[Exception], meaning: type[SteadyhandError]) -> None:
    assert type(read_fault(kind("binance said so"), "why", None, private=True)) is meaning


@pytest.mark.parametrize("kind", [kind for kind, meaning in PLACING if meaning is OrderUncertain], ids=name_of)
def test_what_failed_before_it_was_signed_is_never_uncertain(kind: type[Exception]) -> None:
    meaning = order_fault(kind("before"), "why", None, signed=False)
    assert isinstance(meaning, (NotSent, OrderRejected))


def test_every_class_of_ccxt_is_in_the_table() -> None:
    """Those that are not concern withdrawals, margin, websockets or ccxt's own inner life."""
    elsewhere = {
        errors.BaseError, errors.NoChange, errors.MarginModeAlreadySet, errors.AddressPending, errors.OrderNotCached,
        errors.ChecksumError, errors.UnsubscribeError,
    }  # fmt: skip
    known = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.BaseError)}
    assert known - elsewhere == {kind for kind, _ in PLACING}


@pytest.mark.parametrize("kind", [errors.InvalidOrder, errors.BadRequest, errors.ExchangeError], ids=name_of)
@pytest.mark.parametrize("words", ["Duplicate order sent.", "duplicate clOrdId", "Client order ID already exists."])
def test_a_refusal_as_a_duplicate_proves_an_order_and_is_none(kind: type[Exception], words: str) -> None:
    assert type(order_fault(kind(f"venue {words}"), "why", None, signed=True)) is OrderUncertain


def test_a_connection_that_was_never_made_has_carried_nothing() -> None:
    key = ConnectionKey("127.0.0.1", 9, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
    refused = aiohttp.ClientConnectorError(key, OSError(111, "Connect call failed"))
    assert type(order_fault(caused(errors.ExchangeNotAvailable("x"), refused), "why", None, signed=True)) is NotSent


@pytest.mark.parametrize("cause", [aiohttp.ServerDisconnectedError(), TimeoutError(), socket.gaierror()])
def test_a_connection_that_broke_may_have_carried_the_order(cause: Exception) -> None:
    assert type(order_fault(caused(errors.ExchangeNotAvailable("x"), cause), "why", None, signed=True)) is (
        OrderUncertain
    )


@pytest.mark.parametrize("kind", [errors.DDoSProtection, errors.RateLimitExceeded], ids=name_of)
def test_too_many_requests_say_when_to_come_back(kind: type[Exception]) -> None:
    for asked, expected in ((7.0, 7.0), (None, 60.0)):
        for meaning in (order_fault(kind("x"), "why", asked, signed=True), read_fault(kind("x"), "why", asked)):
            assert isinstance(meaning, VenueUnavailable)
            assert meaning.retry_after == expected


def test_a_key_that_binance_refuses_is_no_ban_of_the_address() -> None:
    """Once a key has worked, ccxt takes the code -2015 for a ban: one revoked key would silence every account."""
    error = errors.DDoSProtection('binance {"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}')
    assert type(order_fault(error, "why", None, signed=True)) is AccountRefused
    assert type(read_fault(error, "why", None, private=True)) is AccountRefused
    assert is_refused_key(error)
    assert not is_outage(type(error), error)


@pytest.mark.parametrize(
    ("kind", "outage"),
    [(errors.RequestTimeout, True), (errors.ExchangeNotAvailable, True), (errors.OperationFailed, True),
     (errors.BadResponse, True), (errors.DDoSProtection, False), (errors.RateLimitExceeded, False),
     (errors.InvalidNonce, False), (errors.InvalidOrder, False), (errors.AuthenticationError, False)],
    ids=name_of,
)  # fmt: skip
def test_an_outage_is_silence_and_not_a_refusal(kind: type[Exception], outage: bool) -> None:
    assert is_outage(kind, kind("x")) is outage


def test_what_is_told_holds_neither_keys_nor_signatures_nor_pages() -> None:
    signed = (
        f"binance GET https://api.binance.com/api/v3/order?apiKey={SECRET}&signature=abc123 500 {SECRET} " + "x" * 500
    )
    line = told(caused(errors.ExchangeNotAvailable(signed), OSError(f"at {SECRET}?signature=abc123")), "us", [SECRET])
    assert line.startswith("us: ExchangeNotAvailable: binance GET https://api.binance.com/api/v3/order?… 500")
    assert SECRET not in line
    assert "abc123" not in line
    assert len(line) < 300
