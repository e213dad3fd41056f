"""Strategies and logics by name: builds them from a configuration, or says all that is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar, overload

from pydantic import ValidationError

from domain.config import BotConfig, LogicConfig, StrategyConfig, parse_config
from domain.config_errors import InvalidConfig, Problem, problems_of, unknown_name
from domain.errors import SteadyhandError
from domain.model import Model
from strategies import catalogue
from strategies.custom import AnyStrategy, CustomStrategy
from strategies.entries.rule import RuleEntryMixin
from strategies.entry_logic import AnyEntry
from strategies.exit_logic import AnyExit
from strategies.exits.rule import RuleExitMixin
from strategies.logic import Parameters
from strategies.plugs import NO_PLUGINS, EntryRules, ExitRules, Kind, Plugs

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
    """One logic of the catalogue or of a plugin; a `strategy` is an entry and an exit in one."""

    kind: Kind
    name: str
    rule: str
    parameters: tuple[ParameterDescription, ...]


def validate(raw: Mapping[str, Any], plugs: Plugs = NO_PLUGINS) -> BotConfig:
    """Return the configuration in `raw`, whose strategy can be built. Blocks where a plugin takes part.

    Raises:
        InvalidConfig: with every problem at once, those of the strategy's parameters included.
    """
    strategy = raw.get("strategy") if isinstance(raw, Mapping) else None
    problems = tuple(_strategy_problems(strategy, plugs))
    try:
        config = parse_config(raw)
    except InvalidConfig as error:
        raise InvalidConfig((*error.problems, *problems)) from None
    problems = problems or tuple(_misfits(config, plugs))
    if problems:
        raise InvalidConfig(problems)
    return config


@overload
def build_strategy(config: StrategyConfig) -> CustomStrategy: ...


@overload
def build_strategy(config: StrategyConfig, plugs: Plugs) -> AnyStrategy: ...


def build_strategy(config: StrategyConfig, plugs: Plugs = NO_PLUGINS) -> AnyStrategy:
    """Return the strategy of a configuration; without plugins the same object for the same parameters.

    Blocks where a plugin takes part, and raises what it does wrong.

    Raises:
        InvalidConfig: with every problem at once; paths are those inside the whole configuration.
    """
    if plugs.executor(config.model_dump()) is None:
        return _built(config.model_dump_json(exclude={"parameters": {"position_size"}}))
    entry, exit_ = config.logics
    if config.type not in STRATEGIES:
        params = entry.params
        return CustomStrategy(plugs.entry("strategy", config.type, params), plugs.exit("strategy", config.type, params))
    return CustomStrategy(_entry(entry, plugs), _exit(exit_, plugs))


def describe(plugs: Plugs = NO_PLUGINS) -> tuple[LogicDescription, ...]:
    """Return all known logics with their rules and parameters. Blocks where there are plugins."""
    entries = (_described("entry", logic) for logic in ENTRIES.values())
    exits = (_described("exit", logic) for logic in EXITS.values())
    plugged = (_description(found.kind, found.name, found.rule, found.schema) for found in plugs.describe())
    return (*entries, *exits, *plugged)


@lru_cache(maxsize=4096)
def _built(document: str) -> CustomStrategy:
    config = StrategyConfig.model_validate_json(document)
    problems = tuple(_strategy_problems(config.model_dump(), NO_PLUGINS))
    if problems:
        raise InvalidConfig(problems)
    entry, exit_ = config.logics
    return STRATEGIES[config.type](_made(ENTRIES[entry.name], entry.params), _made(EXITS[exit_.name], exit_.params))


def _entry(logic: LogicConfig, plugs: Plugs) -> EntryRules:
    if logic.name in ENTRIES:
        return _made(ENTRIES[logic.name], logic.params)
    return plugs.entry("entry", logic.name, logic.params)


def _exit(logic: LogicConfig, plugs: Plugs) -> ExitRules:
    if logic.name in EXITS:
        return _made(EXITS[logic.name], logic.params)
    return plugs.exit("exit", logic.name, logic.params)


def _made(logic: type[L], params: Mapping[str, Any]) -> L:
    return logic(logic.Params.model_validate(params))


def _strategy_problems(strategy: Any, plugs: Plugs) -> Iterator[Problem]:
    """Judge a raw strategy, as far as it has a shape: what lacks one is the configuration model's to report."""
    if not isinstance(strategy, Mapping):
        return
    kind, parameters = strategy.get("type"), strategy.get("parameters")
    if isinstance(kind, str) and kind and kind not in STRATEGIES:
        if plugs.has("strategy", kind):
            yield from _own_problems(kind, parameters, plugs)
            return
        yield Problem(path="strategy.type", message=_not_known(kind, STRATEGIES, "strategy", plugs))
    if isinstance(parameters, Mapping):
        yield from _logic_problems("entry", parameters.get("entry_logic"), ENTRIES, plugs)
        yield from _logic_problems("exit", parameters.get("exit_logic"), EXITS, plugs)


def _own_problems(kind: str, parameters: Any, plugs: Plugs) -> Sequence[Problem]:
    if not isinstance(parameters, Mapping):
        return ()
    own = {name: value for name, value in parameters.items() if name != "position_size"}
    return plugs.problems("strategy", kind, own, at=("strategy", "parameters"))


def _logic_problems(
    kind: Literal["entry", "exit"],
    logic: Any,
    known: Mapping[str, type[AnyEntry]] | Mapping[str, type[AnyExit]],
    plugs: Plugs,
) -> Iterator[Problem]:
    if not isinstance(logic, Mapping):
        return
    name, params, place = logic.get("name"), logic.get("params", {}), ("strategy", "parameters", f"{kind}_logic")
    if not isinstance(name, str) or not name:
        return
    if name in known:
        if isinstance(params, Mapping):
            yield from _parameter_problems(known[name].Params, params, (*place, "params"))
    elif not plugs.has(kind, name):
        yield Problem(path=".".join((*place, "name")), message=_not_known(name, known, kind, plugs))
    elif isinstance(params, Mapping):
        yield from plugs.problems(kind, name, params, at=place)


def _parameter_problems(model: type[Parameters], params: Mapping[str, Any], at: tuple[str, ...]) -> tuple[Problem, ...]:
    try:
        model.model_validate(params)
    except ValidationError as error:
        return problems_of(error, model, at=at, noun="parameter")
    return ()


def _misfits(config: BotConfig, plugs: Plugs) -> Iterator[Problem]:
    place = "strategy.parameters"
    try:
        strategy, interval = build_strategy(config.strategy, plugs), config.data.interval
        for key, logic in (("entry_logic", strategy.entry_logic), ("exit_logic", strategy.exit_logic)):
            misfit = logic.misfit(interval)
            if misfit:
                yield Problem(path=f"{place}.{key}.params", message=misfit)
    except SteadyhandError as error:  # of a plugin: its parameters are well, and it cannot be made of them all the same
        yield Problem(path=place, message=str(error))


def _not_known(name: str, builtin: Mapping[str, object], kind: Kind, plugs: Plugs) -> str:
    known = (*builtin, *plugs.names(kind))
    noun = kind if kind == "strategy" else f"{kind} logic"
    if hint := plugs.hint(name):
        return f"{noun} {name!r} {hint}. Known: {', '.join(known)}"
    sentence = unknown_name(name, known, noun=f"{noun} {name!r}")
    return sentence if "one of" in sentence else f"{sentence} Known: {', '.join(known)}"


def _described(kind: Literal["entry", "exit"], logic: type[AnyEntry] | type[AnyExit]) -> LogicDescription:
    rule = " ".join((logic.__doc__ or "").split())
    return _description(kind, logic.__name__, rule, logic.Params.model_json_schema())


def _description(kind: Kind, name: str, rule: str, schema: Mapping[str, Any]) -> LogicDescription:
    properties = schema.get("properties", {})
    parameters = tuple(_parameter(key, field) for key, field in properties.items())
    return LogicDescription(kind=kind, name=name, rule=rule, parameters=parameters)


def _parameter(name: str, schema: Mapping[str, Any]) -> ParameterDescription:
    """Return a parameter of any model: of what a plugin may have besides, such as lists of texts, as much as fits."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    field = {**schema, **options[0]} if len(options) == 1 else schema
    inner = (field.get("items"), field.get("additionalProperties"))
    value = next((part for part in inner if isinstance(part, Mapping)), field)
    return ParameterDescription(
        name=name,
        type=field.get("type", "object"),
        default=_shown(field.get("default")),
        minimum=value.get("minimum", value.get("exclusiveMinimum")),
        maximum=value.get("maximum"),
        above_minimum="exclusiveMinimum" in value,
        choices=tuple(map(str, field.get("enum", ()))),
        description=field.get("description", ""),
    )


def _shown(default: Any) -> Any:
    """Return a default that a description has room for, else None."""
    values = list(default.values()) if isinstance(default, dict) else default if isinstance(default, list) else []
    return default if all(isinstance(value, int | float) for value in values) else None
