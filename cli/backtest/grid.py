"""A grid of parameters: what `--sweep` says, as configurations."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from math import prod
from typing import Any, TypeAlias

from cli.output import CliError
from domain.config_errors import unknown_name
from strategies.registry import ENTRIES, EXITS

Values: TypeAlias = tuple[tuple[str, int | float], ...]

_MOST = 100_000


@dataclass(frozen=True)
class Axis:
    """The values of one parameter.

    Attributes:
        name: as the command line has it.
        path: where it stands in a configuration.
    """

    name: str
    path: tuple[str, ...]
    values: tuple[int | float, ...]


def axes_of(text: str, raw: Mapping[str, Any]) -> list[Axis]:
    """Return the axes that `param=from:to:step,…` says, `to` included.

    Args:
        raw: the configuration that they vary; a name is a parameter of its logics, or a path such as
            `risk_management.stop_loss_pct`.

    Raises:
        CliError: it says something else, or more than 100,000 combinations.
    """
    axes = [_axis(part.strip(), raw) for part in text.split(",")]
    names = [axis.name for axis in axes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CliError(f"--sweep: {', '.join(twice)} stands there twice")
    if (count := prod(len(axis.values) for axis in axes)) > _MOST:
        raise CliError(f"--sweep: {count:,} combinations are too many; at most {_MOST:,}")
    # Those of the entry rule vary slowest: its signals are computed once for all that follows.
    return sorted(axes, key=lambda axis: "entry_logic" not in axis.path)


def combinations(axes: Sequence[Axis]) -> Iterator[Values]:
    """Yield every combination, the last axis changing fastest."""
    for values in product(*(axis.values for axis in axes)):
        yield tuple((axis.name, value) for axis, value in zip(axes, values, strict=True))


def varied(raw: Mapping[str, Any], axes: Sequence[Axis], values: Values) -> dict[str, Any]:
    """Return the configuration with these values."""
    changed: dict[str, Any] = json.loads(json.dumps(raw))
    for axis, (_, value) in zip(axes, values, strict=True):
        section = changed
        for key in axis.path[:-1]:
            section = section.setdefault(key, {})
        section[axis.path[-1]] = value
    return changed


def _axis(text: str, raw: Mapping[str, Any]) -> Axis:
    name, _, span = text.partition("=")
    numbers = _numbers(span)
    if len(numbers) != 3 or numbers[2] <= 0 or numbers[1] < numbers[0]:
        raise CliError(f"--sweep: must be PARAM=FROM:TO:STEP, such as e_rsi_period=10:20:2; was {text}")
    first, last, step = numbers
    count = int((last - first) / step) + 1
    if count > _MOST:
        raise CliError(f"--sweep: {name} has {count:,} values; at most {_MOST:,}")
    values = (first + step * k for k in range(count))
    return Axis(name, _path(name, raw), tuple(int(v) if v == v.to_integral_value() else float(v) for v in values))


def _numbers(span: str) -> list[Decimal]:
    """Return the numbers between colons; none where one of them is no number."""
    try:
        numbers = [Decimal(part) for part in span.split(":")]
    except InvalidOperation:
        return []
    return numbers if all(number.is_finite() for number in numbers) else []


def _path(name: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
    if "." in name:
        return tuple(name.split("."))
    parameters = raw["strategy"]["parameters"]
    known: dict[str, tuple[str, ...]] = {}
    for key, logics in (("entry_logic", ENTRIES), ("exit_logic", EXITS)):
        for parameter in logics[parameters[key]["name"]].Params.model_fields:
            known[parameter] = ("strategy", "parameters", key, "params", parameter)
    if name not in known:
        raise CliError(f"--sweep: {unknown_name(name, tuple(known), noun='parameter')}")
    return known[name]
