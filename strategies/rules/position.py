"""What a rule may ask of a position, and expressions that do: computed candle by candle, not over arrays."""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from strategies.rules.program import Needs, ProgramBuilder, Values, most
from strategies.rules.syntax import Binary, Minus, Name, Node, RuleError, children


class Held(NamedTuple):
    """A position as of a candle.

    Attributes:
        entry_price: its average price, in quote per unit of base.
        profit_pct: percent of the candle's close above it.
        bars_held: candles since the signal's.
        minutes_held: minutes from the close of the signal's candle to that of this one.
        peak: the signal's close, or the highest high since.
    """

    entry_price: float
    profit_pct: float
    bars_held: float
    minutes_held: float
    peak: float


Reader: TypeAlias = Callable[[Values, int, Held | None], float]
"""Reads the value of an expression on one candle, NaN for none."""


class Side(NamedTuple):
    """One side of a comparison.

    Attributes:
        slot: where its array, or number, stands in the program; None if it asks Held.
        reads: the slots whose arrays `read` looks into.
    """

    read: Reader
    needs: Needs
    slot: int | None
    number: float | None = None
    reads: frozenset[int] = frozenset()


def side_of(node: Node, builder: ProgramBuilder) -> Side:
    """Return an expression as a side, its parts that are of candles alone added to the program.

    Raises:
        RuleError: a name is not known, or something stands where it has no meaning.
    """
    asked = position_name(node)
    if asked is None:
        operand = builder.add(node)
        slot, number = operand.slot, operand.number
        if number is not None:
            return Side(lambda _values, _i, _held: number, operand.needs, slot, number)
        return Side(
            lambda values, i, _held: _finite(values[slot].item(i)), operand.needs, slot, reads=frozenset({slot})
        )
    match node:
        case Name():
            return Side(_position_reader(node.name), {}, None)
        case Minus():
            inner = side_of(node.node, builder)
            return Side(lambda values, i, held: -inner.read(values, i, held), inner.needs, None, reads=inner.reads)
        case Binary():
            left, right = side_of(node.left, builder), side_of(node.right, builder)
            read, needs = _calculated(node.op, left.read, right.read), most(left.needs, right.needs)
            return Side(read, needs, None, reads=left.reads | right.reads)
        case _:
            raise RuleError(f"{asked.name} is a value of the position, which no indicator, shift or @ takes", asked.at)


def position_name(node: Node) -> Name | None:
    """Return the first value of the position that an expression asks for."""
    if isinstance(node, Name):
        return node if node.name in Held._fields else None
    return next((name for name in map(position_name, children(node)) if name is not None), None)


def _position_reader(name: str) -> Reader:
    place = Held._fields.index(name)

    def read(_values: Values, _i: int, held: Held | None) -> float:
        return math.nan if held is None else held[place]

    return read


def _calculated(op: str, left: Reader, right: Reader) -> Reader:
    match op:
        case "+":
            return lambda values, i, held: left(values, i, held) + right(values, i, held)
        case "-":
            return lambda values, i, held: left(values, i, held) - right(values, i, held)
        case "*":
            return lambda values, i, held: left(values, i, held) * right(values, i, held)
        case _:
            return lambda values, i, held: _divided(left(values, i, held), right(values, i, held))


def _divided(dividend: float, divisor: float) -> float:
    return dividend / divisor if divisor else math.nan


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
