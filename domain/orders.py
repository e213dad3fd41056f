"""Orders and fills: an intent is written down before anything is sent, and answered by one report."""

import hashlib
from collections.abc import Collection
from itertools import product
from typing import Literal

from domain.instruments import AccountRef, Instrument
from domain.model import ZERO, Milliseconds, Model, Money, Price, Quantity

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop"]
OrderStatus = Literal["pending", "open", "partially_filled", "filled", "cancelled", "rejected", "expired", "unknown"]

BY_A_PERSON = "-person"
"""Ends the trade id of a fill that a person has told of: how much was filled, not by which of the venue's trades."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_PREFIX_LENGTH = 6
_SUFFIX_LENGTH = 12
# How far a history may have gone back, in order intents, and how many orders one decision may take.
_SEQUENCES_AHEAD = 1_000
_LEGS = 20
# The venue's list begins a little before the last order: to know its neighbours by their ids, too, ends the search.
_SEQUENCES_BACK = 20


class OrderIntent(Model):
    """An order that the workflow has decided on. Recorded in its history before the first attempt to send it.

    Attributes:
        sequence: counts the bot's order intents from 1; the identity behind `client_order_id`.
        leg: counts the orders of one attempt to carry a decision out, from 0: an exit goes on, leg after leg, until
            flat or dust. What is tried again later, because nothing was filled, has a sequence of its own.
        reference_price: what the decision saw; a market order carries no price to the venue.
        price: the limit of a limit order, the trigger of a stop; None for a market order.
        decided_at: the venue's time of the decision.
    """

    client_order_id: str
    sequence: int
    leg: int = 0
    symbol: str
    side: Side
    type: OrderType = "market"
    quantity: Quantity
    reference_price: Price
    price: Price | None = None
    reason: str
    decision_key: str
    decided_at: Milliseconds
    candle_time: Milliseconds
    config_version: int


class Fill(Model):
    """A part of an order that was executed.

    Attributes:
        trade_id: the venue's, unique within the order; ends in `BY_A_PERSON` where the venue was not asked.
        fee_value: what the fee was worth in quote currency at the fill, where it was taken in a third coin; None for a
            fee in base or quote, and where no market told.
    """

    trade_id: str
    price: Price
    quantity: Quantity
    fee: Quantity
    fee_currency: str
    fee_value: Money | None = None
    at: Milliseconds


class OrderReport(Model):
    """What the broker says of an order, all its fills included. Later reports of an order contain earlier ones.

    Attributes:
        sellable: where a sale was refused for lack of balance: what of it the account could have sold, in lots.
    """

    client_order_id: str
    status: OrderStatus
    venue_order_id: str | None = None
    fills: tuple[Fill, ...] = ()
    reason: str | None = None
    sellable: Quantity | None = None

    @property
    def final(self) -> bool:
        """True when nothing more can happen to the order."""
        return self.status in ("filled", "cancelled", "rejected", "expired")

    @property
    def rests(self) -> bool:
        """True when the venue has the order, and more may be filled of it."""
        return self.status in ("open", "partially_filled")

    @property
    def filled_quantity(self) -> Quantity:
        """Units of base executed, fees not deducted."""
        return sum((fill.quantity for fill in self.fills), ZERO)


class PaperTerms(Model):
    """How the paper broker fills: rates as fractions (0.001 is 0.1 %), slippage in percent (0.05 is 0.05 %)."""

    fee_rate: Quantity
    slippage_pct: Quantity
    fee_currency: Literal["received", "quote"] = "received"


class OrderRequest(Model):
    """All that a broker needs to place an order; the paper broker fills from nothing else.

    Attributes:
        paper: how a paper order fills; None for a live one.
        account: where a live order goes; None for a paper one.
        cash: quote that this bot may spend.
        holding: base that this bot may sell.
    """

    bot_id: str
    intent: OrderIntent
    instrument: Instrument
    paper: PaperTerms | None = None
    account: AccountRef | None = None
    cash: Money
    holding: Quantity


def client_order_id(uid: str, sequence: int, leg: int = 0) -> str:
    """Return the id under which an order is sent: 18 characters `[a-z0-9]`, a letter first.

    The first six are the bot's own, so that its orders can be found at the venue. Nothing of an attempt, a run
    or a candle goes in: a history that was rolled back finds its own orders again.
    """
    return order_prefix(uid) + _base36(f"{uid}:{sequence}:{leg}", _SUFFIX_LENGTH)


def recognised(uid: str, ids: Collection[str], *, after: int) -> dict[str, tuple[int, int]]:
    """Return sequence and leg of those client order ids that are this bot's, and newer than a sequence.

    An id is a hash, so it is found by making those that come next, until all are found.

    Args:
        after: the last sequence that the bot knows of; its own legs are recognised too.
    """
    unplaced, found = set(ids), dict[str, tuple[int, int]]()
    places = product(range(max(after - _SEQUENCES_BACK, 1), after + _SEQUENCES_AHEAD), range(_LEGS))
    while unplaced and (place := next(places, None)) is not None:
        made = client_order_id(uid, *place)
        if made in unplaced:
            unplaced.remove(made)
            found[made] = place
    return {known: (sequence, leg) for known, (sequence, leg) in found.items() if sequence >= after}


def order_prefix(uid: str) -> str:
    """Return what all client order ids of the bot begin with: six characters."""
    return "s" + _base36(uid, _PREFIX_LENGTH - 1)


def _base36(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "".join(digits)
