"""docs/strategies.md says what the catalogue says."""

import json
import re
from pathlib import Path

import pytest

from domain.config_errors import InvalidConfig
from strategies.catalogue import ENTRIES, EXITS
from strategies.registry import LogicDescription, ParameterDescription, describe, validate

PAGE = (Path(__file__).resolve().parents[2] / "docs/strategies.md").read_text()
LOGICS = [logic for logic in describe() if logic.name in {**ENTRIES, **EXITS}]
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, flags=re.DOTALL | re.MULTILINE))


def plain(number: float | None) -> str:
    return f"{number:g}" if number is None or abs(number) < 1e6 else f"{int(number):,}"


def range_of(parameter: ParameterDescription) -> str:
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.type == "boolean":
        return "true, false"
    if parameter.minimum is None:
        return "an interval"
    least = f"above {plain(parameter.minimum)}" if parameter.above_minimum else plain(parameter.minimum)
    return f"{'each ' if parameter.type in ('array', 'object') else ''}{least} to {plain(parameter.maximum)}"


def default_of(parameter: ParameterDescription) -> str:
    return f"`{json.dumps(parameter.default)}`"


def test_every_logic_of_the_catalogue_has_its_section_and_nothing_else_has() -> None:
    assert list(SECTIONS) == [logic.name for logic in LOGICS]


@pytest.mark.parametrize("logic", LOGICS, ids=lambda logic: str(logic.name))
def test_the_table_of_a_logic_has_each_parameter_with_its_default_and_range(logic: LogicDescription) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", SECTIONS[logic.name], flags=re.MULTILINE)
    shared = re.search(r"parameters of `(\w+)`", SECTIONS[logic.name])

    if not rows and shared:
        other = next(each for each in LOGICS if each.name == shared[1])
        assert other.parameters == logic.parameters
        return
    assert rows == [
        (each.name, default_of(each), range_of(each), each.description.rstrip(".")) for each in logic.parameters
    ]


def test_the_strategy_of_five_minutes_is_one_and_its_mistakes_are_told_as_shown() -> None:
    [document, told] = re.findall(r"```(?:json)?\n(\{.*?|error.*?)```", PAGE, flags=re.DOTALL)
    _, leaving = validate(json.loads(document)).strategy.logics
    assert leaving.params["stop"] == "peak - 5 * atr(14)"
    mistaken = document.replace('"rsi(14)", "op": "<="', '"rsy(14)", "op": "=<"')

    with pytest.raises(InvalidConfig) as refused:
        validate(json.loads(mistaken))

    assert [f"  {problem}" for problem in refused.value.problems] == told.strip().splitlines()[1:]
