"""The market of a bot and the exchange's clock, as its orders will meet them."""

from dataclasses import dataclass

from brokers.ccxt_data import CcxtData
from brokers.clock import VenueTime
from brokers.gateway import Gateway
from brokers.habits import VenueHabits, habits_of
from cli.checks.check import Check, fail, ok, warn
from domain.config import BotConfig
from domain.errors import SteadyhandError, VenueMisfit
from domain.instruments import Instrument, VenueRef
from domain.model import Price

WAIT = "check the network and the exchange's status; bots wait for it by themselves"
"""How to mend that an exchange does not answer."""

_SKEW_MS = 1_000


@dataclass(frozen=True, slots=True)
class FoundMarket:
    """A market as it is now, and what its exchange is like to orders."""

    instrument: Instrument
    price: Price
    habits: VenueHabits


async def check_market(gateway: Gateway, config: BotConfig) -> tuple[Check, FoundMarket | None]:
    """Judge a bot's market: does it exist, does it trade, and can live orders be sent to it?"""
    name = "market"
    try:
        habits = habits_of(config.venue.name)
        data = CcxtData(gateway, config.venue)
        instrument = await data.instrument(config.symbol, config.data.interval)
        price = (await data.prices([instrument.symbol])).get(instrument.symbol)
    except VenueMisfit as error:
        return fail(name, str(error), f"python starter.py bots edit {config.id}"), None
    except SteadyhandError as error:
        return fail(name, str(error), WAIT), None
    if price is None:
        return fail(name, f"{instrument.symbol} has no price", "choose a market that trades"), None
    return ok(name, _rules(instrument, price)), FoundMarket(instrument, price, habits)


async def check_clock(gateway: Gateway, venue: VenueRef) -> Check:
    """Judge how far the exchange's clock is known: orders are signed by it, and refused by it when they come late."""
    name = "clock"
    clock = VenueTime((await gateway.client(venue)).time)
    try:
        await clock.ready()
    except SteadyhandError as error:
        return fail(name, str(error), WAIT)
    found = f"the exchange is {clock.offset_ms:+.0f} ms from this machine, known to ±{clock.bound_ms:.0f} ms"
    if reason := clock.refusal():
        return fail(name, f"{found}: {reason}", "nothing can be signed like that; look for a nearer or better line")
    if abs(clock.offset_ms) > _SKEW_MS:
        return warn(name, found, "set this machine's clock by NTP; orders are signed by the exchange's clock meanwhile")
    return ok(name, found)


def _rules(instrument: Instrument, price: Price) -> str:
    base, quote = instrument.base, instrument.quote
    return (
        f"{instrument.symbol} at {price.normalize():f} {quote}, lots of {instrument.lot_step.normalize():f} {base}, "
        f"ticks of {instrument.tick_size.normalize():f}, at least {instrument.min_quantity.normalize():f} {base} "
        f"and {instrument.min_notional.normalize():f} {quote}"
    )
