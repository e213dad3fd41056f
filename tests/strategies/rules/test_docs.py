"""What docs/rules.md shows is true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from domain.config_errors import InvalidConfig
from domain.templates import bot_from_template
from strategies.registry import validate
from strategies.rules.parser import parse
from strategies.rules.program import ProgramBuilder
from strategies.rules.syntax import RuleError

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
INDICATORS = PAGE[PAGE.index("## Indicators") : PAGE.index("**Refused**")]
REFUSED = PAGE[PAGE.index("**Refused**") : PAGE.index("An indicator's value depends")]
EXPRESSIONS = PAGE[PAGE.index("## Expressions") : PAGE.index("**In an exit**")]
WANTED = PAGE[PAGE.index("## Often wanted") : PAGE.index("## Mistakes")]
CALL = re.compile(r"`([^`]*[a-z0-9]\([^`]*)`")


def row(entry: dict[str, Any], exit_: dict[str, Any]) -> dict[str, Any]:
    document = bot_from_template("rsi", id="a", symbol="BTC/USDT")
    document["strategy"]["parameters"] |= {"entry_logic": entry, "exit_logic": exit_}
    return document


def test_the_example_is_a_strategy() -> None:
    [block] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    strategy = json.loads(f"{{{block}}}")["strategy"]

    config = validate(row(strategy["parameters"]["entry_logic"], strategy["parameters"]["exit_logic"]))

    assert config.strategy.logics[1].params["stop"] == "peak - 3 * atr(14)"


@pytest.mark.parametrize("call", sorted(set(CALL.findall(EXPRESSIONS + INDICATORS + WANTED))))
def test_every_call_it_shows_is_understood(call: str) -> None:
    try:
        ProgramBuilder().add(parse(call))
    except RuleError as error:
        assert "has several outputs" in str(error)  # noqa: PT017  # shown without one where parameters are the point


@pytest.mark.parametrize("name", re.findall(r"`([a-z_.]+)`", REFUSED))
def test_every_indicator_it_calls_refused_is(name: str) -> None:
    if name == "offset":
        return
    with pytest.raises(RuleError, match=rf"{name.removeprefix('ta.')} "):
        ProgramBuilder().add(parse(f"{name}()"))


def test_the_mistakes_it_shows_read_as_it_says() -> None:
    shown = PAGE[PAGE.index("## Mistakes") :].split("```")[1].strip().splitlines()
    comparison = {"left": "close", "op": "<", "right": "open"}
    entry = {"all": [{**comparison, "left": "rsy(14)"}, {"left": "close", "op": "=<", "right": "rsi(14"}]}

    with pytest.raises(InvalidConfig) as caught:
        validate(
            row(
                {"name": "RuleEntryMixin", "params": {"rule": entry}},
                {"name": "RuleExitMixin", "params": {"rule": {**comparison, "left": "peek"}}},
            )
        )

    assert [str(problem) for problem in caught.value.problems] == shown
