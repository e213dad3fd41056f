"""Sell where a rule holds that stands in the bot's row; it may ask how the position stands."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from pydantic import model_validator

from domain.candles import Candles
from domain.config_errors import refuse
from domain.decisions import ExitState, Scalar
from strategies.arrays import Floats
from strategies.clock import minutes_held
from strategies.conditions import Check, check
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.logic import Parameters
from strategies.rules.condition import finite_or_nan
from strategies.rules.parameters import ExitRule, ExitStop
from strategies.rules.position import Held
from strategies.rules.program import candles_needed
from strategies.rules.rule import InvalidRule, read_rule
from strategies.rules.syntax import RuleError

_NO_STOP = -math.inf


class RuleExitParams(Parameters):
    """Parameters of `RuleExitMixin`."""

    rule: ExitRule
    stop: ExitStop = ""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        """Refuse what is within the limits each for itself, and not together."""
        try:
            read_rule(self.rule, of_exit=True, stop=self.stop)
        except InvalidRule as error:
            raise refuse(str(error)) from error
        except RuleError as error:
            raise refuse(f"stop, {error}") from error
        return self


class Holding(NamedTuple):
    """What is remembered of a position.

    Attributes:
        candles: how many came since the signal's.
        peak, peak_before: the highest price so far, and one candle earlier, in quote per unit of base.
        stop: never falls.
    """

    candles: int
    peak: float
    peak_before: float
    stop: float = _NO_STOP


class RuleExitMixin(ExitLogic[RuleExitParams, Holding]):
    """Sell where the rule holds: comparisons of prices, volume, indicators and the position, joined by all, any, not.

    Of the position: entry_price, profit_pct (percent of the close above it), bars_held, minutes_held, and peak, the
    highest high since the entry. With a stop, also if C ≤ its running maximum. For example {"rule": {"left":
    "minutes_held", "op": ">=", "right": 600}, "stop": "peak - 3 * atr(14)"}.
    """

    Params = RuleExitParams

    def __init__(self, params: RuleExitParams) -> None:
        super().__init__(params)
        self._rule = read_rule(params.rule, of_exit=True, stop=params.stop)
        sides = [side for leaf in self._rule.leaves for side in (leaf.left, leaf.right)]
        stop = [self._rule.stop] if self._rule.stop else []
        self._reads = frozenset[int]().union(*(side.reads for side in (*sides, *stop)))

    @property
    def warmup(self) -> int:
        """The longest of its indicators', those on longer intervals left out: see `warmup_at`."""
        return self._rule.needs.get("", 1)

    def warmup_at(self, interval: str) -> int:
        """Return how many candles of `interval` it needs, those for longer intervals included; see `misfit`."""
        return candles_needed(self._rule.needs, interval)

    def misfit(self, interval: str) -> str | None:
        """Return why it cannot work: a longer interval is no multiple of `interval`, or it needs too many candles."""
        try:
            candles_needed(self._rule.needs, interval)
        except ValueError as error:
            return str(error)
        return None

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return what the rule looks into, at its places in the program; NaN at the others, which are no values."""
        values, nothing = self._rule.program.run(candles), np.full(len(candles), np.nan)
        return tuple([finite_or_nan(value) if slot in self._reads else nothing for slot, value in enumerate(values)])

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Holding:
        """Start at the signal's close."""
        holding = Holding(0, entry.signal_close, entry.signal_close)
        return holding if i is None else self._raised(holding, series, i, entry)

    def advance(self, memory: Holding, series: ExitSeries, i: int, entry: EntryPoint) -> Holding:
        """Count the candle, raise the peak to its high, and the stop after it."""
        peak = max(memory.peak, series.candles.high.item(i))
        return self._raised(Holding(memory.candles + 1, peak, memory.peak, memory.stop), series, i, entry)

    def catch_up(self, memory: Holding, series: ExitSeries, until: int) -> Holding:
        """Count the candles and raise the peak: neither needs convergence."""
        for high in series.candles.high[:until].tolist():
            memory = Holding(memory.candles + 1, max(memory.peak, high), memory.peak, memory.stop)
        return memory

    def checks(self, memory: Holding, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Return the comparisons of the rule, and that of the close with the stop."""
        held = _held(memory.candles, memory.peak, series.candles, i, entry)
        before = _held(memory.candles - 1, memory.peak_before, series.candles, i - 1, entry) if i > 0 else None
        checks = tuple([leaf.check(series.indicators, i, held, before) for leaf in self._rule.leaves])
        if self._rule.stop is None:
            return checks
        return (*checks, check(f"close, stop {self.params.stop}", series.candles.close.item(i), "<=", memory.stop))

    def fires(self, checks: Sequence[Check]) -> bool:
        """Return whether the rule holds, or the stop is reached."""
        return self._rule.holds(checks) or any(stop.holds for stop in checks[len(self._rule.leaves) :])

    def remember(self, memory: Holding) -> tuple[dict[str, Scalar], float | None]:
        """Write count, peaks and stop."""
        values: dict[str, Scalar] = {
            "candles": memory.candles,
            "peak": memory.peak,
            "peak_before": memory.peak_before,
        }
        return values, None if memory.stop == _NO_STOP else memory.stop

    def recall(self, state: ExitState) -> Holding:
        """Read count, peaks and stop."""
        candles, peak, before = (_number(state, name) for name in ("candles", "peak", "peak_before"))
        return Holding(int(candles), peak, before, _NO_STOP if state.stop is None else state.stop)

    def _raised(self, holding: Holding, series: ExitSeries, i: int, entry: EntryPoint) -> Holding:
        stop = self._rule.stop
        if stop is None:
            return holding
        candidate = stop.read(series.indicators, i, _held(holding.candles, holding.peak, series.candles, i, entry))
        # max keeps its first argument beside a NaN: for want of candles, the stop stays where it was.
        return holding._replace(stop=max(holding.stop, candidate))


def _held(candles_held: int, peak: float, candles: Candles, i: int, entry: EntryPoint) -> Held:
    return Held(
        entry_price=entry.price,
        profit_pct=(candles.close.item(i) / entry.price - 1) * 100,
        bars_held=candles_held,
        minutes_held=minutes_held(candles.open_time.item(i), entry.signal_time),
        peak=peak,
    )


def _number(state: ExitState, name: str) -> float:
    value = state.values[name]
    if not isinstance(value, int | float):
        raise TypeError(f"{name} in an exit state must be a number; was {value!r}")
    return float(value)
