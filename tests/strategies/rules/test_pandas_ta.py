"""The functions of pandas-ta-classic in rules: each is tried out, and those that look ahead are refused by name."""

import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from domain.candles import Candles
from strategies.arrays import Floats
from strategies.rules.binding import bind
from strategies.rules.pandas_ta import PANDAS_TA_REFUSED, pandas_ta_function, pandas_ta_names
from strategies.rules.parser import parse
from strategies.rules.program import Operand, Program, ProgramBuilder, candles_needed
from strategies.rules.syntax import Call, RuleError
from tests.strategies import reference

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas_ta_classic as library

NAMES = sorted(pandas_ta_names() - set(PANDAS_TA_REFUSED))
NEWEST = (4321, 4998)
TAIL = 100


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()[20_000:25_000]


def program_of(text: str) -> tuple[Program, Operand]:
    builder = ProgramBuilder()
    operand = builder.add(parse(text))
    return builder.program(), operand


def values(text: str, candles: Candles) -> Floats:
    program, operand = program_of(text)
    found: Floats = program.run(candles)[operand.slot]
    return found


def assert_same(found: Floats, expected: Floats, level: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * level)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_tried_on_made_up_candles_is_true_of_real_ones(name: str, candles: Candles) -> None:
    prepared = pandas_ta_function(name).prepare({})
    warmup = 1440 if prepared.anchor else prepared.warmup
    whole = prepared.compute(candles, ())
    for newest in NEWEST:
        cut_off = prepared.compute(candles[: newest + 1], ())
        window = prepared.compute(candles[max(newest + 1 - warmup, 0) : newest + 1], ())
        for k, output in enumerate(prepared.outputs):
            if f"{name}.{output}" in PANDAS_TA_REFUSED:
                continue
            level = float(np.nanmax(np.abs(whole[k]), initial=0))
            assert_same(cut_off[k][-TAIL:], whole[k][newest + 1 - TAIL : newest + 1], level)
            assert_same(window[k][-1:], whole[k][newest : newest + 1], level)


@pytest.mark.parametrize("name", ["dpo", "tos_stdevall", "ichimoku.ics"])
def test_what_is_refused_for_it_does_look_ahead(name: str, candles: Candles) -> None:
    indicator, _, output = name.partition(".")
    function, column = pandas_ta_function(indicator), -1 if output else 0
    whole, cut_off = (list(function.run(part, (), {}).values())[column] for part in (candles, candles[:4000]))

    assert not np.allclose(whole[:4000][-50:], cut_off[-50:], equal_nan=True)
    with pytest.raises(RuleError, match=r"still to come|nobody knows yet|later ones included"):
        bind(Call(indicator, output=output, library="ta"))


@pytest.mark.parametrize("name", ["ad", "aobv", "drawdown", "nvi", "obv", "pvi", "pvt", "wad"])
def test_what_is_refused_for_it_does_depend_on_where_its_candles_begin(name: str, candles: Candles) -> None:
    function = pandas_ta_function(name)
    whole, window = (next(iter(function.run(part, (), {}).values())) for part in (candles, candles[2500:]))

    assert abs(whole[-1] - window[-1]) > 1e-6 * abs(whole[-1])
    with pytest.raises(RuleError, match="depends on"):
        bind(Call(name, library="ta"))


@pytest.mark.parametrize("name", sorted(name for name in PANDAS_TA_REFUSED if "." not in name))
def test_every_refusal_says_why(name: str) -> None:
    with pytest.raises(RuleError, match=rf"at character 1: {name} \w+"):
        bind(Call(name, library="ta"))


def frame(candles: Candles) -> pd.DataFrame:
    index = pd.to_datetime(candles.open_time, unit="ms")
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name: getattr(candles, name) for name in names}, index=index)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("cti(12)", lambda t: library.cti(t.close, length=12)),
        ("cti(volume, 12)", lambda t: library.cti(t.volume, length=12)),
        ("cti(length=12)[-1]", lambda t: library.cti(t.close, length=12).shift(1)),
        ("psar().psarl", lambda t: library.psar(t.high, t.low, t.close)["PSARl_0.02_0.2"]),
        ("ta.bbands(20, 2).bbl", lambda t: library.bbands(t.close, length=20, std=2)["BBL_20_2.0"]),
        ("ta.rsi(21)", lambda t: library.rsi(t.close, length=21)),
        ("squeeze().sqz_on", lambda t: library.squeeze(t.high, t.low, t.close)["SQZ_ON"]),
        ("ichimoku(7, 22).iks", lambda t: library.ichimoku(t.high, t.low, t.close, 7, 22, as_dataframe=True)["IKS_22"]),
        ("ichimoku().isa", lambda t: library.ichimoku(t.high, t.low, t.close, as_dataframe=True)["ISA_9"]),
        ("bias(26, mamode=ema)", lambda t: library.bias(t.close, length=26, mamode="ema")),
        ("increasing(3, strict=true)", lambda t: library.increasing(t.close, length=3, strict=True)),
        ("mmar().mmar_15", lambda t: library.mmar(t.close)["MMAR_15"]),
        ("ta.vwap()", lambda t: library.vwap(t.high, t.low, t.close, t.volume)),
        ("qqe().qqe_rsima", lambda t: library.qqe(t.close)["QQE_14_5_4.236_RSIMA"]),
    ],
)
def test_values_are_those_of_the_library(
    call: str, expected: Callable[[pd.DataFrame], pd.Series], candles: Candles
) -> None:
    month = candles[:1500]

    np.testing.assert_array_equal(values(call, month), expected(frame(month)).to_numpy(dtype=float))


def test_where_both_libraries_have_a_name_talibs_is_meant(candles: Candles) -> None:
    # They differ in the last digits at least, by which one tells them apart.
    assert not np.array_equal(values("rsi(14)", candles), values("ta.rsi(14)", candles), equal_nan=True)
    np.testing.assert_array_equal(values("talib.rsi(14)", candles), values("rsi(14)", candles))


def test_too_few_candles_give_no_value(candles: Candles) -> None:
    assert np.isnan(values("cti(12)", candles[:5])).all()
    assert np.isnan(values("psar().psarl", candles[:1])).all()


def test_a_price_that_begins_anew_each_day_needs_that_day(candles: Candles) -> None:
    _, operand = program_of("ta.vwap()")

    assert candles_needed(operand.needs, "1h") == 3 * 24
    assert candles_needed(operand.needs, "1m") == 3 * 1440


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("cti(offset=-2)", "at character 1: cti looks at candles that are still to come with these parameters"),
        ("ta.ema(900)", "at character 1: ema depends on where its candles begin: not settled after 2048 of them"),
        ("cti(1001)", "at character 5: length of cti must be at most 1000; was 1001"),
        ("cti(12, 1, 2)", "at character 12: cti takes a series and length and offset; this is one more"),
        ("squeeze()", "at character 1: squeeze has several outputs; name one: .sqz, .sqz_on, .sqz_off, .sqz_no"),
        ("squeeze().on", None),
        ("ta.dpo(20)", None),
        ("psar(high, 1)", None),
        ("zscore(length=zero)", None),
    ],
)
def test_parameters_that_do_not_fit_are_refused(call: str, message: str | None) -> None:
    with pytest.raises(RuleError) as caught:
        program_of(call)

    assert str(caught.value).startswith("at character ")
    assert message is None or str(caught.value) == message


def test_a_rule_may_have_few_of_these_slow_indicators() -> None:
    builder = ProgramBuilder()
    for length in [*range(5, 13), 12]:
        builder.add(parse(f"cti({length}) + rsi({length})"))

    with pytest.raises(RuleError) as caught:
        builder.add(parse("cti(13)"))

    expected = "at character 1: a rule may have 8 indicators of pandas-ta-classic; this is one more"
    assert str(caught.value) == expected


def test_it_is_imported_when_a_rule_asks_for_it_and_not_before() -> None:
    program = """
import sys
from strategies.rules.rule import read_rule
from strategies.rules.binding import bind
read_rule({"left": "rsi(14)", "op": "<", "right": "ema(close, 50)@4h"}, of_exit=False)
try:
    read_rule({"left": "rsj(14)", "op": "<", "right": 3}, of_exit=False)
except ValueError:
    pass
assert "pandas" not in sys.modules and "talib.abstract" not in sys.modules
read_rule({"left": "cti(14)", "op": "<", "right": 3}, of_exit=False)
assert "pandas_ta_classic" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
