"""The exchanges: do they answer, is our clock theirs, and do they list markets?"""

import time
from collections.abc import AsyncIterator, Iterable

from brokers.addresses import is_loopback
from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from cli.checks.check import Check, fail, ok, warn
from cli.plugged import validate
from cli.store import open_store
from cli.target import Target
from domain.config_errors import InvalidConfig
from domain.errors import SteadyhandError, VenueMisfit
from domain.instruments import VenueRef

_SKEW_MS = 1_000


async def venues_of_bots(target: Target) -> set[VenueRef]:
    """Return the venues that enabled bots trade by; none while the database does not say."""
    found: set[VenueRef] = set()
    async with open_store(target) as store:
        for row in await store.bots.all_enabled():
            try:
                config = validate(row.config)
            except InvalidConfig:
                continue
            found.add(config.venue)
    return found


async def check_venues(venues: Iterable[VenueRef]) -> AsyncIterator[Check]:
    """Judge exchanges, by asking each for its time and its markets."""
    gateway = Gateway()
    try:
        for venue in sorted(venues, key=str):
            yield await _check(gateway, venue)
    finally:
        await gateway.close()


async def _check(gateway: Gateway, venue: VenueRef) -> Check:
    name = f"exchange {venue.name}"
    try:
        client = await gateway.client(venue)
        data = CcxtData(gateway, venue)
        before = time.time()
        venue_ms = await data.fetch_time()
        offset = venue_ms - (before + time.time()) / 2 * 1000
        markets = await client.markets()
    except VenueMisfit as error:
        return fail(name, str(error), "correct the configuration of the bots that name it")
    except SteadyhandError as error:
        return fail(name, str(error), "check the network and the exchange's status; bots wait for it by themselves")
    place = f"{venue.base_url}, " if venue.base_url else ""
    found = f"{place}{len(markets)} spot markets, its clock {offset:+.0f} ms from ours"
    if abs(offset) > _SKEW_MS and not is_loopback(venue.base_url):
        return warn(name, found, "set this machine's clock by NTP")
    return ok(name, found)
