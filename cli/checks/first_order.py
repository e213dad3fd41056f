"""The first order of a bot as it would be sent now."""

from cli.checks.check import Check, fail, ok
from cli.checks.trading import FoundMarket
from domain.config import BotConfig
from domain.model import exact
from domain.orders import order_prefix
from domain.positions import Book
from domain.state import BotRow
from risk.limits import Refusal, sized_entry


@exact()
def check_first_order(row: BotRow, config: BotConfig, book: Book, found: FoundMarket) -> Check:
    """Judge an entry at the price of now: the exchange must take it, and take what it bought back at the stop."""
    name, instrument, price = "first order", found.instrument, found.price
    quantity = sized_entry(config, book, instrument, price)
    if isinstance(quantity, Refusal):
        mend = "raise broker.cash, trading.position_size or risk_management.max_position_size"
        return fail(name, f"none at {price.normalize():f} {instrument.quote}: {quantity.reason}", mend)
    return ok(
        name,
        f"buy {quantity.normalize():f} {instrument.base} of {instrument.symbol} at the market, about "
        f"{quantity * price:.2f} {instrument.quote}{', named by its cost' if found.habits.buys_by_cost else ''}, "
        f"under an id {order_prefix(row.uid)}…; {_lateness(found.habits.deadline)}. It was not sent",
    )


def _lateness(deadline: float | None) -> str:
    if deadline is None:
        return "the exchange knows no deadline: sent once, and if its answer is lost a person may have to look"
    return f"the exchange refuses it if it comes more than {deadline:g} s late"
