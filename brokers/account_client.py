"""A client with the keys of one account: what it signs is in time, and once."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from brokers.ccxt_types import Exchange
from brokers.client import CcxtClient, VenueClient
from brokers.clock import VenueTime
from brokers.faults import is_refused_key, is_venue_fault, is_wrong_clock, order_fault
from brokers.habits import VenueHabits
from brokers.key_standing import KeyStanding
from domain.credentials import Credentials
from domain.errors import AccountRefused, NotSent, OrderUncertain, SteadyhandError, VenueUnavailable
from domain.instruments import AccountRef
from domain.ports import SendWindow

T = TypeVar("T")


@dataclass
class Sending:
    """The order that the running task sends.

    Attributes:
        signed: the request was signed, so it may have left since.
    """

    window: SendWindow
    signed: bool = False


_sending: ContextVar[Sending | None] = ContextVar("sending", default=None)


class AccountClient(CcxtClient):
    """Asks and orders in the name of an account. Its own clock is the venue's."""

    _private = True

    def __init__(
        self,
        account: AccountRef,
        exchange: Exchange,
        public: VenueClient,
        *,
        habits: VenueHabits,
        clock: VenueTime,
        credentials: Credentials,
    ) -> None:
        super().__init__(exchange, public.access, who=account, secrets=_values(credentials))
        self.account = account
        self.habits = habits
        self.clock = clock
        self.credentials = credentials
        self._public = public
        self.keys = KeyStanding()
        self._signing_ms: int | None = None
        # ccxt waits for its turn before it signs: only there is it known when a request leaves.
        self._told_sign = exchange.sign
        exchange.sign = self._sign
        exchange.milliseconds = self._milliseconds
        exchange.seconds = lambda: self._milliseconds() // 1000

    async def ready(self) -> None:
        """Return once markets and the venue's clock are known.

        Raises:
            VenueUnavailable: they are not, and the venue does not answer.
        """
        await self._public.markets()
        if self._exchange.markets is not self._public.exchange.markets:
            self._exchange.set_markets_from_exchange(self._public.exchange)
        await self.clock.ready()

    async def call(self, request: Callable[[Exchange], Awaitable[T]], *, urgent: bool = False) -> T:
        """Make one request that changes nothing; see `CcxtClient.call`."""
        if reason := self.keys.rests(order=False):
            raise AccountRefused(reason)
        return await super().call(request, urgent=urgent)

    async def send(self, request: Callable[[Exchange], Awaitable[T]], window: SendWindow) -> T:
        """Make the one request that places an order.

        Raises:
            NotSent, OrderRejected, OrderUncertain, AccountRefused: see `Broker.submit`.
        """
        self._check_admission()
        sending = Sending(window)
        before = _sending.set(sending)
        try:
            return await self._ask(request)
        except SteadyhandError:
            raise
        except Exception as error:
            if not (sending.signed or is_venue_fault(error)):
                raise
            meaning = self._order_meaning(error, sending)
        finally:
            _sending.reset(before)
        raise meaning

    async def _ask(self, request: Callable[[Exchange], Awaitable[T]]) -> T:
        sending = _sending.get()
        try:
            answer = await super()._ask(request)
        except Exception as error:
            if is_refused_key(error):
                self.keys.refuse(self._told(error), order=sending is not None and sending.signed)
            raise
        self.keys.accept(order=sending is not None and sending.signed)
        return answer

    def _meaning(self, error: Exception) -> SteadyhandError:
        if is_wrong_clock(error):
            self.clock.suspect()
        return super()._meaning(error)

    def _order_meaning(self, error: Exception, sending: Sending) -> SteadyhandError:
        if not is_venue_fault(error):
            # ccxt stumbles over an answer that it did not expect, after the venue has accepted the order.
            return OrderUncertain(self._told(error))
        if is_wrong_clock(error):
            self.clock.suspect()
        meaning = order_fault(error, self._told(error), self.access.retry_after, signed=sending.signed)
        self._heed(meaning)
        return meaning

    def _check_admission(self) -> None:
        if reason := self.keys.rests(order=True):
            raise NotSent(reason)
        try:
            self.access.admit(urgent=True)
        except VenueUnavailable as error:
            raise NotSent(str(error), retry_after=error.retry_after) from None

    def _sign(
        self, path: str, api: Any = "public", method: str = "GET", params: Mapping[str, Any] | None = None
    ) -> Any:
        """Sign a request; an order only while its window is open, and as of the moment at which that opened."""
        sending = _sending.get()
        # What else ccxt asks on the way to an order, such as the kind of account, is read.
        if sending is None or method == "GET":
            return self._told_sign(path, api, method, params or {})
        self._check_window(sending.window)
        signed = self._sign_as_of(sending.window.opened, path, api, method, params or {})
        sending.signed = True
        return signed

    def _check_window(self, window: SendWindow) -> None:
        if (late := time.time() - window.closes) > 0:
            raise NotSent(f"{self.account}: the window of the order closed {late:.1f} s ago")
        if reason := self.clock.refusal():
            self.clock.suspect()
            raise NotSent(f"{self.account}: {reason}")

    def _sign_as_of(self, opened: float, path: str, api: Any, method: str, params: Mapping[str, Any]) -> Any:
        if self.habits.deadline is None:
            return self._told_sign(path, api, method, params)
        self._signing_ms = self.clock.venue_ms(opened)
        try:
            signed = self._told_sign(path, api, method, params)
            if self.habits.deadline_header is not None:
                deadline = self._signing_ms + int(self.habits.deadline * 1000)
                signed["headers"][self.habits.deadline_header] = str(deadline)
        finally:
            self._signing_ms = None
        return signed

    def _milliseconds(self) -> int:
        return self.clock.venue_ms(time.time()) if self._signing_ms is None else self._signing_ms


def _values(credentials: Credentials) -> list[str]:
    found = (credentials.api_key, credentials.secret, credentials.passphrase)
    return [value.get_secret_value() for value in found if value is not None]
