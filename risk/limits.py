"""What stands in the way of an entry. Exits are never refused by a limit."""

from decimal import Decimal

from domain.config import BotConfig
from domain.guards import Guards
from domain.instruments import Instrument
from domain.intervals import MINUTE_MS
from domain.model import ZERO, Model, Price, Quantity
from domain.paper import fee_of, paper_terms, taker_price
from domain.positions import OpenBook
from risk.sizing import entry_quantity

_HUNDRED = Decimal(100)


class Refusal(Model):
    """Why no entry is made. `alert`: a daily limit was reached, which people are told of, once a day."""

    reason: str
    alert: bool = False


def has_memory(config: BotConfig) -> bool:
    """Return whether any limit depends on what was done before: without one, `entry_refusal` counts entries only."""
    limits = config.risk_management
    return bool(limits.max_daily_trades or limits.max_daily_loss or limits.cooldown_minutes)


def entry_refusal(config: BotConfig, book: OpenBook, guards: Guards, *, price: Price, moment: int) -> Refusal | None:
    """Return the first limit that forbids an entry now, or None.

    Args:
        price: the price at which open positions are valued.
        moment: the venue's time, milliseconds UTC.
    """
    return (
        _positions_refusal(config, book)
        or _daily_refusal(config, book, guards.on_day(moment), price)
        or _cooldown_refusal(config, guards, moment)
    )


def order_refusal(
    config: BotConfig, book: OpenBook, instrument: Instrument, *, quantity: Quantity, price: Price
) -> Refusal | None:
    """Return why an entry of this quantity makes no sense at the venue, or None.

    The exit is checked too: what is held net of fees must still be sellable at the stop price, else the position
    could never be closed.
    """
    if quantity <= ZERO:
        return Refusal(reason=f"the budget buys less than one lot of {instrument.lot_step:f} {instrument.base}")
    terms = paper_terms(config)
    paid = taker_price(price, terms, tick=instrument.tick_size, side="buy")
    if refusal := instrument.refusal(quantity, price):
        return Refusal(reason=refusal)
    fee, in_base = fee_of(quantity, paid, terms, side="buy")
    held = instrument.floor_quantity(book.holding + quantity - (fee if in_base else ZERO))
    stop_price = taker_price(_stop_price(config, paid), terms, tick=instrument.tick_size, side="sell")
    if refusal := instrument.refusal(held, stop_price):
        return Refusal(reason=f"the position could not be sold at its stop: {refusal}")
    return None


def sized_entry(config: BotConfig, book: OpenBook, instrument: Instrument, price: Price) -> Quantity | Refusal:
    """Return the quantity of an entry at a reference price, or why it cannot be made."""
    quantity = entry_quantity(config, book, instrument, price)
    return order_refusal(config, book, instrument, quantity=quantity, price=price) or quantity


def _positions_refusal(config: BotConfig, book: OpenBook) -> Refusal | None:
    entries = book.position.entries if book.position else 0
    limit = config.trading.max_positions
    return Refusal(reason=f"{entries} of {limit} entries open") if entries >= limit else None


def _daily_refusal(config: BotConfig, book: OpenBook, today: Guards, price: Price) -> Refusal | None:
    limits = config.risk_management
    if limits.max_daily_trades is not None and today.entries >= limits.max_daily_trades:
        return Refusal(reason=f"max_daily_trades: {today.entries} of {limits.max_daily_trades} made today", alert=True)
    if limits.max_daily_loss is None:
        return None
    result = today.realized + (book.position.unrealized_pnl(price) if book.position else ZERO)
    if -result >= limits.max_daily_loss:
        return Refusal(reason=f"max_daily_loss: {-result:.2f} of {limits.max_daily_loss:f} lost today", alert=True)
    return None


def _cooldown_refusal(config: BotConfig, guards: Guards, moment: int) -> Refusal | None:
    minutes = config.risk_management.cooldown_minutes
    if guards.last_exit is None or not minutes:
        return None
    left = guards.last_exit + minutes * MINUTE_MS - moment
    return Refusal(reason=f"cooldown: {left / MINUTE_MS:.1f} of {minutes:g} minutes left") if left > 0 else None


def _stop_price(config: BotConfig, price: Price) -> Price:
    stop_loss_pct = config.risk_management.stop_loss_pct
    return price * (_HUNDRED - stop_loss_pct) / _HUNDRED if stop_loss_pct else price
