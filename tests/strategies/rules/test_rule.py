"""Rules as documents: what they mean, how they are written, and every way in which one is refused."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.candles import Candles
from strategies.entries.rule import RuleEntryMixin, RuleEntryParams
from strategies.entry_logic import EntryVerdict
from strategies.rules.rule import MAX_CONDITIONS, MAX_LEVELS, InvalidRule, read_rule
from tests.strategies import reference

UP = {"left": "close", "op": ">", "right": "open"}
BIG = {"left": "volume", "op": ">=", "right": 5}
DEEP = {"left": "sma(10)", "op": "<", "right": "close"}
"""Has no value on the first nine candles."""


def market() -> Candles:
    """Five candles: up and big, up and small, down and big, down and small, up and big again."""
    opened, close = np.array([1.0, 2, 4, 3, 2]), np.array([2.0, 3, 3, 2, 4])
    volume = np.array([5.0, 1, 6, 2, 9])
    times = np.arange(5, dtype=np.int64) * reference.MINUTE
    return Candles(times, opened, np.maximum(opened, close), np.minimum(opened, close), close, volume)


def entry(rule: dict[str, Any]) -> RuleEntryMixin:
    return RuleEntryMixin(RuleEntryParams(rule=rule))


def signals(rule: dict[str, Any]) -> list[int]:
    return np.flatnonzero(entry(rule).signals(market())).tolist()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (UP, [0, 1, 4]),
        ({"all": [UP, BIG]}, [0, 4]),
        ({"any": [UP, BIG]}, [0, 1, 2, 4]),
        ({"not": UP}, [2, 3]),
        ({"all": [{"not": UP}, BIG]}, [2]),
        ({"not": {"any": [UP, BIG]}}, [3]),
        ({"not": {"all": [UP, BIG]}}, [1, 2, 3]),
        ({"not": {"not": UP}}, [0, 1, 4]),
        ({"any": [{"all": [UP, {"not": BIG}]}, {"all": [BIG, {"not": UP}]}]}, [1, 2]),
        ({"left": 5, "op": "<=", "right": "volume"}, [0, 2, 4]),
        ({"left": "close", "op": "crosses_above", "right": 2.5}, [1, 4]),
        ({"left": "close", "op": "crosses_below", "right": 2.5}, [3]),
        ({"not": {"left": "close", "op": "crosses_above", "right": 2.5}}, [2, 3]),
        ({"left": "close", "op": ">", "right": "close[-1]"}, [1, 4]),
        ({"left": "close[-1] - -close", "op": ">=", "right": "2 * open[-1] + 1"}, [1, 2]),
        ({"left": "(close - open) * volume / 2", "op": ">", "right": 2}, [0, 4]),
        ({"left": "volume / (high - close)", "op": ">", "right": 0}, [2, 3]),
        ({"left": "volume", "op": "<", "right": "-log10(-close)"}, []),
        ({"any": [DEEP, UP]}, [0, 1, 4]),
        ({"not": DEEP}, []),
    ],
)
def test_a_rule_holds_where_it_says(rule: dict[str, Any], expected: list[int]) -> None:
    candles = market()

    assert signals(rule) == expected
    assert [i for i in range(5) if entry(rule).verdict(candles[: i + 1]).signal] == expected


def test_a_verdict_tells_each_comparison_with_its_values() -> None:
    verdict = entry({"all": [UP, {"any": [BIG, {"not": UP}]}]}).verdict(market())

    assert verdict.signal
    assert [str(condition) for condition in verdict.conditions] == [
        "✓ close, open: 4 > 2",
        "✓ volume: 9 >= 5",
        "✗ close, open: 4 <= 2",
    ]


def test_a_crossing_that_must_not_be_is_told_as_such() -> None:
    rule = {"not": {"left": "close", "op": "crosses_above", "right": 2.5}}

    assert [str(condition) for condition in entry(rule).verdict(market()).conditions] == [
        "✗ not close: 4 crosses_above 2.5"
    ]


@pytest.mark.parametrize(
    ("rule", "signal", "waiting"),
    [
        ({"all": [UP, DEEP]}, False, ("sma(10), close",)),
        ({"all": [{"not": UP}, DEEP]}, False, ("sma(10), close",)),
        ({"any": [UP, DEEP]}, True, ()),
        ({"any": [{"not": UP}, DEEP]}, False, ("sma(10), close",)),
        ({"any": [UP, {"all": [DEEP, BIG]}]}, True, ()),
        ({"all": [{"any": [UP, DEEP]}, {"left": "ema(10)", "op": ">", "right": 1}]}, False, ("ema(10)",)),
        (UP, True, ()),
    ],
)
def test_it_waits_for_values_that_may_still_matter(
    rule: dict[str, Any], waiting: tuple[str, ...], *, signal: bool
) -> None:
    verdict = entry(rule).verdict(market())

    assert (verdict.signal, verdict.waiting_for) == (signal, waiting)


def test_no_candles_give_no_signal() -> None:
    nothing = market()[:0]

    assert entry(UP).verdict(nothing) == EntryVerdict(signal=False, conditions=(), waiting_for=())
    assert entry(DEEP).signals(nothing).tolist() == []
    assert entry({"left": "close@1h", "op": ">", "right": 1}).signals(nothing).tolist() == []
    assert entry(UP).explain(nothing) == ()


def test_an_older_candle_is_explained_as_it_was() -> None:
    assert [condition.holds for condition in entry({"all": [UP, BIG]}).explain(market(), 2)] == [False, True]


def test_a_rule_has_one_way_of_writing() -> None:
    written: dict[str, Any] = {
        "not": {"all": [{"left": "RSI( 14 )", "op": "<", "right": 30}, {"not": {"any": [UP, {"not": BIG}]}}]}
    }

    assert entry(written).params.rule == {
        "any": [
            {"left": "rsi(14)", "op": ">=", "right": "30"},
            {"any": [UP, {"left": "volume", "op": "<", "right": "5"}]},
        ]
    }
    assert entry(entry(written).params.rule).params == entry(written).params


def test_a_crossing_keeps_its_not() -> None:
    crossing = {"left": "close", "op": "crosses_below", "right": "sma(3)"}

    assert entry({"not": crossing}).params.rule == {"not": crossing}


def refusal(rule: Any, *, of_exit: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRule) as caught:
        read_rule(rule, of_exit=of_exit)
    return [(".".join(map(str, place)), sentence) for place, sentence in caught.value.problems]


def nested(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = UP
    for _ in range(levels):
        rule = {"all": [rule]}
    return rule


TOO_MANY = "a rule may have 50 conditions; this is one more"
OPS = "<, <=, >, >=, crosses_above, crosses_below"


@pytest.mark.parametrize(
    ("rule", "place", "message"),
    [
        ([UP], "", None),
        ("close > open", "", "must be a condition, an object; was 'close > open'"),
        ({"left": "close", "op": "<"}, "right", "is required: a comparison has left, op and right"),
        ({"all": []}, "all", "must be a list of at least one condition; was []"),
        ({"all": UP}, "all", None),
        ({"any": "close"}, "any", "must be a list of at least one condition; was 'close'"),
        ({"all": [UP, 3]}, "all.1", "must be a condition, an object; was 3"),
        ({"not": [UP]}, "not", None),
        ({"all": [UP], "any": [UP]}, "any", "does not go beside all; each condition is an object of its own"),
        ({"all": [UP], "left": "close"}, "left", "does not go beside all; each condition is an object of its own"),
        ({"al": [UP]}, "al", "unknown key; did you mean all?"),
        ({**UP, "rigth": 3}, "rigth", "unknown key; did you mean right?"),
        ({**UP, "op": "=="}, "op", f"must be one of {OPS}; was '=='"),
        ({**UP, "op": ["<"]}, "op", f'must be one of {OPS}; was ["<"]'),
        ({**UP, "left": None}, "left", "must be an expression or a number; was null"),
        ({**UP, "left": True}, "left", "must be an expression or a number; was true"),
        ({**UP, "left": math.inf}, "left", "must be a finite number; was Infinity"),
        ({**UP, "left": 10**400}, "left", "must be a finite number; was 1000000"),
        ({**UP, "left": "1e300 * 1e300"}, "left", "at character 7: the result is too large"),
        ({**UP, "left": ""}, "left", "expected an expression such as rsi(14); found nothing"),
        ({**UP, "left": "close open"}, "left", "at character 7: expected an operator or the end; found 'open'"),
        ({"left": 1, "op": "<", "right": "2 * 3"}, "", "compares two numbers; one side must be of the candles"),
        ({**UP, "left": "2 * peak"}, "left", "at character 5: peak is known in the rule of an exit only"),
        (nested(MAX_LEVELS), ".".join(["all.0"] * MAX_LEVELS), "conditions may be 8 levels deep; this is one more"),
        ({"all": [UP] * 51}, "all", "a rule may have 50 conditions; has 51"),
        ({"all": [{"all": [UP] * 30}, {"all": [UP] * 21}]}, "all.1.all.20", TOO_MANY),
    ],
)  # fmt: skip
def test_a_document_that_is_no_rule_is_refused_at_its_place(rule: Any, place: str, message: str | None) -> None:
    [(found, said)] = refusal(rule)

    assert found == place
    assert said.startswith(message or "must be ")


def test_every_mistake_is_told_at_once() -> None:
    rule = {"all": [{"left": "rsy(14)", "op": "=", "right": "closs"}, {"any": [{"left": "(", "op": "<"}, UP]}]}

    assert [place for place, _ in refusal(rule)] == [
        "all.0.left",
        "all.0.op",
        "all.0.right",
        "all.1.any.0.left",
        "all.1.any.0.right",
    ]


def test_a_rule_may_have_so_many_indicators() -> None:
    rule = {"all": [{"left": "+".join(f"sma({n})" for n in range(2, 20)), "op": ">", "right": "close"}] * 2}
    more = {"all": [*rule["all"], {"left": "+".join(f"ema({n})" for n in range(2, 20)), "op": ">", "right": 0}]}

    assert len(read_rule(rule, of_exit=False).leaves) == 2
    [(place, said)] = refusal(more)
    assert place == "all.2.left"
    assert said.endswith("a rule may have 30 indicators; this is one more")


def test_a_rule_that_needs_too_many_candles_is_refused() -> None:
    long = "rma(rma(rma(1000), 1000), 1000)"

    assert refusal({"left": long, "op": ">", "right": 0}) == [
        ("", "needs 89998 candles to settle; at most 50000 are loaded")
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "left", "op", "right", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(json_values)
def test_no_document_raises_anything_but_what_is_wrong_with_it(document: Any) -> None:
    try:
        rule = read_rule(document, of_exit=True)
    except InvalidRule as error:
        assert error.problems  # noqa: PT017
        assert all(sentence for _, sentence in error.problems)  # noqa: PT017
    else:
        assert json.loads(json.dumps(rule.document)) == rule.document


sides = st.sampled_from(
    [
        "close",
        "open[-1]",
        "sma(3)",
        "ema(4)",
        "rsi(3)",
        "bbands(4, 1).lower",
        "close@3m",
        "sma(2)@3m",
        "volume / (high - low)",
    ]
)
ops = st.sampled_from(["<", "<=", ">", ">=", "crosses_above", "crosses_below"])
comparisons = st.builds(lambda left, op, right: {"left": left, "op": op, "right": right}, sides, ops, sides)
rules = st.recursive(
    comparisons,
    lambda inner: (
        st.builds(lambda part: {"not": part}, inner)
        | st.builds(
            lambda joint, parts: {joint: parts},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(rules, st.integers(0, 100))
def test_each_candle_alone_is_judged_as_all_at_once_and_no_candle_looks_ahead(rule: dict[str, Any], seed: int) -> None:
    chance = np.random.default_rng(seed)
    steps = chance.choice([-0.5, 0, 0, 0.5], (2, 30))
    close, opened = 20 + np.cumsum(steps[0]), 20 + np.cumsum(steps[1])
    times = (20 + np.cumsum(np.r_[1, 1, chance.integers(1, 3, 28)])) * reference.MINUTE
    high, low = np.maximum(close, opened), np.minimum(close, opened)
    candles = Candles(times, opened, high, low, close, chance.integers(0, 3, 30).astype(np.float64))
    logic = entry(rule)
    whole = logic.signals(candles)

    for end in range(2, 31):
        verdict = logic.verdict(candles[:end])
        assert verdict.signal == whole[end - 1]
        assert not (verdict.signal and verdict.waiting_for)
        np.testing.assert_array_equal(logic.signals(candles[:end]), whole[:end])


def test_a_rule_may_be_as_large_as_it_says() -> None:
    assert len(read_rule({"all": [UP] * MAX_CONDITIONS}, of_exit=False).leaves) == MAX_CONDITIONS
    assert read_rule(nested(MAX_LEVELS - 1), of_exit=False).leaves
