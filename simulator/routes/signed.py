"""Requests that are signed: from HTTP to an account and its parameters."""

from dataclasses import dataclass

from aiohttp import web

from simulator.conditions import Conditions, conditions_of
from simulator.routes.params import Params
from simulator.trading.accounts import Account, Permission
from simulator.trading.desk import Desk
from simulator.trading.signing import SignedRequest, authenticate


@dataclass(frozen=True)
class Call:
    """A request that was found to be in order."""

    account: Account
    params: Params
    conditions: Conditions


async def signed(request: web.Request, desk: Desk, permission: Permission) -> Call:
    """Return what somebody may ask of the venue, judged at this moment.

    Raises:
        VenueError: the key, the signature or the time is wrong.
    """
    query = request.raw_path.partition("?")[2]
    body = (await request.read()).decode(errors="replace")
    sent = SignedRequest(request.headers.get("X-MBX-APIKEY"), query, body)
    conditions = conditions_of(request)
    # Asked for after the last wait: what was held up on its way here is late.
    now = desk.exchange.clock.now_ms() + conditions.skew_ms
    account = authenticate(desk.accounts, sent, permission, now)
    params = Params(sent.values())
    for name in ("timestamp", "recvWindow", "signature"):
        params.text(name)
    return Call(account, params, conditions)
