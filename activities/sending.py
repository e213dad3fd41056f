"""How an order is sent exactly once: look it up, be sure that it is absent, and only then sign it, within a window.

An attempt that is cut short (its process killed or frozen, its answer lost) leaves it open whether the order has
arrived. The next attempt therefore looks first; and where an earlier one may have sent, it waits until that request is
certainly refused by the venue as too late, and looks twice more. A frozen process that wakes up finds
its window closed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.errors import NotSent, OrderUncertain
from domain.orders import OrderReport, OrderRequest
from domain.ports import Broker, OrderHabits, SendWindow

# A venue can take a moment until an order that it has accepted can be found.
_BETWEEN_LOOKS = 1.0
# Evidence of a venue that finds no order by its id is asked for again for so long before a person is called.
_EVIDENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send, in seconds of this machine's wall clock.

    Attributes:
        started: when it began; the windows of all earlier attempts had opened before that.
        closes: nothing is signed after it.
        first: no earlier attempt can have sent the order.
        wary: a life that history forgot may have sent it a moment ago.
    """

    started: float
    closes: float
    first: bool
    wary: bool = False


class Unresolved(OrderUncertain):
    """The order may have been sent and may still arrive, but the venue shows none: only a person can tell."""


async def known_or_window(
    broker: Broker,
    request: OrderRequest,
    attempt: Attempt,
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> OrderReport | SendWindow:
    """Return what the venue knows of the order, or the window in which it may be sent.

    Raises:
        Unresolved: see there.
        NotSent: it may have been sent a moment ago, and the venue cannot be asked for it: not now.
        OrderMismatch: the venue knows another order under this id.
        VenueUnavailable: the venue does not answer.
    """
    known = await broker.find(request)
    if known is None and (attempt.wary or not attempt.first):
        known = await _look_again(broker, request, await broker.habits(request), attempt, now=now, sleep=sleep)
    return known or SendWindow(opened=now(), closes=attempt.closes)


async def _look_again(
    broker: Broker,
    request: OrderRequest,
    habits: OrderHabits,
    attempt: Attempt,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> OrderReport | None:
    """Look until the order is found, or certainly absent."""
    late_after = habits.late_after if habits.finds else None
    if late_after is None and attempt.first:
        raise NotSent("the bot has just begun anew, and its last orders cannot be looked up at this venue")
    settled = attempt.started + (_EVIDENCE_SECONDS if late_after is None else late_after)
    await sleep(max(settled - now(), 0.0))
    for pause in (0.0, _BETWEEN_LOOKS):
        await sleep(pause)
        if (known := await broker.find(request)) is not None:
            return known
    if late_after is None:
        raise Unresolved(f"{request.instrument.venue} shows no order {request.intent.client_order_id}, but may have it")
    return None
