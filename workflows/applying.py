"""What a new configuration means to the position and the books of a bot."""

from domain.config import BotConfig
from domain.instruments import Instrument
from domain.model import exact
from domain.positions import Book, Holding
from domain.state import BotState, Carried, Prepared
from workflows.outbox import Outbox


def refusal(carried: Carried, prepared: Prepared) -> str | None:
    """Return why a configuration that was checked cannot be traded by now, or None."""
    config, instrument = prepared.config, prepared.instrument
    if config is None or instrument is None:
        return "; ".join(prepared.problems)
    if _is_bound(carried) and (changed := _changed_market(carried, config, instrument)):
        return f"{changed}: symbol and broker cannot change while a position or an order is open; close it first"
    if carried.funded is None or _new_book(carried, config, instrument):
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
    if current is not None and dust.quantity and _elsewhere(carried, config, instrument):
        state.carry(book=carried.book.model_copy(update={"dust": Holding()}))
        text = f"{dust.quantity:f} {current.base}, bought for {dust.cost:f} {current.quote}, are out of the books"
        outbox.event("dust_left", text, severity="warning")
    if carried.funded is None or _new_book(carried, config, instrument):
        state.carry(book=Book(cash=cash), funded=cash, performance=None)
        outbox.event("book_opened", f"the book begins with {cash:f} {instrument.quote}")
    elif carried.funded != cash:
        added = cash - carried.funded
        book = state.carried.book
        state.carry(book=book.model_copy(update={"cash": book.cash + added}), funded=cash)
        outbox.event("cash_changed", f"cash changed by {added:+f} {instrument.quote}")


def _is_bound(carried: Carried) -> bool:
    """Return whether something is held or ordered at the market of now."""
    return any(each is not None for each in (carried.book.position, carried.in_flight, carried.unknown))


def _changed_market(carried: Carried, config: BotConfig, instrument: Instrument) -> str | None:
    """Return what would be traded elsewhere, or with other money, than now; None if nothing would."""
    current = carried.instrument
    if carried.config is None or current is None:
        return None
    if (current.symbol, current.venue) != (instrument.symbol, instrument.venue):
        wanted = f"{instrument.symbol} on {instrument.venue}"
        return f"symbol: {current.symbol} on {current.venue} is held, so {wanted} must wait"
    if carried.config.account != config.account:
        return f"broker: what is held is {_purse(carried.config)}, so {_purse(config)} must wait"
    return None


def _purse(config: BotConfig) -> str:
    return "on paper" if config.account is None else f"in {config.account}"


def _elsewhere(carried: Carried, config: BotConfig, instrument: Instrument) -> bool:
    """Return whether what is held of the base of now would not be there any more."""
    current = carried.instrument
    if current is None or carried.config is None:
        return False
    before = (current.venue, current.base, current.quote, carried.config.account)
    return before != (instrument.venue, instrument.base, instrument.quote, config.account)


def _new_book(carried: Carried, config: BotConfig, instrument: Instrument) -> bool:
    """Return whether the money is another one, so that the books begin anew."""
    current = carried.instrument
    if current is None or carried.config is None:
        return False
    return (current.quote, carried.config.account) != (instrument.quote, config.account)
