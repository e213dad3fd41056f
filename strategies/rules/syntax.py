"""What an expression is made of, and how it is written. All values are frozen; `at` says where in the text one began.

Number      30
Name        close
Call        bbands(20, 2.0).lower, ta.cti(12), ema(volume, timeperiod=20)
Shift       close[-1]                   the value one candle before
Minus       -close
Binary      close * 2 + open
Timeframe   ema(50)@4h                  on candles of four hours, the last that is closed
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["+", "-", "*", "/"]

_SUM, _PRODUCT, _SIGN, _POSTFIX = 1, 2, 3, 4
_BINDING: dict[Operator, int] = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


class RuleError(ValueError):
    """An expression is refused: what was found and what was expected.

    Args:
        at: index of the character where it stands; None where it is not about a place in the text.
    """

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message if at is None else f"at character {at + 1}: {message}")
        self.at = at


@dataclass(frozen=True, slots=True)
class Number:
    """A number, never negative: the sign is a `Minus`."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A column of the candles, or a value of the position."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An indicator. `library` is "ta" or "talib" where the user chose one, `output` names one of several."""

    name: str
    args: "tuple[Node, ...]" = ()
    named: "tuple[tuple[str, Node], ...]" = ()
    output: str = ""
    library: str = ""
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Shift:
    """The value `candles` candles before."""

    node: "Node"
    candles: int
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Minus:
    """The negative of a value."""

    node: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """One operation of arithmetic; `at` is that of the operator."""

    left: "Node"
    op: Operator
    right: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A value on candles of a longer interval."""

    node: "Node"
    interval: str
    at: int = field(default=0, compare=False)


Node: TypeAlias = Number | Name | Call | Shift | Minus | Binary | Timeframe


def text_of(node: Node) -> str:
    """Return an expression as text that parses to it again, with no parenthesis too many."""
    return _written(node, 0)


def children(node: Node) -> tuple[Node, ...]:
    """Return the expressions that one is made of."""
    match node:
        case Call():
            return (*node.args, *(value for _, value in node.named))
        case Binary():
            return (node.left, node.right)
        case Shift() | Minus() | Timeframe():
            return (node.node,)
        case _:
            return ()


def _written(node: Node, binding: int) -> str:
    """Write a node, in parentheses if it binds less than `binding`."""
    match node:
        case Number():
            return _number(node.value)
        case Name():
            return node.name
        case Call():
            return _call(node)
        case Shift():
            return f"{_written(node.node, _POSTFIX)}[-{node.candles}]"
        case Timeframe():
            return f"{_written(node.node, _POSTFIX)}@{node.interval}"
        case Minus():
            own, text = _SIGN, f"-{_written(node.node, _SIGN)}"
        case Binary():
            own = _BINDING[node.op]
            text = f"{_written(node.left, own)} {node.op} {_written(node.right, own + 1)}"
    return f"({text})" if own < binding else text


def _call(call: Call) -> str:
    arguments = [_written(arg, 0) for arg in call.args]
    arguments += [f"{name}={_written(value, 0)}" for name, value in call.named]
    prefix = f"{call.library}." if call.library else ""
    suffix = f".{call.output}" if call.output else ""
    return f"{prefix}{call.name}({', '.join(arguments)}){suffix}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)
