"""Strategies by name: what is built, and every way in which a name or a parameter is refused."""

import copy
from typing import Any

import pytest

from domain.config import parse_config
from domain.config_errors import InvalidConfig
from domain.templates import bot_from_template, templates
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from strategies.exits.atr import ATRExitMixin, ATRParams
from strategies.registry import build_strategy, describe, validate

ENTRY, EXIT = ("strategy", "parameters", "entry_logic"), ("strategy", "parameters", "exit_logic")


def raw() -> dict[str, Any]:
    return bot_from_template("rsi", id="a", symbol="BTC/USDT")


def logic(document: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
    for key in place:
        document = document[key]
    return document


def problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidConfig) as caught:
        validate(document)
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize("template", [template.name for template in templates()])
def test_every_template_can_be_built(template: str) -> None:
    config = validate(bot_from_template(template, id="a", symbol="BTC/USDT"))

    assert build_strategy(config.strategy).warmup > 0


def test_a_strategy_is_built_with_its_parameters_and_defaults() -> None:
    document = raw()
    logic(document, ENTRY)["params"] = {"e_rsi_period": 7, "e_use_bb_touch": False}
    del logic(document, EXIT)["params"]

    strategy = build_strategy(validate(document).strategy)

    assert isinstance(strategy.entry_logic, RSIBBVolumeEntryMixin)
    assert strategy.entry_logic.params == RSIBBVolumeParams(e_rsi_period=7, e_use_bb_touch=False)
    assert isinstance(strategy.exit_logic, ATRExitMixin)
    assert strategy.exit_logic.params == ATRParams(x_atr_period=14, x_sl_multiplier=2.0)
    assert strategy.warmup == 30 * 14


def test_bots_with_the_same_parameters_share_one_strategy() -> None:
    first, second, other = (raw() for _ in range(3))
    second["id"] = "b"
    second["strategy"]["parameters"]["position_size"] = 0.5
    logic(other, EXIT)["params"]["x_sl_multiplier"] = 3

    built = [build_strategy(validate(document).strategy) for document in (first, second, other)]

    assert built[0] is built[1]
    assert built[0] is not built[2]


@pytest.mark.parametrize(
    ("place", "params", "parameter", "message"),
    [
        (ENTRY, {"e_rsi_perod": 14}, "e_rsi_perod", "unknown parameter; did you mean e_rsi_period?"),
        (ENTRY, {"e_rsi_period": 1}, "e_rsi_period", "must be at least 2; was 1"),
        (ENTRY, {"e_rsi_period": 1001}, "e_rsi_period", "must be at most 1000; was 1001"),
        (ENTRY, {"e_rsi_period": 14.5}, "e_rsi_period", "must be a whole number; was 14.5"),
        (ENTRY, {"e_rsi_oversold": 51}, "e_rsi_oversold", "must be at most 50; was 51"),
        (ENTRY, {"e_bb_dev": 0.05}, "e_bb_dev", "must be at least 0.1; was 0.05"),
        (ENTRY, {"e_bb_dev": True}, "e_bb_dev", "must be a number; was true"),
        (ENTRY, {"e_min_volume_ratio": 101}, "e_min_volume_ratio", "must be at most 100; was 101"),
        (ENTRY, {"e_use_bb_touch": "yes"}, "e_use_bb_touch", "must be true or false; was 'yes'"),
        (EXIT, {"x_sl_multiplier": 0}, "x_sl_multiplier", "must be at least 0.1; was 0"),
        (EXIT, {"x_sl_multiplier": float("nan")}, "x_sl_multiplier", "must be a finite number; was nan"),
        (EXIT, {"x_atr_period": None}, "x_atr_period", "must be a number; was null"),
        (EXIT, {"e_rsi_period": 14}, "e_rsi_period", None),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_at_its_path(
    place: tuple[str, ...], params: dict[str, object], parameter: str, message: str | None
) -> None:
    document = raw()
    logic(document, place)["params"] = params

    found = problems(document)

    assert list(found) == [".".join((*place, "params", parameter))]
    assert message is None or message in found.values()


def test_unknown_names_list_the_known_ones_and_the_nearest() -> None:
    document = raw()
    document["strategy"]["type"] = "CustmStrategy"
    logic(document, ENTRY)["name"] = "RSIBBVolumeEntryMixn"
    logic(document, EXIT)["name"] = "zzz"

    assert problems(document) == {
        "strategy.type": "unknown strategy 'CustmStrategy'; did you mean CustomStrategy? Known: CustomStrategy",
        "strategy.parameters.entry_logic.name": (
            "unknown entry logic 'RSIBBVolumeEntryMixn'; did you mean RSIBBVolumeEntryMixin? "
            "Known: RSIBBVolumeEntryMixin, RuleEntryMixin"
        ),
        "strategy.parameters.exit_logic.name": "unknown exit logic 'zzz'; expected one of ATRExitMixin, RuleExitMixin",
    }


def test_problems_of_the_configuration_and_of_the_strategy_come_together() -> None:
    document = raw()
    document["broker"]["cash"] = -1
    del document["symbol"]
    logic(document, ENTRY)["params"] = {"e_rsi_perod": 14, "e_bb_dev": 99}
    logic(document, EXIT)["nam"] = 1

    assert set(problems(document)) == {
        "broker.cash",
        "symbol",
        "strategy.parameters.exit_logic.nam",
        "strategy.parameters.entry_logic.params.e_rsi_perod",
        "strategy.parameters.entry_logic.params.e_bb_dev",
    }


@pytest.mark.parametrize("shape", [None, [], "x", {"type": 3}, {"parameters": []}, {"parameters": {"entry_logic": 1}}])
def test_a_strategy_without_shape_is_refused_once_per_place(shape: object) -> None:
    found = problems(raw() | {"strategy": shape})

    assert found
    assert all(path.startswith("strategy") for path in found)


@pytest.mark.parametrize("document", [None, [], "text"])
def test_a_document_that_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(InvalidConfig, match="must be an object"):
        validate(document)


def test_building_refuses_what_the_configuration_alone_cannot_know() -> None:
    document = copy.deepcopy(raw())
    logic(document, ENTRY)["params"] = {"e_rsi_perod": 14}

    with pytest.raises(InvalidConfig, match=r"entry_logic\.params\.e_rsi_perod: unknown parameter"):
        build_strategy(parse_config(document).strategy)


def test_the_catalogue_describes_each_logic_with_ranges_and_defaults() -> None:
    catalogue = {described.name: described for described in describe()}
    entry, exit_ = catalogue["RSIBBVolumeEntryMixin"], catalogue["ATRExitMixin"]

    assert (entry.kind, entry.name) == ("entry", "RSIBBVolumeEntryMixin")
    assert entry.rule.startswith("RSI ≤ oversold and C ≤ lower band")
    period, oversold, *_ = entry.parameters
    assert (period.name, period.type, period.default) == ("e_rsi_period", "integer", 14)
    assert (period.minimum, period.maximum) == (2, 1000)
    assert (oversold.type, oversold.default, oversold.minimum, oversold.maximum) == ("number", 30, 0, 50)
    assert (entry.parameters[-1].type, entry.parameters[-1].default) == ("boolean", True)
    assert (exit_.kind, [parameter.name for parameter in exit_.parameters]) == (
        "exit",
        ["x_atr_period", "x_sl_multiplier"],
    )
    assert all(parameter.description for described in catalogue.values() for parameter in described.parameters)
