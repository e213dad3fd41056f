"""What several exits do alike: profits, and reading a memory back from a state."""

import math

from domain.decisions import ExitState

NO_STOP = -math.inf
"""A stop below every price, for want of one."""


def profit(price: float, entry_price: float) -> float:
    """Return the profit at a price as a part of the price paid: 0.1 is ten percent; NaN for a price paid of nothing."""
    return (price - entry_price) / entry_price if entry_price else math.nan


def number(state: ExitState, key: str) -> float:
    """Return a number out of a state.

    Raises:
        TypeError: it is missing, or no number.
    """
    value = state.values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{key} in an exit state must be a number; was {value!r}")
    return float(value)


def whole(state: ExitState, key: str) -> int:
    """Return a whole number out of a state.

    Raises:
        TypeError: it is missing, or no number.
    """
    return int(number(state, key))


def flag(state: ExitState, key: str) -> bool:
    """Return whether something holds out of a state.

    Raises:
        TypeError: it is missing, or neither true nor false.
    """
    value = state.values.get(key)
    if not isinstance(value, bool):
        raise TypeError(f"{key} in an exit state must be true or false; was {value!r}")
    return value


def stop_of(state: ExitState) -> float:
    """Return the stop of a state, `NO_STOP` if it has none."""
    return NO_STOP if state.stop is None else state.stop


def as_stop(stop: float) -> float | None:
    """Return a stop as a state has it."""
    return None if stop == NO_STOP else stop
