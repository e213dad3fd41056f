"""Capital of an account that several bots share: each has its allotment, all of which the account must hold.

A bot buys from its own book only, and an exchange locks the quote of an order the moment it accepts it. So bots whose
allotments fit into their account can never overspend it, however many of them buy at the same moment, and nobody has to
be asked before an order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.config import BotConfig, parse_config
from domain.config_errors import InvalidConfig
from domain.instruments import Instrument
from domain.model import ZERO, Money, exact
from domain.state import BotRow


@exact()
def allotment_problem(config: BotConfig, instrument: Instrument, sharing: Sequence[BotRow], there: Money) -> str | None:
    """Return why the account cannot give this bot the capital that it asks for, or None.

    Args:
        sharing: the enabled live bots of the account, oldest first, this one among them.
        there: the account's quote, free and locked.
    """
    own = next((row for row in sharing if row.bot_id == config.id), None)
    book = _book(own, config) if own else None
    if book is not None and config.broker.cash <= book.funded:
        return None
    earlier = sharing[: sharing.index(own)] if own else sharing
    others = [row for row in sharing if row is not own and (row in earlier or _book(row, config) is not None)]
    taken = sum((_claim(row, config, instrument.quote) for row in others), ZERO)
    needed = config.broker.cash if book is None else book.cash + config.broker.cash - book.funded
    if taken + needed <= there:
        return None
    return (
        f"broker.cash: {needed:f} {instrument.quote} cannot be allotted: account {config.broker.credentials} holds "
        f"{there:f}, and {len(others)} other bots have {taken:f} of it"
    )


class _Share(NamedTuple):
    """What a bot has been given of the account, and what it still has of that, in quote."""

    funded: Money
    cash: Money
    quote: str


def _book(row: BotRow, config: BotConfig) -> _Share | None:
    """Return a bot's share of this account; None before it has any, such as while its book is still of paper money."""
    carried = row.carried
    if carried is None or carried.config is None or carried.funded is None or carried.instrument is None:
        return None
    if carried.config.account != config.account:
        return None
    return _Share(carried.funded, carried.book.cash, carried.instrument.quote)


def _claim(row: BotRow, config: BotConfig, quote: str) -> Money:
    """Return what a bot may spend of a currency; what it has bought is no quote any more."""
    if (book := _book(row, config)) is not None:
        return book.cash if book.quote == quote else ZERO
    try:
        wanted = parse_config(row.config)
    except InvalidConfig:
        return ZERO  # it will not trade
    return wanted.broker.cash if wanted.symbol.upper().endswith(quote) else ZERO
