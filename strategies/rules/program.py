"""Expressions as a list of steps over arrays: each part is computed once, however often the rule writes it."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from domain.candles import Candles
from strategies.arrays import Floats
from strategies.clock import candle_lengths
from strategies.rules.binding import Bound, bind, constant, is_indicator, nearest
from strategies.rules.indicator import Compute
from strategies.rules.syntax import Binary, Call, Minus, Name, Node, RuleError, Shift, Timeframe, children
from strategies.timeframes import HigherCandles, aggregate, candles_within, misfit

COLUMNS = ("open", "high", "low", "close", "volume")
MAX_INDICATORS = 30
MAX_SLOW_INDICATORS = 8
MAX_WARMUP = 50_000

Values: TypeAlias = Sequence[Any]
"""The slots of a program: candles in the first, then arrays, numbers, and candles of longer intervals."""

Needs: TypeAlias = Mapping[str, int]
"""How many candles a value needs to be independent of where they begin, by interval; "" for the bot's own."""

_Step: TypeAlias = Callable[[Values], Any]
_CANDLES = 0
_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class Operand(NamedTuple):
    """A value of a program: its slot, what it needs, and the number that it is, if it is one."""

    slot: int
    needs: Needs
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Steps that fill slots, in order."""

    template: tuple[Any, ...]
    steps: tuple[tuple[int, _Step], ...]

    def run(self, candles: Candles) -> Values:
        """Return the slots, filled for these candles."""
        values = list(self.template)
        values[_CANDLES] = candles
        with np.errstate(all="ignore"):  # what divides by zero has no value
            for slot, step in self.steps:
                values[slot] = step(values)
        return values


class ProgramBuilder:
    """Makes one program of any number of expressions.

    Args:
        other_names: what an unknown name may have meant besides a column.
    """

    def __init__(self, other_names: Sequence[str] = ()) -> None:
        self._known = (*COLUMNS, *other_names)
        self._template: list[Any] = [None]
        self._steps: list[tuple[int, _Step]] = []
        self._operands: dict[tuple[Node, str], Operand] = {}
        self._indicators: dict[tuple[Call, str], int] = {}
        self._frames: dict[str, tuple[int, int]] = {}
        self._slow = 0

    def program(self) -> Program:
        """Return the program of all expressions so far."""
        return Program(tuple(self._template), tuple(self._steps))

    def add(self, node: Node) -> Operand:
        """Add an expression of candles and indicators.

        Raises:
            RuleError: it has a name that is not known, or something at a place where it has no meaning.
        """
        _refuse_nested_timeframes(node, "")
        return self._add(node, "")

    def _add(self, node: Node, frame: str) -> Operand:
        """Add an expression on candles of the interval `frame`, "" for the bot's own."""
        number = constant(node)
        if number is not None:
            self._template.append(number)
            return Operand(len(self._template) - 1, {}, number)
        key = (node, frame)
        if key not in self._operands:
            self._operands[key] = self._made(node, frame)
        return self._operands[key]

    def _made(self, node: Node, frame: str) -> Operand:
        match node:
            case Name():
                return self._column(node, frame)
            case Call():
                return self._output(node, frame)
            case Shift():
                inner = self._array(node.node, frame, node.at)
                return self._operand(_shifted(inner.slot, node.candles), _later(inner.needs, node.candles))
            case Timeframe():
                return self._timeframe(node)
            case Minus():
                inner = self._add(node.node, frame)
                return self._operand(_negated(inner.slot), inner.needs)
            case Binary():
                left, right = self._add(node.left, frame), self._add(node.right, frame)
                return self._operand(_operation(node.op, left.slot, right.slot), most(left.needs, right.needs))
            case _:
                raise AssertionError(f"a number is constant; was {node}")

    def _column(self, node: Name, frame: str) -> Operand:
        if node.name not in COLUMNS:
            if is_indicator(node.name):
                raise RuleError(f"{node.name} is an indicator: expected its parameters, {node.name}(…)", node.at)
            raise RuleError(f"unknown name {node.name}{nearest(node.name, self._known)}", node.at)
        candles, column = self._candles(frame), operator.attrgetter(node.name)
        return self._operand(lambda values: column(values[candles]), {"": 1})

    def _output(self, node: Call, frame: str) -> Operand:
        bound = bind(node)
        series = [self._array(part, frame, node.at) for part in bound.series]
        slot, output = self._indicator(node, frame, bound, series), bound.output
        needs = dict(_later(most(*(operand.needs for operand in series)), bound.prepared.warmup - 1))
        if bound.prepared.anchor:
            needs[bound.prepared.anchor] = 1
        return self._operand(lambda values: values[slot][output], needs)

    def _indicator(self, node: Call, frame: str, bound: Bound, series: list[Operand]) -> int:
        """Return the slot of all outputs of an indicator: computed once, whichever of them are used."""
        key = (replace(node, output=""), frame)
        if key not in self._indicators:
            self._count(node, is_slow=bound.prepared.is_slow)
            slots = [
                operand.slot if isinstance(part, Name) else self._step(_carried_on(operand.slot))
                for part, operand in zip(bound.series, series, strict=True)
            ]
            self._indicators[key] = self._step(_computed(bound.prepared.compute, self._candles(frame), slots))
        return self._indicators[key]

    def _count(self, node: Call, *, is_slow: bool) -> None:
        self._slow += is_slow
        if len(self._indicators) == MAX_INDICATORS:
            raise RuleError(f"a rule may have {MAX_INDICATORS} indicators; this is one more", node.at)
        if self._slow > MAX_SLOW_INDICATORS:
            few = f"{MAX_SLOW_INDICATORS} indicators of pandas-ta-classic"
            raise RuleError(f"a rule may have {few}; this is one more", node.at)

    def _timeframe(self, node: Timeframe) -> Operand:
        inner = self._array(node.node, node.interval, node.at)
        higher, slot = self._frames[node.interval][0], inner.slot
        needs = {key or node.interval: count for key, count in inner.needs.items()}
        return self._operand(lambda values: values[higher].spread(values[slot]), needs)

    def _array(self, node: Node, frame: str, at: int) -> Operand:
        operand = self._add(node, frame)
        if operand.number is not None:
            raise RuleError(f"expected a series such as close; was the number {operand.number:g}", at)
        return operand

    def _candles(self, frame: str) -> int:
        """Return the slot of the candles of an interval."""
        if not frame:
            return _CANDLES
        if frame not in self._frames:
            higher = self._step(lambda values: _aggregated(values[_CANDLES], frame))
            self._frames[frame] = higher, self._step(lambda values: values[higher].candles)
        return self._frames[frame][1]

    def _operand(self, step: _Step, needs: Needs) -> Operand:
        return Operand(self._step(step), needs)

    def _step(self, step: _Step) -> int:
        self._template.append(None)
        self._steps.append((len(self._template) - 1, step))
        return len(self._template) - 1


def most(*needs: Needs) -> Needs:
    """Return what all of the needs come to: the largest for each interval."""
    return {key: max(need.get(key, 0) for need in needs) for key in {key for need in needs for key in need}}


def candles_needed(needs: Needs, interval: str) -> int:
    """Return how many candles of `interval` meet the needs: a longer interval takes two more for its edges.

    Raises:
        ValueError: a longer interval is no multiple of `interval`, or they are more than `MAX_WARMUP`.
    """
    count = max(needs.get("", 1), 1)
    for higher, candles in needs.items():
        if higher:
            expected = misfit(higher, interval)
            if expected is not None:
                raise ValueError(f"a higher timeframe must be {expected}; was {higher} with candles of {interval}")
            count = max(count, (candles + 2) * candles_within(higher, interval))
    if count > MAX_WARMUP:
        raise ValueError(f"the rule needs {count} candles of {interval} to settle; at most {MAX_WARMUP} are loaded")
    return count


def _later(needs: Needs, candles: int) -> Needs:
    return {**needs, "": needs.get("", 1) + candles}


def _refuse_nested_timeframes(node: Node, inside: str) -> None:
    if isinstance(node, Timeframe):
        if inside:
            raise RuleError(f"a timeframe must come last, such as ema(50)[-1]@4h; was inside of {inside}", node.at)
        inside = f"@{node.interval}"
    elif isinstance(node, Call):
        inside = f"{node.name}(…)"
    elif isinstance(node, Shift):
        inside = f"[-{node.candles}]"
    for part in children(node):
        _refuse_nested_timeframes(part, inside)


def _aggregated(candles: Candles, interval: str) -> HigherCandles:
    return aggregate(candles, interval, candle_lengths(candles))


def _computed(compute: Compute, candles: int, slots: list[int]) -> _Step:
    return lambda values: compute(values[candles], [values[slot] for slot in slots])


def _negated(slot: int) -> _Step:
    return lambda values: -values[slot]


def _operation(op: str, left: int, right: int) -> _Step:
    operation = _OPERATIONS[op]
    return lambda values: operation(values[left], values[right])


def _shifted(slot: int, candles: int) -> _Step:
    def step(values: Values) -> Floats:
        now: Floats = values[slot]
        before = np.full(len(now), np.nan)
        before[candles:] = now[:-candles]
        return before

    return step


def _carried_on(slot: int) -> _Step:
    """Carry a value on over candles without one: an indicator would have none for ever after, and no window would."""

    def step(values: Values) -> Floats:
        series: Floats = values[slot]
        known = np.isfinite(series)
        if known.all():
            return series
        filled = series[np.maximum.accumulate(np.where(known, np.arange(len(series)), 0))]
        filled[~np.maximum.accumulate(known)] = np.nan
        return filled

    return step
