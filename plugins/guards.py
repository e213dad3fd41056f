"""What a logic is held to inside its process, so that an error names the method that gave nonsense."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, get_args

import numpy as np

from domain.candles import Candles
from domain.decisions import Comparison
from strategies.conditions import Check, VectorCondition
from strategies.entry_logic import AnyEntry, EntryLogic
from strategies.exit_logic import AnyExit, EntryPoint, ExitLogic, ExitSeries

_OPS = get_args(Comparison)


@dataclass
class Guarded:
    """A logic with what it gives checked.

    Attributes:
        enough: from how many candles on a value must be a number; None: from the logic's own warm-up on.
    """

    logic: AnyEntry | AnyExit
    enough: int | None = None

    def needs(self, candles: int) -> bool:
        """Return whether so many candles are enough for every value."""
        return candles >= max(self.enough or 0, self.logic.warmup, 1)


def guarded(made_of: type[AnyEntry] | type[AnyExit], params: Mapping[str, Any]) -> Guarded:
    """Make a logic whose conditions and checks are looked at before they are used."""
    logic = made_of(made_of.Params.model_validate(params))
    found = Guarded(logic)
    # Set on the one object: a class of a plugin's own may be looked at by the plugin, and stays what it is.
    if isinstance(logic, EntryLogic):
        vars(logic)["conditions"] = _looked_at(logic.conditions, found)
    if isinstance(logic, ExitLogic):
        vars(logic)["checks"] = _weighed(logic.checks, found)
    return found


def _looked_at(
    conditions: Callable[[Candles], Sequence[VectorCondition]], owner: Guarded
) -> Callable[[Candles], Sequence[VectorCondition]]:
    def look(candles: Candles) -> Sequence[VectorCondition]:
        found = _sequence("conditions", conditions(candles), VectorCondition)
        if not found:
            raise ValueError("conditions must give at least one comparison; gave none")
        count = len(candles)
        for condition in found:
            _fits(condition, count)
            if count and owner.needs(count) and (_is_nan(condition.left) or _is_nan(condition.right)):
                raise ValueError(f"{condition.name!r} is not a number on the newest of {count} candles")
        return found

    return look


def _weighed(checks: Callable[..., Sequence[Check]], owner: Guarded) -> Callable[..., Sequence[Check]]:
    def weigh(memory: object, series: ExitSeries, i: int, entry: EntryPoint) -> Sequence[Check]:
        found = _sequence("checks", checks(memory, series, i, entry), Check)
        for check in found:
            if owner.needs(i + 1) and (isnan(check.left) or isnan(check.right)):
                raise ValueError(f"{check.name!r} is not a number on candle {i + 1} of {len(series.candles)}")
        return found

    return weigh


def _sequence(method: str, found: Any, of: type[Any]) -> Sequence[Any]:
    if not isinstance(found, tuple | list) or not all(isinstance(item, of) for item in found):
        raise TypeError(f"{method} must give a tuple of {of.__name__}; gave {found!r:.80}")
    return found


def _fits(condition: VectorCondition, count: int) -> None:
    if condition.op not in _OPS:
        raise ValueError(f"{condition.name!r} must compare by one of {', '.join(_OPS)}; was {condition.op!r:.40}")
    for side in (condition.left, condition.right):
        if isinstance(side, np.ndarray) and side.shape == (count,) and side.dtype.kind in "fiu":
            continue
        if side is condition.right and isinstance(side, int | float):
            continue
        raise TypeError(f"{condition.name!r} must compare arrays of {count} numbers; has {_seen(side)}")


def _seen(side: Any) -> str:
    shape = f" of shape {side.shape} and type {side.dtype}" if isinstance(side, np.ndarray) else f" {side!r:.40}"
    return f"{type(side).__name__}{shape}"


def _is_nan(side: Any) -> bool:
    return isnan(side[-1] if isinstance(side, np.ndarray) else side)
