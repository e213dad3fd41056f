"""What a new configuration means to the position and the books of a bot."""

from domain.config import BotConfig
from domain.instruments import Instrument, VenueRef
from domain.model import exact
from domain.positions import Book, Holding
from domain.state import BotState, Carried, Prepared
from workflows.outbox import Outbox


def refusal(carried: Carried, prepared: Prepared) -> str | None:
    """Return why a configuration that was checked cannot be traded by now, or None."""
    config, instrument = prepared.config, prepared.instrument
    if config is None or instrument is None:
        return "; ".join(prepared.problems)
    current = carried.instrument
    if carried.book.position is not None and current is not None and _market(current) != _market(instrument):
        return (
            f"symbol: {current.symbol} on {current.venue} is held, so {instrument.symbol} on {instrument.venue} "
            "must wait: symbol and broker cannot change while a position is open; close it first"
        )
    if carried.funded is None or _new_book(current, instrument):
        return None
    added = config.broker.cash - carried.funded
    if carried.book.cash + added < 0:
        return f"broker.cash: {-added:f} less than before was asked for, but only {carried.book.cash:f} is free"
    return None


@exact()
def fund(state: BotState, outbox: Outbox, config: BotConfig, instrument: Instrument) -> None:
    """Give the book its cash: at first all of it, later what a new version adds or takes away."""
    carried = state.carried
    cash, current, dust = config.broker.cash, carried.instrument, carried.book.dust
    if current is not None and dust.quantity and _account(current) != _account(instrument):
        state.carry(book=carried.book.model_copy(update={"dust": Holding()}))
        text = f"{dust.quantity:f} {current.base}, bought for {dust.cost:f} {current.quote}, are out of the books"
        outbox.event("dust_left", text, severity="warning")
    if carried.funded is None or _new_book(current, instrument):
        state.carry(book=Book(cash=cash), funded=cash, performance=None)
        outbox.event("book_opened", f"the book begins with {cash:f} {instrument.quote}")
    elif carried.funded != cash:
        added = cash - carried.funded
        book = state.carried.book
        state.carry(book=book.model_copy(update={"cash": book.cash + added}), funded=cash)
        outbox.event("cash_changed", f"cash changed by {added:+f} {instrument.quote}")


def _market(instrument: Instrument) -> tuple[str, VenueRef]:
    return instrument.symbol, instrument.venue


def _account(instrument: Instrument) -> tuple[VenueRef, str, str]:
    return instrument.venue, instrument.base, instrument.quote


def _new_book(current: Instrument | None, instrument: Instrument) -> bool:
    """Return whether the money is another one, so that the books begin anew."""
    return current is not None and current.quote != instrument.quote
