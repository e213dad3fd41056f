"""A rule as it stands in a bot's row: comparisons, joined by all, any and not.

{"all": [{"left": "rsi(14)", "op": "<=", "right": 30},
         {"not": {"left": "close", "op": "<", "right": "ema(200)@4h"}}]}
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from domain.candles import Candles
from domain.config_errors import Place, shown, unknown_name
from domain.decisions import Comparison
from strategies.arrays import Flags
from strategies.conditions import Check
from strategies.rules.condition import Leaf
from strategies.rules.parser import parse
from strategies.rules.position import Held, Side, position_name, side_of
from strategies.rules.program import MAX_WARMUP, Needs, Program, ProgramBuilder, most
from strategies.rules.syntax import Node, RuleError, text_of

MAX_CONDITIONS = 50
MAX_LEVELS = 8

Joint: TypeAlias = Literal["all", "any"]
F = TypeVar("F", bool, Flags)
_Problem: TypeAlias = tuple[Place, str]

_OPS: tuple[Comparison, ...] = get_args(Comparison)
_OPPOSITES: Mapping[Comparison, Comparison] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_DUALS: Mapping[Joint, Joint] = {"all": "any", "any": "all"}
_COMPARISON_KEYS = ("left", "op", "right")
_JOINT_KEYS: tuple[Literal["all", "any", "not"], ...] = ("all", "any", "not")


class InvalidRule(ValueError):
    """A rule is refused. Carries all that is wrong with it: where inside the rule, and the sentence."""

    def __init__(self, problems: Iterable[_Problem]) -> None:
        self.problems: tuple[_Problem, ...] = tuple(problems)
        super().__init__("; ".join(sentence for _, sentence in self.problems))


class Group(NamedTuple):
    """Comparisons, by their place among the leaves, and groups of which all or any must hold."""

    joint: Joint
    parts: "tuple[int | Group, ...]"


_Read: TypeAlias = tuple[int | Group, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, ready to be asked.

    Attributes:
        leaves: its comparisons, in the order in which they are written.
        document: the rule as JSON, written in one way only: small letters, even spaces, `not` at crossings alone.
        stop: the price of an exit's stop, where it has one.
    """

    leaves: tuple[Leaf, ...]
    tree: int | Group
    program: Program
    needs: Needs
    document: dict[str, Any]
    stop: Side | None = None

    def flags(self, candles: Candles) -> Flags:
        """Return for each candle whether the rule holds; it must not ask of a position."""
        values = self.program.run(candles)
        return _decided(self.tree, [leaf.flags(values, len(candles)) for leaf in self.leaves])

    def holds(self, checks: Sequence[Check]) -> bool:
        """Return whether the rule holds, given the checks of its leaves."""
        return bool(checks) and _decided(self.tree, [check.holds for check in checks])

    def waiting(self, checks: Sequence[Check]) -> tuple[str, ...]:
        """Return the names of comparisons without values, unless one beside them in an `any` holds already."""
        return tuple(_waiting(self.tree, checks)) if checks else ()


def read_rule(raw: Any, *, of_exit: bool, stop: str = "") -> Rule:
    """Return the rule that a JSON document writes; only an exit's may ask of the position, and have a stop.

    Raises:
        InvalidRule: with everything that is wrong.
        RuleError: the stop is no price, or too much beside the rule.
    """
    reader = _RuleReader(of_exit=of_exit)
    tree, document = reader.read(raw, (), level=1, is_not=False)
    level = read_stop(stop, reader.builder)[1] if stop else None
    leaves = tuple(reader.leaves)
    needs = most(*(_leaf_needs(leaf) for leaf in leaves), level.needs if level else {})
    if needs.get("", 1) > MAX_WARMUP:
        raise _wrong((), f"needs {needs['']} candles to settle; at most {MAX_WARMUP} are loaded")
    return Rule(leaves, tree, reader.builder.program(), needs, document, level)


def read_stop(text: str, builder: ProgramBuilder) -> tuple[Node, Side]:
    """Return the expression of a stop, added to a program.

    Raises:
        RuleError: it is no expression of a price.
    """
    node = parse(text)
    side = side_of(node, builder)
    if side.number is not None:
        raise RuleError(f"expected a price of the candles or the position, such as peak * 0.97; was {text}")
    return node, side


class _RuleReader:
    """Reads a document from the outside in, and goes on after a mistake to find the others."""

    def __init__(self, *, of_exit: bool) -> None:
        self.builder = ProgramBuilder(Held._fields if of_exit else ())
        self.leaves: list[Leaf] = []
        self._of_exit = of_exit

    def read(self, raw: Any, place: Place, *, level: int, is_not: bool) -> _Read:
        """Return a part of the rule and its document."""
        if not isinstance(raw, Mapping):
            raise _wrong(place, f"must be a condition, an object; was {shown(raw)}")
        if level > MAX_LEVELS:
            raise _wrong(place, f"conditions may be {MAX_LEVELS} levels deep; this is one more")
        joint = next((key for key in _JOINT_KEYS if key in raw), None)
        _refuse_other_keys(raw, place, (joint,) if joint else _COMPARISON_KEYS)
        if joint is None:
            return self._comparison(raw, place, is_not=is_not)
        if joint == "not":
            return self.read(raw["not"], (*place, "not"), level=level + 1, is_not=not is_not)
        return self._group(raw[joint], joint, (*place, joint), level=level, is_not=is_not)

    def _group(self, raw: Any, joint: Joint, place: Place, *, level: int, is_not: bool) -> _Read:
        if not isinstance(raw, list | tuple) or not raw:
            raise _wrong(place, f"must be a list of at least one condition; was {shown(raw)}")
        if len(raw) > MAX_CONDITIONS:
            raise _wrong(place, f"a rule may have {MAX_CONDITIONS} conditions; has {len(raw)}")
        parts: list[_Read] = []
        problems: list[_Problem] = []
        for i, part in enumerate(raw):
            try:
                parts.append(self.read(part, (*place, i), level=level + 1, is_not=is_not))
            except InvalidRule as error:
                problems += error.problems
        if problems:
            raise InvalidRule(problems)
        own = _DUALS[joint] if is_not else joint
        return Group(own, tuple(tree for tree, _ in parts)), {own: [document for _, document in parts]}

    def _comparison(self, raw: Mapping[str, Any], place: Place, *, is_not: bool) -> _Read:
        if len(self.leaves) == MAX_CONDITIONS:
            raise _wrong(place, f"a rule may have {MAX_CONDITIONS} conditions; this is one more")
        sides: list[tuple[Node, Side]] = []
        problems: list[_Problem] = []
        for key in _COMPARISON_KEYS:
            try:
                if key == "op":
                    _check_op(_required(raw, key))
                else:
                    sides.append(self._side(_required(raw, key)))
            except RuleError as error:
                problems.append(((*place, key), str(error)))
        if problems:
            raise InvalidRule(problems)
        left, right = sides
        if left[1].number is not None and right[1].number is not None:
            raise _wrong(place, "compares two numbers; one side must be of the candles")
        self.leaves.append(_leaf(left, raw["op"], right, is_not=is_not))
        return len(self.leaves) - 1, _written(left[0], raw["op"], right[0], is_not=is_not)

    def _side(self, raw: Any) -> tuple[Node, Side]:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise RuleError(f"must be an expression or a number; was {shown(raw)}")
        node = parse(raw if isinstance(raw, str) else _number(raw))
        asked = position_name(node)
        if asked is not None and not self._of_exit:
            raise RuleError(f"{asked.name} is known in the rule of an exit only", asked.at)
        return node, side_of(node, self.builder)


def _wrong(place: Place, sentence: str) -> InvalidRule:
    return InvalidRule([(place, sentence)])


def _refuse_other_keys(raw: Mapping[str, Any], place: Place, known: tuple[str, ...]) -> None:
    for key in map(str, raw):
        if key in known:
            continue
        if key in _COMPARISON_KEYS or key in _JOINT_KEYS:
            raise _wrong((*place, key), f"does not go beside {known[0]}; each condition is an object of its own")
        raise _wrong((*place, key), unknown_name(key, (*_COMPARISON_KEYS, *_JOINT_KEYS), noun="key"))


def _required(raw: Mapping[str, Any], key: str) -> Any:
    if key not in raw:
        raise RuleError("is required: a comparison has left, op and right")
    return raw[key]


def _number(raw: float) -> str:
    """Return a number of the document as text."""
    try:
        value = float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise RuleError(f"must be a finite number; was {shown(raw)}")
    return repr(value)


def _check_op(raw: Any) -> None:
    if raw not in _OPS:
        raise RuleError(f"must be one of {', '.join(_OPS)}; was {shown(raw)}")


def _leaf(left: tuple[Node, Side], op: Comparison, right: tuple[Node, Side], *, is_not: bool) -> Leaf:
    name = text_of(left[0]) if right[1].number is not None else f"{text_of(left[0])}, {text_of(right[0])}"
    if not is_not:
        return Leaf(name, left[1], op, right[1])
    if op in _OPPOSITES:
        return Leaf(name, left[1], _OPPOSITES[op], right[1])
    return Leaf(f"not {name}", left[1], op, right[1], is_not=True)


def _written(left: Node, op: Comparison, right: Node, *, is_not: bool) -> dict[str, Any]:
    opposite = _OPPOSITES.get(op) if is_not else op
    comparison = {"left": text_of(left), "op": opposite or op, "right": text_of(right)}
    return comparison if opposite else {"not": comparison}


def _leaf_needs(leaf: Leaf) -> Needs:
    """Return what both sides need; one candle more where the one before is looked at too."""
    needs = most(leaf.left.needs, leaf.right.needs)
    return {key: count + 1 for key, count in needs.items()} if leaf.op not in _OPPOSITES else needs


def _decided(tree: int | Group, flags: Sequence[F]) -> F:
    if isinstance(tree, int):
        return flags[tree]
    parts = [_decided(part, flags) for part in tree.parts]
    return reduce(and_ if tree.joint == "all" else or_, parts)


def _waiting(tree: int | Group, checks: Sequence[Check]) -> Iterable[str]:
    if isinstance(tree, int):
        if not checks[tree].has_values:
            yield checks[tree].name
    elif tree.joint == "all" or not _decided(tree, [check.holds for check in checks]):
        for part in tree.parts:
            yield from _waiting(part, checks)
