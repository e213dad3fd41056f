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

ENTRY_NAMES = (
    "RSIBBVolumeEntryMixin, RSIBBEntryMixin, RSIOrBBEntryMixin, RSIIchimokuEntryMixin, RSIVolumeSupertrendEntryMixin, "
    "BBVolumeSuperTrendEntryMixin, RuleEntryMixin"
)
EXIT_NAMES = (
    "ATRExitMixin, SimpleATRExitMixin, FixedRatioExitMixin, TrailingStopExitMixin, RSIBBExitMixin, RSIOrBBExitMixin, "
    "MACrossoverExitMixin, TimeBasedExitMixin, RoiTableExitMixin, AdvancedATRExitMixin, RuleExitMixin"
)
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


@pytest.mark.parametrize(
    ("name", "params", "place", "message"),
    [
        (
            "MACrossoverExitMixin",
            {"x_fast_period": 20},
            "",
            "x_fast_period must be less than x_slow_period; were 20 and 20",
        ),
        ("MACrossoverExitMixin", {"x_ma_type": "hull"}, ".x_ma_type", "must be one of sma, ema, wma; was 'hull'"),
        ("FixedRatioExitMixin", {"x_take_profit": 0}, ".x_take_profit", "must be greater than 0; was 0"),
        (
            "RoiTableExitMixin",
            {"x_roi": {"-5": 0.1}},
            ".x_roi",
            "must have whole minutes from 0 to 5270400 as keys; one was '-5'",
        ),
        (
            "RoiTableExitMixin",
            {"x_roi": {"1.5": 0.1}},
            ".x_roi",
            "must have whole minutes from 0 to 5270400 as keys; one was '1.5'",
        ),
        ("RoiTableExitMixin", {"x_roi": {}}, ".x_roi", "must have at least one entry of minutes and profit; was {}"),
        ("RoiTableExitMixin", {"x_roi": [1]}, ".x_roi", "must be an object; was [1]"),
        ("RoiTableExitMixin", {"x_roi": {"5": True}}, ".x_roi.5", "must be a number; was true"),
        ("RoiTableExitMixin", {"x_roi": {"5": -2}}, ".x_roi.5", "must be at least -1; was -2"),
        (
            "AdvancedATRExitMixin",
            {"pt_levels_R": [1, 2, 3]},
            "",
            "pt_levels_R and pt_sizes must have equally many values; were 3 and 2",
        ),
        ("AdvancedATRExitMixin", {"pt_levels_R": [2, 2]}, "", "pt_levels_R must ascend; was [2.0, 2.0]"),
        (
            "AdvancedATRExitMixin",
            {"pt_sizes": [0.5, 0.6]},
            "",
            "pt_sizes must add up to at most 1; was [0.5, 0.6], 1.1 together",
        ),
        ("AdvancedATRExitMixin", {"pt_sizes": [0.5, 0]}, ".pt_sizes.1", "must be greater than 0; was 0"),
        ("AdvancedATRExitMixin", {"pt_levels_R": 1}, ".pt_levels_R", "must be a list; was 1"),
        (
            "AdvancedATRExitMixin",
            {"phase2_at_R": 0.5},
            "",
            "phase2_at_R must be at least arm_at_R; were 0.5 and 1",
        ),
        (
            "AdvancedATRExitMixin",
            {"htf": "4x"},
            ".htf",
            "must be a number and one of s, m, h, d, w, M, such as 1m or 4h; was '4x'",
        ),
        (
            "AdvancedATRExitMixin",
            {"htf": "90m"},
            "",
            "htf must be a multiple of the candles' interval, unless use_htf_atr is false; was 90m with candles of 1h",
        ),
    ],
)
def test_parameters_that_do_not_fit_together_are_refused_in_one_sentence(
    name: str, params: dict[str, object], place: str, message: str
) -> None:
    document = raw()
    document["data"]["interval"] = "1h"
    logic(document, EXIT).update(name=name, params=params)

    assert problems(document) == {f"strategy.parameters.exit_logic.params{place}": message}


@pytest.mark.parametrize(
    "params", [{}, {"pt_levels_R": [], "pt_sizes": []}, {"pt_levels_R": list(range(1, 11)), "pt_sizes": [0.1] * 10}]
)
def test_parts_may_be_none_or_all(params: dict[str, object]) -> None:
    document = raw()
    document["data"]["interval"] = "1h"
    logic(document, EXIT).update(name="AdvancedATRExitMixin", params=params)

    strategy = build_strategy(validate(document).strategy)

    assert (strategy.warmup, strategy.warmup_at("1h")) == (30 * 21, 422 * 4)


def test_a_table_by_minutes_is_the_same_in_any_order() -> None:
    first, second = raw(), raw()
    logic(first, EXIT).update(name="RoiTableExitMixin", params={"x_roi": {"60": 0.01, "0": 0.04}})
    logic(second, EXIT).update(name="RoiTableExitMixin", params={"x_roi": {"0": 0.04, "60": 0.01}})

    tables = [build_strategy(validate(document).strategy).exit_logic.params.x_roi for document in (first, second)]

    assert [list(table.items()) for table in tables] == [[(0, 0.04), (60, 0.01)]] * 2


def test_unknown_names_list_the_known_ones_and_the_nearest() -> None:
    document = raw()
    document["strategy"]["type"] = "CustmStrategy"
    logic(document, ENTRY)["name"] = "RSIBBVolumeEntryMixn"
    logic(document, EXIT)["name"] = "zzz"

    assert problems(document) == {
        "strategy.type": "unknown strategy 'CustmStrategy'; did you mean CustomStrategy? Known: CustomStrategy",
        "strategy.parameters.entry_logic.name": (
            f"unknown entry logic 'RSIBBVolumeEntryMixn'; did you mean RSIBBVolumeEntryMixin? Known: {ENTRY_NAMES}"
        ),
        "strategy.parameters.exit_logic.name": f"unknown exit logic 'zzz'; expected one of {EXIT_NAMES}",
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
    described = {logic.name: logic for logic in describe()}
    entry, exit_ = described["RSIBBVolumeEntryMixin"], described["ATRExitMixin"]

    assert ", ".join(name for name, logic in described.items() if logic.kind == "entry") == ENTRY_NAMES
    assert ", ".join(name for name, logic in described.items() if logic.kind == "exit") == EXIT_NAMES
    assert entry.rule.startswith("RSI ≤ oversold and C ≤ lower band")
    period, oversold, *_ = entry.parameters
    assert (period.name, period.type, period.default) == ("e_rsi_period", "integer", 14)
    assert (period.minimum, period.maximum) == (2, 1000)
    assert (oversold.type, oversold.default, oversold.minimum, oversold.maximum) == ("number", 30, 0, 50)
    assert (entry.parameters[-1].type, entry.parameters[-1].default) == ("boolean", True)
    assert [parameter.name for parameter in exit_.parameters] == ["x_atr_period", "x_sl_multiplier"]
    assert all(logic.rule for logic in described.values())
    assert all(parameter.description for logic in described.values() for parameter in logic.parameters)


def test_lists_tables_and_choices_are_described_for_forms() -> None:
    described = {logic.name: {each.name: each for each in logic.parameters} for logic in describe()}

    table = described["RoiTableExitMixin"]["x_roi"]
    assert (table.type, table.default) == ("object", {"0": 0.04, "30": 0.02, "60": 0.01})
    assert (table.minimum, table.maximum) == (-1, 100)
    levels, sizes = (described["AdvancedATRExitMixin"][name] for name in ("pt_levels_R", "pt_sizes"))
    assert (levels.type, levels.default, levels.minimum, levels.maximum) == ("array", (1.0, 2.0), 0.1, 100)
    assert (sizes.minimum, sizes.above_minimum, sizes.maximum) == (0, True, 1)
    kind = described["MACrossoverExitMixin"]["x_ma_type"]
    assert (kind.type, kind.default, kind.choices) == ("string", "sma", ("sma", "ema", "wma"))
