"""Leave at a profit that is asked for the less, the longer a position is held."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from domain.candles import Candles
from domain.config_errors import as_number, refuse, shown
from strategies.arrays import Floats
from strategies.clock import minutes_held
from strategies.conditions import Check, check
from strategies.exit_logic import EntryPoint, ExitSeries
from strategies.exits.common import profit
from strategies.exits.memoryless import MemorylessExit
from strategies.logic import Parameters

_LONGEST_MINUTES = 5_270_400
_DEFAULT = {0: 0.04, 30: 0.02, 60: 0.01}

Profit: TypeAlias = Annotated[float, Field(ge=-1, le=100, allow_inf_nan=False), BeforeValidator(as_number)]
"""A profit as a part of the price paid; negative: a loss that is accepted."""


def _by_minutes(value: object) -> object:
    """Read a table by its minutes, which JSON writes as text, in their order."""
    if not isinstance(value, Mapping):
        return value  # the field's own type refuses it
    if not value:
        raise refuse("must have at least one entry of minutes and profit; was {}")
    return {minutes: value[key] for minutes, key in sorted((_minutes(key), key) for key in value)}


def _minutes(key: object) -> int:
    text = str(key)
    if (
        isinstance(key, bool)
        or not (text.isascii() and text.isdigit())
        or str(int(text)) != text
        or int(text) > _LONGEST_MINUTES
    ):
        raise refuse(f"must have whole minutes from 0 to {_LONGEST_MINUTES} as keys; one was {shown(key)}")
    return int(text)


RoiTable: TypeAlias = Annotated[dict[int, Profit], BeforeValidator(_by_minutes)]


class RoiTableParams(Parameters):
    """Parameters of `RoiTableExitMixin`."""

    x_roi: Annotated[RoiTable, Field(description="Minutes held, and the profit to leave at from then on.")] = _DEFAULT


class RoiTableExitMixin(MemorylessExit[RoiTableParams]):
    """Exit if (C - entry) / entry ≥ the profit that the table asks for after the minutes held.

    That is the profit of its largest number of minutes that is at most those held, as in freqtrade's minimal_roi;
    before the smallest there is no exit. Minutes are those from the close of the signal's candle to that of the one
    judged. The entry is the average price of the position. There is no stop.
    """

    Params = RoiTableParams

    def __init__(self, params: RoiTableParams) -> None:
        super().__init__(params)
        self._minutes, self._profits = list(params.x_roi), list(params.x_roi.values())

    @property
    def warmup(self) -> int:
        """One candle: there is no indicator."""
        return 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return nothing: prices and time alone count."""
        del candles
        return ()

    def checks(self, memory: None, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the profit with the table's; nothing before its first minutes."""
        del memory
        held = minutes_held(series.candles.open_time.item(i), entry.signal_time)
        row = bisect_right(self._minutes, held) - 1
        if row < 0:
            return ()
        name = f"profit, asked for after {self._minutes[row]} minutes"
        return (check(name, profit(series.candles.close.item(i), entry.price), ">=", self._profits[row]),)
