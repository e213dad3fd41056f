"""The one rule by which paper orders fill, for the paper broker and the backtest alike. Pure."""

from decimal import ROUND_UP, Decimal

from domain.config import BotConfig
from domain.instruments import Instrument, against_taker
from domain.model import ZERO, Milliseconds, Price, Quantity, exact
from domain.orders import Fill, OrderIntent, OrderReport, OrderRequest, OrderStatus, PaperTerms, Side

_HUNDRED = Decimal(100)
FEE_STEP = Decimal("1e-8")
"""Venues book fees with eight decimals."""


def paper_terms(config: BotConfig) -> PaperTerms:
    """Return how the paper broker fills for this bot."""
    terms = config.broker.paper_trading_config
    return PaperTerms(fee_rate=terms.fee_rate, slippage_pct=terms.slippage_pct, fee_currency=terms.fee_currency)


@exact()
def taker_price(reference: Price, terms: PaperTerms, *, tick: Price, side: Side) -> Price:
    """Return the price that a market order pays or gets: reference ± slippage, rounded to the tick against the taker.

    Args:
        reference: the open of the next candle, or the level that the price crossed.
        tick: the instrument's price step.
    """
    buying = side == "buy"
    slipped = reference * (_HUNDRED + (terms.slippage_pct if buying else -terms.slippage_pct)) / _HUNDRED
    return against_taker(slipped, tick, buying=buying)


@exact()
def fee_of(quantity: Quantity, price: Price, terms: PaperTerms, *, side: Side) -> tuple[Quantity, bool]:
    """Return the fee and whether it is taken in base: of what is received, unless the terms say quote."""
    in_base = side == "buy" and terms.fee_currency == "received"
    amount = quantity if in_base else quantity * price
    return (amount * terms.fee_rate).quantize(FEE_STEP, rounding=ROUND_UP), in_base


@exact()
def paper_report(request: OrderRequest) -> OrderReport:
    """Fill a market order at once and whole, let a limit order rest, or reject it with the reason of a venue.

    A pure function: a repeated call with the same request gives the same report. The venue's minimum is held against
    the market's price, as venues do, and not against the price of the fill: what was judged to be sellable is sold.
    """
    intent, instrument, terms = request.intent, request.instrument, request.paper
    if terms is None:
        return _rejected(request, "no paper terms: this order is not a paper order")
    if intent.quantity != instrument.floor_quantity(intent.quantity):
        return _rejected(request, f"quantity {intent.quantity:f} is not a multiple of the lot step or is too large")
    if refusal := instrument.refusal(intent.quantity, intent.price or intent.reference_price):
        return _rejected(request, refusal)
    price = _fill_price(intent, terms, instrument)
    if shortfall := _shortfall(request, terms, price):
        return _rejected(request, shortfall)
    if intent.type == "limit":
        return _accepted(request, "open")
    return _accepted(request, "filled", _fill(request, terms, price, at=intent.decided_at))


@exact()
def paper_limit_filled(request: OrderRequest, terms: PaperTerms, *, at: Milliseconds) -> OrderReport:
    """Fill a limit order that `paper_report` has let rest: whole, at its price, once the market has traded through it.

    Args:
        at: the venue's time, milliseconds UTC.
    """
    return _accepted(request, "filled", _fill(request, terms, _limit_of(request.intent), at=at))


def _fill_price(intent: OrderIntent, terms: PaperTerms, instrument: Instrument) -> Price:
    if intent.type == "limit":
        return _limit_of(intent)
    return taker_price(intent.reference_price, terms, tick=instrument.tick_size, side=intent.side)


def _limit_of(intent: OrderIntent) -> Price:
    return intent.reference_price if intent.price is None else intent.price


def _fill(request: OrderRequest, terms: PaperTerms, price: Price, *, at: Milliseconds) -> Fill:
    intent, instrument = request.intent, request.instrument
    fee, in_base = fee_of(intent.quantity, price, terms, side=intent.side)
    return Fill(
        trade_id=f"{intent.client_order_id}-1",
        price=price,
        quantity=intent.quantity,
        fee=fee,
        fee_currency=instrument.base if in_base else instrument.quote,
        at=at,
    )


def _accepted(request: OrderRequest, status: OrderStatus, *fills: Fill) -> OrderReport:
    name = request.intent.client_order_id
    return OrderReport(client_order_id=name, status=status, venue_order_id=f"paper-{name}", fills=fills)


def _shortfall(request: OrderRequest, terms: PaperTerms, price: Price) -> str | None:
    intent = request.intent
    fee, in_base = fee_of(intent.quantity, price, terms, side=intent.side)
    quote_fee = ZERO if in_base else fee
    if intent.side == "sell":
        if intent.quantity > request.holding:
            return f"cannot sell {intent.quantity:f} {request.instrument.base}: {request.holding:f} held"
        return None
    cost = intent.quantity * price + quote_fee
    if cost > request.cash:
        return f"insufficient cash: {cost:f} {request.instrument.quote} needed, {request.cash:f} free"
    return None


def _rejected(request: OrderRequest, reason: str) -> OrderReport:
    return OrderReport(client_order_id=request.intent.client_order_id, status="rejected", reason=reason)
