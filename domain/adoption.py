"""Adoption: the orders of a bot that its venue knows and its history does not, because the history has gone back."""

from domain.accounts import VenueOrder
from domain.instruments import AccountRef, Instrument
from domain.model import Milliseconds, Model


class AdoptionRequest(Model):
    """Which orders to look for.

    Attributes:
        after: the last sequence that the bot knows of.
        since: earlier orders are known for certain.
    """

    bot_id: str
    uid: str
    account: AccountRef
    instrument: Instrument
    after: int
    since: Milliseconds


class FoundOrder(Model):
    """An order that carries this bot's id, with the place in its life that the id stands for."""

    sequence: int
    leg: int
    order: VenueOrder


class Found(Model):
    """What the venue holds of a bot.

    Attributes:
        run_id: the run that has asked. A history that was reset goes on under another one, and has to ask again.
        orders: from the last known sequence on, in the order of their sequence and leg.
    """

    run_id: str
    orders: tuple[FoundOrder, ...]
