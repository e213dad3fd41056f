"""Finds the indicator that a call means, and its parameters among the call's arguments."""

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from strategies.rules.indicator import Indicator, Prepared, Value, output_index
from strategies.rules.pandas_ta import PANDAS_TA_REFUSED, pandas_ta_function, pandas_ta_names
from strategies.rules.syntax import Binary, Call, Minus, Name, Node, Number, RuleError, text_of
from strategies.rules.talib_functions import TALIB_REFUSED, average_types, talib_function, talib_names

LONGEST_PERIOD = 1000
LARGEST_VALUE = 1e9
_LARGE = ("annualization", "divisor", "scalar")
_SYNONYMS = ("length", "period", "timeperiod")


class Bound(NamedTuple):
    """A call that is understood: what computes it, which of the outputs is meant, and the series that it takes."""

    prepared: Prepared
    output: int
    series: tuple[Node, ...]


def bind(call: Call) -> Bound:
    """Return what a call means.

    Raises:
        RuleError: no such indicator, parameter or output; or one that is out of range, or looks ahead.
    """
    indicator = _found(call)
    given, parameters = _split(call, indicator)
    try:
        prepared = indicator.prepare(parameters)
        output = output_index(call.output, prepared, call.name)
        refusal = PANDAS_TA_REFUSED.get(f"{call.name}.{prepared.outputs[output]}")
    except ValueError as error:
        raise RuleError(str(error), call.at) from error
    if refusal is not None:
        raise RuleError(f"{call.name}.{prepared.outputs[output]} {refusal}", call.at)
    columns = [Name(column, call.at) for column in indicator.series[len(given) :]]
    return Bound(prepared, output, (*given, *columns))


def is_indicator(name: str) -> bool:
    """Return whether a library has an indicator of that name."""
    return name in talib_names() or name in pandas_ta_names()


def constant(node: Node) -> float | None:
    """Return the value of an expression of numbers alone, None of any other.

    Raises:
        RuleError: it divides by zero, or is too large.
    """
    match node:
        case Number():
            return node.value
        case Minus():
            value = constant(node.node)
            return None if value is None else -value
        case Binary():
            left, right = constant(node.left), constant(node.right)
            if left is None or right is None:
                return None
            value = _calculated(left, node, right)
            if not math.isfinite(value):
                raise RuleError("the result is too large", node.at)
            return value
        case _:
            return None


def _calculated(left: float, node: Binary, right: float) -> float:
    match node.op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            if right == 0:
                raise RuleError("this divides by zero", node.at)
            return left / right


def _found(call: Call) -> Indicator:
    """Return the indicator: TA-Lib's where both libraries have the name and none was chosen."""
    refused: Mapping[str, str] = {}
    indicator: Indicator | None = None
    if call.name in talib_names() and call.library != "ta":
        refused, indicator = TALIB_REFUSED, talib_function(call.name)
    elif call.name in pandas_ta_names() and call.library != "talib":
        refused, indicator = PANDAS_TA_REFUSED, pandas_ta_function(call.name)
    if indicator is None:
        raise RuleError(f"unknown indicator {call.name}{nearest(call.name, _known(call.library))}", call.at)
    if call.name in refused:
        raise RuleError(f"{call.name} {refused[call.name]}", call.at)
    return indicator


def _known(library: str) -> frozenset[str]:
    return {"ta": pandas_ta_names(), "talib": talib_names()}.get(library, talib_names() | pandas_ta_names())


def _split(call: Call, indicator: Indicator) -> tuple[list[Node], dict[str, Value]]:
    """Return the series and the parameters of a call: first what is no number, as far as series are taken."""
    series: list[Node] = []
    parameters: dict[str, Value] = {}
    names = list(indicator.parameters)
    for arg in call.args:
        if constant(arg) is None and not parameters and len(series) < len(indicator.series):
            series.append(arg)
        elif len(parameters) < len(names):
            name = names[len(parameters)]
            parameters[name] = _value(call, name, arg, indicator.parameters[name])
        else:
            raise RuleError(f"{call.name} takes {_listed(indicator)}; this is one more", arg.at)
    for written, node in call.named:
        name = _parameter(call, written, node, names)
        if name in parameters:
            raise RuleError(f"{name} of {call.name} is given twice", node.at)
        parameters[name] = _value(call, name, node, indicator.parameters[name])
    if "" in indicator.series[len(series) :]:
        raise RuleError(f"{call.name} needs {len(indicator.series)} series; has {len(series)}", call.at)
    return series, parameters


def _listed(indicator: Indicator) -> str:
    inputs = ["a series"] * len(indicator.series)
    return " and ".join([*inputs, *indicator.parameters]) or "no parameters"


def _parameter(call: Call, written: str, node: Node, names: list[str]) -> str:
    if written in names:
        return written
    same = [name for name in names if name in _SYNONYMS]
    if written in _SYNONYMS and same:
        return same[0]
    known = nearest(written, [*names, *(_SYNONYMS if same else ())]) or f"; expected {', '.join(names) or 'none'}"
    raise RuleError(f"unknown parameter {written} of {call.name}{known}", node.at)


def _value(call: Call, name: str, node: Node, default: Value | None) -> Value:
    """Return the value of a parameter: a number, or a word where one is expected."""
    of = f"{name} of {call.name}"
    number = constant(node)
    if name.endswith("matype"):
        return _average(of, node, number)
    if isinstance(node, Name) and default is None:
        return {"true": True, "false": False}.get(node.name, node.name)
    if number is None:
        raise RuleError(f"{of} must be a number; was {text_of(node)}", node.at)
    if isinstance(default, int):
        if not (number.is_integer() and 1 <= number <= LONGEST_PERIOD):
            raise RuleError(f"{of} must be a whole number from 1 to {LONGEST_PERIOD}; was {number:g}", node.at)
        return int(number)
    largest = LARGEST_VALUE if name in _LARGE or isinstance(default, float) else LONGEST_PERIOD
    if abs(number) > largest:
        raise RuleError(f"{of} must be at most {largest:g}; was {number:g}", node.at)
    return int(number) if default is None and number.is_integer() else number


def _average(of: str, node: Node, number: float | None) -> int:
    known = average_types()
    if isinstance(node, Name) and node.name in known:
        return known[node.name]
    if number is not None and number in known.values():
        return int(number)
    raise RuleError(f"{of} must be one of {', '.join(known)}; was {text_of(node)}", node.at)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: what was meant, if anything comes near."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
