"""Strategies and logics by name: builds them from a configuration, or says all that is wrong with it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from domain.config import BotConfig, StrategyConfig, parse_config
from domain.config_errors import InvalidConfig, Problem, problems_of, unknown_name
from domain.model import Model
from strategies import catalogue
from strategies.custom import CustomStrategy
from strategies.entries.rule import RuleEntryMixin
from strategies.entry_logic import AnyEntry
from strategies.exit_logic import AnyExit
from strategies.exits.rule import RuleExitMixin
from strategies.logic import Parameters

STRATEGIES: Mapping[str, type[CustomStrategy]] = {"CustomStrategy": CustomStrategy}
ENTRIES: Mapping[str, type[AnyEntry]] = {**catalogue.ENTRIES, "RuleEntryMixin": RuleEntryMixin}
EXITS: Mapping[str, type[AnyExit]] = {**catalogue.EXITS, "RuleExitMixin": RuleExitMixin}

L = TypeVar("L", AnyEntry, AnyExit)


class ParameterDescription(Model):
    """One parameter of a logic.

    Attributes:
        type: JSON's: `integer`, `number`, `boolean`, `string`, `array` of numbers, or `object` with numbers as values.
        minimum, maximum: of the value, or of each value inside; None where there is no range.
        above_minimum: the minimum itself is not allowed.
        choices: what a string may be; empty where it may be anything.
    """

    name: str
    type: str
    default: int | float | bool | str | tuple[float, ...] | dict[str, float] | None
    minimum: float | None = None
    maximum: float | None = None
    above_minimum: bool = False
    choices: tuple[str, ...] = ()
    description: str = ""


class LogicDescription(Model):
    """One logic of the catalogue."""

    kind: Literal["entry", "exit"]
    name: str
    rule: str
    parameters: tuple[ParameterDescription, ...]


def validate(raw: Mapping[str, Any]) -> BotConfig:
    """Return the configuration in `raw`, whose strategy can be built.

    Raises:
        InvalidConfig: with every problem at once, those of the strategy's parameters included.
    """
    strategy = raw.get("strategy") if isinstance(raw, Mapping) else None
    problems = tuple(_strategy_problems(strategy))
    try:
        config = parse_config(raw)
    except InvalidConfig as error:
        raise InvalidConfig((*error.problems, *problems)) from None
    problems = problems or tuple(_misfits(config))
    if problems:
        raise InvalidConfig(problems)
    return config


def build_strategy(config: StrategyConfig) -> CustomStrategy:
    """Return the strategy of a configuration; the same object for the same parameters.

    Raises:
        InvalidConfig: with every problem at once; paths are those inside the whole configuration.
    """
    return _built(config.model_dump_json(exclude={"parameters": {"position_size"}}))


def describe() -> tuple[LogicDescription, ...]:
    """Return all known logics with their rules and parameters."""
    entries = (_described("entry", logic) for logic in ENTRIES.values())
    exits = (_described("exit", logic) for logic in EXITS.values())
    return (*entries, *exits)


@lru_cache(maxsize=4096)
def _built(document: str) -> CustomStrategy:
    config = StrategyConfig.model_validate_json(document)
    problems = tuple(_strategy_problems(config.model_dump()))
    if problems:
        raise InvalidConfig(problems)
    entry, exit_ = config.parameters.entry_logic, config.parameters.exit_logic
    return STRATEGIES[config.type](_made(ENTRIES[entry.name], entry.params), _made(EXITS[exit_.name], exit_.params))


def _made(logic: type[L], params: Mapping[str, Any]) -> L:
    return logic(logic.Params.model_validate(params))


def _strategy_problems(strategy: Any) -> Iterator[Problem]:
    """Judge a raw strategy, as far as it has a shape: what lacks one is the configuration model's to report."""
    if not isinstance(strategy, Mapping):
        return
    kind = strategy.get("type")
    if isinstance(kind, str) and kind and kind not in STRATEGIES:
        yield Problem(path="strategy.type", message=_not_known(kind, STRATEGIES, "strategy"))
    parameters = strategy.get("parameters")
    if isinstance(parameters, Mapping):
        yield from _logic_problems("entry_logic", parameters.get("entry_logic"), ENTRIES)
        yield from _logic_problems("exit_logic", parameters.get("exit_logic"), EXITS)


def _logic_problems(
    key: str, logic: Any, known: Mapping[str, type[AnyEntry]] | Mapping[str, type[AnyExit]]
) -> Iterator[Problem]:
    if not isinstance(logic, Mapping):
        return
    name, params, place = logic.get("name"), logic.get("params", {}), ("strategy", "parameters", key)
    if not isinstance(name, str) or not name:
        return
    if name not in known:
        yield Problem(path=".".join((*place, "name")), message=_not_known(name, known, key.replace("_", " ")))
    elif isinstance(params, Mapping):
        yield from _parameter_problems(known[name].Params, params, (*place, "params"))


def _parameter_problems(model: type[Parameters], params: Mapping[str, Any], at: tuple[str, ...]) -> tuple[Problem, ...]:
    try:
        model.model_validate(params)
    except ValidationError as error:
        return problems_of(error, model, at=at, noun="parameter")
    return ()


def _misfits(config: BotConfig) -> Iterator[Problem]:
    strategy, interval = build_strategy(config.strategy), config.data.interval
    for key, logic in (("entry_logic", strategy.entry_logic), ("exit_logic", strategy.exit_logic)):
        misfit = logic.misfit(interval)
        if misfit:
            yield Problem(path=f"strategy.parameters.{key}.params", message=misfit)


def _not_known(name: str, known: Mapping[str, object], noun: str) -> str:
    sentence = unknown_name(name, tuple(known), noun=f"{noun} {name!r}")
    return sentence if "one of" in sentence else f"{sentence} Known: {', '.join(known)}"


def _described(kind: Literal["entry", "exit"], logic: type[AnyEntry] | type[AnyExit]) -> LogicDescription:
    properties = logic.Params.model_json_schema()["properties"]
    return LogicDescription(
        kind=kind,
        name=logic.__name__,
        rule=" ".join((logic.__doc__ or "").split()),
        parameters=tuple(_parameter(name, field) for name, field in properties.items()),
    )


def _parameter(name: str, field: Mapping[str, Any]) -> ParameterDescription:
    values = field.get("items") or field.get("additionalProperties")
    value = values if isinstance(values, Mapping) else field
    return ParameterDescription(
        name=name,
        type=field["type"],
        default=field.get("default"),
        minimum=value.get("minimum", value.get("exclusiveMinimum")),
        maximum=value.get("maximum"),
        above_minimum="exclusiveMinimum" in value,
        choices=tuple(field.get("enum", ())),
        description=field.get("description", ""),
    )
