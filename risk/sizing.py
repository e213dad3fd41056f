"""How much an entry buys."""

from decimal import Decimal

from domain.config import BotConfig
from domain.instruments import Instrument
from domain.model import ZERO, Money, Price, Quantity, exact
from domain.orders import PaperTerms
from domain.paper import FEE_STEP, fee_of, paper_terms, taker_price
from domain.positions import OpenBook


@exact()
def entry_budget(config: BotConfig, book: OpenBook) -> Money:
    """Return the quote that one entry may spend, its fee included.

    budget = position fraction × available cash, at most what `max_position_size` leaves of the position's notional.
    """
    budget = config.position_fraction * book.cash
    cap = config.risk_management.max_position_size
    if cap is not None:
        budget = min(budget, cap - book.held_cost)
    return max(budget, ZERO)


@exact()
def entry_quantity(config: BotConfig, book: OpenBook, instrument: Instrument, reference: Price) -> Quantity:
    """Return the base to buy at a reference price: the budget at the price a taker pays, down to the lot step.

    quantity = budget / (price × (1 + fee rate if the fee is taken in quote)), so that the fill, slippage and fee
    included, never costs more than the budget.

    Args:
        reference: quote per unit of base before slippage; greater than 0.

    Returns:
        A multiple of the lot step; zero when the budget does not cover one lot.
    """
    terms = paper_terms(config)
    price = taker_price(reference, terms, tick=instrument.tick_size, side="buy")
    fee_factor = Decimal(1) + (terms.fee_rate if terms.fee_currency == "quote" else ZERO)
    budget = entry_budget(config, book)
    quantity = instrument.floor_quantity(budget / (price * fee_factor))
    if quantity > ZERO and _cost(quantity, price, terms) > budget:
        # The fee is rounded up to eight decimals: that can be the last unit too much.
        quantity = instrument.floor_quantity((budget - FEE_STEP) / (price * fee_factor))
    return max(quantity, ZERO)


def _cost(quantity: Quantity, price: Price, terms: PaperTerms) -> Money:
    fee, in_base = fee_of(quantity, price, terms, side="buy")
    return quantity * price + (ZERO if in_base else fee)
