"""A rule in a bot's configuration: what is built, and what its owner reads when something is wrong with it."""

from typing import Any

import pytest

from domain.config_errors import InvalidConfig
from domain.templates import bot_from_template
from strategies.entries.rule import RuleEntryMixin
from strategies.exits.rule import RuleExitMixin
from strategies.registry import build_strategy, describe, validate

ENTRY_RULE = "strategy.parameters.entry_logic.params.rule"
EXIT_PARAMS = "strategy.parameters.exit_logic.params"
NO_PRICE = "expected a price of the candles or the position, such as peak * 0.97"
NO_SERIES = "peak is a value of the position, which no indicator, shift or @ takes"
OVERSOLD = {"left": "rsi(14)", "op": "<=", "right": 30}


def row(rule: Any, *, exit_params: Any = None, interval: str = "1h") -> dict[str, Any]:
    document = bot_from_template("rsi", id="a", symbol="BTC/USDT")
    document["data"]["interval"] = interval
    document["strategy"]["parameters"]["entry_logic"] = {"name": "RuleEntryMixin", "params": {"rule": rule}}
    if exit_params is not None:
        document["strategy"]["parameters"]["exit_logic"] = {"name": "RuleExitMixin", "params": exit_params}
    return document


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        validate(document)
    return [str(problem) for problem in caught.value.problems]


def test_a_row_with_rules_is_built() -> None:
    held = {"any": [{"left": "profit_pct", "op": ">=", "right": 4}, {"left": "minutes_held", "op": ">", "right": 600}]}
    rule = {"all": [OVERSOLD, {"left": "close", "op": ">", "right": "ema(50)@4h"}]}

    strategy = build_strategy(validate(row(rule, exit_params={"rule": held, "stop": "peak - 3*atr(14)"})).strategy)

    assert isinstance(strategy.entry_logic, RuleEntryMixin)
    assert isinstance(strategy.exit_logic, RuleExitMixin)
    assert strategy.entry_logic.warmup_at("1h") == (15 * 50 + 2) * 4
    assert strategy.warmup == 420
    assert strategy.exit_logic.params.stop == "peak - 3 * atr(14)"


def test_a_mistake_is_told_with_its_path_and_its_place_in_the_text() -> None:
    rule = {"all": [OVERSOLD, {"any": [{"left": "close", "op": "<", "right": "2 * smaa(20)"}]}]}

    assert problems(row(rule)) == [
        f"{ENTRY_RULE}.all.1.any.0.right: at character 5: unknown indicator smaa; did you mean sma?"
    ]


def test_all_mistakes_of_a_row_are_told_at_once() -> None:
    rule = {"all": [{**OVERSOLD, "op": "=<"}, {**OVERSOLD, "left": "rsi(0)"}]}
    document = row(rule, exit_params={"rule": {"left": "peek", "op": "<", "right": "close"}, "stop": "entry_price -"})
    document["broker"]["cash"] = -1

    assert problems(document) == [
        "broker.cash: must be greater than 0; was -1",
        f"{ENTRY_RULE}.all.0.op: must be one of <, <=, >, >=, crosses_above, crosses_below; was '=<'",
        f"{ENTRY_RULE}.all.1.left: at character 5: timeperiod of rsi must be a whole number from 1 to 1000; was 0",
        f"{EXIT_PARAMS}.rule.left: at character 1: unknown name peek; did you mean peak?",
        f"{EXIT_PARAMS}.stop: at character 14: expected a number, a name or a parenthesis; found the end",
    ]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "rule: is required"),
        ({"rule": None}, "rule: must be an object; was null"),
        ({"rule": [OVERSOLD]}, "rule: must be an object; was ["),
        ({"rule": OVERSOLD, "stop": 3}, "stop: must be text; was 3"),
        ({"rule": OVERSOLD, "stop": "3"}, f"stop: {NO_PRICE}; was 3"),
        ({"rule": OVERSOLD, "stop": "profit"}, "stop: at character 1: unknown name profit; did you mean profit_pct?"),
        ({"rule": OVERSOLD, "stopp": "peak"}, "stopp: unknown parameter; did you mean stop?"),
        ({"rule": {**OVERSOLD, "left": "sma(peak, 3)"}}, f"rule.left: at character 5: {NO_SERIES}"),
        ({"rule": {**OVERSOLD, "left": "peak[-1]"}}, f"rule.left: at character 1: {NO_SERIES}"),
    ],
)  # fmt: skip
def test_parameters_of_an_exit_that_do_not_fit_are_refused(params: dict[str, Any], problem: str) -> None:
    [found] = problems(row(OVERSOLD, exit_params=params))

    assert found.startswith(f"{EXIT_PARAMS}.{problem}")


def test_a_rule_and_its_stop_are_held_to_the_limits_together() -> None:
    many = {"left": " + ".join(f"sma({n})" for n in range(2, 30)), "op": "<", "right": 0}
    stop = "sma(30) + sma(31) + sma(32)"
    slow = "rma(rma(1000), 1000)"

    [count] = problems(row(OVERSOLD, exit_params={"rule": many, "stop": stop}))
    [warmup] = problems(row(OVERSOLD, exit_params={"rule": OVERSOLD, "stop": slow}))

    assert count == f"{EXIT_PARAMS}: stop, at character 21: a rule may have 30 indicators; this is one more"
    assert warmup == f"{EXIT_PARAMS}: needs 59999 candles to settle; at most 50000 are loaded"


@pytest.mark.parametrize(
    ("right", "interval", "message"),
    [
        (
            "ema(50)@4h",
            "3h",
            "a higher timeframe must be a multiple of the candles' interval; was 4h with candles of 3h",
        ),
        (
            "ema(50)@1h",
            "4h",
            "a higher timeframe must be a multiple of the candles' interval; was 1h with candles of 4h",
        ),
        ("ema(50)@4h", "1m", "the rule needs 180480 candles of 1m to settle; at most 50000 are loaded"),
    ],
)
def test_a_longer_interval_that_the_bots_own_does_not_allow_is_refused(right: str, interval: str, message: str) -> None:
    rule = {"left": "close", "op": ">", "right": right}

    assert problems(row(rule, interval=interval)) == [f"{ENTRY_RULE.removesuffix('.rule')}: {message}"]


def test_bots_whose_rules_differ_in_spaces_alone_decide_alike() -> None:
    first, second = (row({**OVERSOLD, "left": text}) for text in ("rsi(14)", " RSI( 14 ) "))

    assert validate(first).strategy != validate(second).strategy
    built = [build_strategy(validate(document).strategy).entry_logic.params for document in (first, second)]
    assert built[0] == built[1]


def test_the_catalogue_describes_the_rule_as_an_object() -> None:
    found = {described.name: described.parameters for described in describe()}

    assert [(p.name, p.type, p.default) for p in found["RuleEntryMixin"]] == [("rule", "object", None)]
    assert [(p.name, p.type, p.default) for p in found["RuleExitMixin"]] == [
        ("rule", "object", None),
        ("stop", "string", ""),
    ]
