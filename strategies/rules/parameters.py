"""The rule as a parameter of a logic, and expressions beside it: refused with the place of each mistake."""

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails

from domain.config_errors import refuse
from strategies.rules.position import Held
from strategies.rules.program import ProgramBuilder
from strategies.rules.rule import InvalidRule, read_rule, read_stop
from strategies.rules.syntax import RuleError, text_of


def _checked(raw: dict[str, Any], *, of_exit: bool) -> dict[str, Any]:
    """Return the rule, written in the one way: bots whose rules differ in spaces alone share a strategy.

    Raises:
        ValidationError: with every mistake at its place.
    """
    try:
        return read_rule(raw, of_exit=of_exit).document
    except InvalidRule as error:
        details = [InitErrorDetails(type=refuse(said), loc=tuple(at), input=raw) for at, said in error.problems]
        raise ValidationError.from_exception_data("rule", details) from error


def _checked_stop(text: str) -> str:
    if not text:
        return ""
    try:
        return text_of(read_stop(text, ProgramBuilder(Held._fields))[0])
    except RuleError as error:
        raise refuse(str(error)) from error


_DESCRIPTION = "Comparisons of prices, volume and indicators, joined by all, any and not; see docs/rules.md."

EntryRule: TypeAlias = Annotated[
    dict[str, Any], AfterValidator(lambda raw: _checked(raw, of_exit=False)), Field(description=_DESCRIPTION)
]
ExitRule: TypeAlias = Annotated[
    dict[str, Any], AfterValidator(lambda raw: _checked(raw, of_exit=True)), Field(description=_DESCRIPTION)
]
ExitStop: TypeAlias = Annotated[
    str,
    AfterValidator(_checked_stop),
    Field(description="A price such as peak - 3 * atr(14); sold where the close is at or below its running maximum."),
]
