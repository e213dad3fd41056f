"""Capital of an account that several bots share: each has its allotment, all of which the account must hold.

A bot buys from its own book only, and an exchange locks the quote of an order the moment it accepts it. So bots whose
allotments fit into their account can never overspend it, however many of them buy at the same moment, and nobody has to
be asked before an order.
"""

from collections.abc import Sequence
from decimal import Decimal

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
    funded = own.carried.funded if own and own.carried else None
    if funded is not None and config.broker.cash <= funded:
        return None
    earlier = sharing[: sharing.index(own)] if own else sharing
    others = [row for row in sharing if row is not own and (row in earlier or _is_funded(row))]
    taken = sum((_claim(row, instrument.quote) for row in others), ZERO)
    needed = config.broker.cash if own is None or funded is None else _cash(own) + config.broker.cash - funded
    if taken + needed <= there:
        return None
    return (
        f"broker.cash: {needed:f} {instrument.quote} cannot be allotted: account {config.broker.credentials} holds "
        f"{there:f}, and {len(others)} other bots have {taken:f} of it"
    )


def _claim(row: BotRow, quote: str) -> Money:
    """Return what a bot may spend of a currency; what it has bought is no quote any more."""
    carried = row.carried
    if carried is not None and carried.funded is not None and carried.instrument is not None:
        return carried.book.cash if carried.instrument.quote == quote else ZERO
    try:
        config = parse_config(row.config)
    except InvalidConfig:
        return ZERO  # it will not trade
    return config.broker.cash if config.symbol.upper().endswith(quote) else ZERO


def _is_funded(row: BotRow) -> bool:
    return row.carried is not None and row.carried.funded is not None


def _cash(row: BotRow) -> Decimal:
    return row.carried.book.cash if row.carried else ZERO
