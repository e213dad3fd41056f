"""TA-Lib's functions in rules: their values are TA-Lib's, none looks ahead, and each declares enough candles."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib
from talib import abstract

from domain.candles import Candles
from strategies.arrays import Floats
from strategies.rules.binding import bind
from strategies.rules.parser import parse
from strategies.rules.program import Operand, Program, ProgramBuilder
from strategies.rules.syntax import Call, RuleError
from strategies.rules.talib_functions import TALIB_REFUSED, average_types, talib_function, talib_names
from tests.strategies import reference

NAMES = sorted(talib_names() - set(TALIB_REFUSED))
PATTERNS = {name for name in NAMES if name.startswith("cdl")}
NEWEST = np.arange(20_000, 45_000, 1249)
EXPONENTIAL = vars(talib)["MA_Type"].EMA
LARGEST_LEVEL = 1e-9  # of an output's largest value: where one is near zero, its last digits are noise


@pytest.fixture(scope="module")
def candles() -> Candles:
    return reference.real_candles()


def program_of(text: str) -> tuple[Program, Operand]:
    builder = ProgramBuilder()
    operand = builder.add(parse(text))
    return builder.program(), operand


def values(text: str, candles: Candles) -> Floats:
    program, operand = program_of(text)
    found: Floats = program.run(candles)[operand.slot]
    return found


def documented(name: str) -> Any:
    """Return a function as TA-Lib's own interface by names has it."""
    return vars(abstract)["Function"](name)


def default_call(name: str) -> str:
    return "mavp(close, close * 0 + 10)" if name == "mavp" else f"{name}()"


def columns(candles: Candles) -> dict[str, Floats]:
    table = {name: getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
    return table | {"periods": np.full(len(candles), 10.0)}


@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_that_of_talibs_own_abstract_interface(name: str, candles: Candles) -> None:
    month = candles[:3000]
    expected = documented(name)(columns(month))
    expected = [expected] if isinstance(expected, np.ndarray) else expected
    for output, array in zip(talib_function(name).outputs, expected, strict=True):
        call = f"{default_call(name)}.{output}"
        found = values(call, month)

        assert found.dtype == np.float64
        known = np.isfinite(found)
        np.testing.assert_array_equal(found[known], array[known])
        # What is unknown here, and not there, is only what TA-Lib fills up with zeros for want of candles.
        assert not np.any(array[~known & np.isfinite(array)])


@pytest.mark.parametrize("name", NAMES)
def test_with_its_warm_up_the_newest_value_is_that_of_the_whole_history(name: str, candles: Candles) -> None:
    for output in talib_function(name).outputs:
        program, operand = program_of(f"{default_call(name)}.{output}")
        whole: Floats = program.run(candles)[operand.slot]
        level = LARGEST_LEVEL * np.nanmax(np.abs(whole), initial=0)
        for i in NEWEST:
            window = candles[i + 1 - operand.needs[""] : i + 1]
            newest = program.run(window)[operand.slot][-1]

            assert newest == pytest.approx(whole[i], rel=1e-9, abs=level, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "warmup"),
    [
        ("rsi(14)", 420),
        ("rsi(200)", 6000),
        ("atr(50)", 1500),
        ("adx(30)", 1200),
        ("ema(200)", 3000),
        ("ema(9)", 135),
        ("sma(200)", 200),
        ("bbands(50, 3).lower", 50),
        ("macd(5, 60, 30).hist", 1800),
        ("macd(12, 26, 9).signal", 700),
        ("macdext(12, ema, 26, ema, 9, ema).signal", None),
        ("stoch(14, 3, ema, 3, rma).d", None),
        ("supertrend(10, 6)", 2460),
        ("sar(0.01, 0.1)", 2000),
        ("kama(100)", 3100),
        ("t3(20)", 600),
        ("trix(20)", 500),
        ("stochrsi(30, 10, 5).k", None),
        ("close[-1]", 2),
        ("ema(rsi(14), 9)", 420 + 135 - 1),
        ("sma(close, 20)[-5]", 25),
        ("sma(close - open, 20) / atr(14)", 420),
        ("3", None),
    ],
)
def test_a_warm_up_grows_with_its_periods_and_suffices_on_real_candles(
    call: str, warmup: int | None, candles: Candles
) -> None:
    program, operand = program_of(call)
    assert warmup is None or operand.needs[""] == warmup
    if operand.number is not None:
        return
    whole: Floats = program.run(candles)[operand.slot]
    for i in NEWEST:
        newest = program.run(candles[i + 1 - operand.needs[""] : i + 1])[operand.slot][-1]

        assert newest == pytest.approx(whole[i], rel=1e-9, abs=LARGEST_LEVEL * np.nanmax(np.abs(whole), initial=0))


@pytest.mark.parametrize("name", NAMES)
def test_no_value_changes_when_later_candles_are_known(name: str, candles: Candles) -> None:
    month = candles[:2000]
    program, operand = program_of(f"{default_call(name)}.{talib_function(name).outputs[0]}")
    whole: Floats = program.run(month)[operand.slot]
    for end in (1, 2, 50, 500, 1234, 1999):
        np.testing.assert_allclose(program.run(month[:end])[operand.slot], whole[:end], rtol=1e-9)


@pytest.mark.parametrize("name", sorted(TALIB_REFUSED))
def test_a_refused_function_does_depend_on_where_its_candles_begin(name: str, candles: Candles) -> None:
    whole, window = (documented(name)(columns(part)) for part in (candles, candles[20_000:]))
    whole, window = (array if isinstance(array, np.ndarray) else array[0] for array in (whole, window))

    assert abs(whole[-1] - window[-1]) > 1e-6 * abs(whole[-1])
    with pytest.raises(RuleError, match=r"(adds up|counts) from the first candle"):
        bind(Call(name))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("bbands(20, 2.5).lower", lambda c: talib.BBANDS(c.close, 20, 2.5, 2.5)[2]),
        ("bbands(20, 2.5, 1).lower", lambda c: talib.BBANDS(c.close, 20, 2.5, 1.0)[2]),
        ("bbands(20, matype=ema).upperband", lambda c: talib.BBANDS(c.close, 20, matype=EXPONENTIAL)[0]),
        ("macd(12, 26, 9)", lambda c: talib.MACD(c.close)[0]),
        ("macd(12, 26, 9).hist", lambda c: talib.MACD(c.close)[2]),
        ("stoch().k", lambda c: talib.STOCH(c.high, c.low, c.close)[0]),
        ("aroon(14).up", lambda c: talib.AROON(c.high, c.low, 14)[1]),
        ("ema(period=20)", lambda c: talib.EMA(c.close, 20)),
        ("ema(volume, length=20)", lambda c: talib.EMA(c.volume, 20)),
        ("ema(high - low, 20)", lambda c: talib.EMA(c.high - c.low, 20)),
        ("correl(close, volume, 30)", lambda c: talib.CORREL(c.close, c.volume, 30)),
        ("ema(rsi(14), 9)", lambda c: talib.EMA(talib.RSI(c.close, 14), 9)),
        ("talib.ma(20, wma)", lambda c: talib.WMA(c.close, 20)),
        ("supertrend(10, 3)", lambda c: talib.SUPERTREND(c.high, c.low, c.close, 10, 3.0)[0]),
    ],
)
def test_series_parameters_and_outputs_mean_what_they_say(call: str, expected: object, candles: Candles) -> None:
    assert callable(expected)
    np.testing.assert_array_equal(values(call, candles[:2000]), expected(candles[:2000]))


def test_a_pattern_has_no_value_before_it_has_its_candles(candles: Candles) -> None:
    lookback = documented("cdldoji").lookback

    assert np.isnan(values("cdldoji()", candles[:50])[:lookback]).all()
    assert not np.isnan(values("cdldoji()", candles[:50])[lookback:]).any()


def test_a_hole_in_a_series_is_bridged_with_the_value_before_it() -> None:
    # Candles 3 and 4 have high = low, so that the quotient has no value there; without the bridge none would follow.
    market = reference.candles_of([10.0, 11, 12, 13, 14, 15, 16], spread=1.0)
    flat = np.array([False, False, False, True, True, False, False])
    market = Candles(
        market.open_time,
        market.open,
        np.where(flat, market.close, market.high),
        np.where(flat, market.close, market.low),
        market.close,
        market.volume,
    )
    quotient = pd.Series([5, 5.5, 6, np.nan, np.nan, 7.5, 8])

    np.testing.assert_allclose(values("close / (high - low)", market), [5, 5.5, 6, np.inf, np.inf, 7.5, 8])
    np.testing.assert_allclose(values("sma(close / (high - low), 2)", market), quotient.ffill().rolling(2).mean())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("bbandz(20)", "at character 1: unknown indicator bbandz; did you mean bbands?"),
        ("zzzzzz(14)", "at character 1: unknown indicator zzzzzz"),
        ("talib.squeeze()", "at character 1: unknown indicator squeeze"),
        ("closs", "at character 1: unknown name closs; did you mean close?"),
        ("2 * sma(closs, 3)", "at character 9: unknown name closs; did you mean close?"),
        ("rsi", "at character 1: rsi is an indicator: expected its parameters, rsi(…)"),
        ("rsi(1)", "at character 1: timeperiod must be at least 2; was 1"),
        ("rsi(0)", "at character 5: timeperiod of rsi must be a whole number from 1 to 1000; was 0"),
        ("rsi(1001)", "at character 5: timeperiod of rsi must be a whole number from 1 to 1000; was 1001"),
        ("rsi(14.5)", "at character 5: timeperiod of rsi must be a whole number from 1 to 1000; was 14.5"),
        ("rsi(-14)", "at character 5: timeperiod of rsi must be a whole number from 1 to 1000; was -14"),
        ("rsi(14, 3)", "at character 9: rsi takes a series and timeperiod; this is one more"),
        ("atr(close, 14)", "at character 5: timeperiod of atr must be a number; was close"),
        ("rsi(14, close)", "at character 9: rsi takes a series and timeperiod; this is one more"),
        ("rsi(lenght=14)", "at character 12: unknown parameter lenght of rsi; did you mean length?"),
        ("rsi(14, timeperiod=3)", "at character 20: timeperiod of rsi is given twice"),
        ("bop(3)", "at character 5: bop takes no parameters; this is one more"),
        ("mavp(close)", "at character 1: mavp needs 2 series; has 1"),
        (
            "ma(20, banana)",
            f"at character 8: matype of ma must be one of {', '.join(average_types())}; was banana",
        ),
        ("sar(0)", "at character 1: acceleration must be at least 0.001; was 0"),
        ("bbands(20, 1e10).lower", "at character 12: nbdevup of bbands must be at most 1e+09; was 1e+10"),
        ("bbands(20)", "at character 1: bbands has several outputs; name one: .upper, .middle, .lower"),
        ("bbands(20).low", "at character 1: bbands has no output .low; it has .upper, .middle, .lower"),
        ("rsi(14).signal", "at character 1: rsi has no output .signal; it has .real"),
        ("1 / 0", "at character 3: this divides by zero"),
        ("2[-1]", "at character 2: expected a series such as close; was the number 2"),
        ("5@4h", "at character 2: expected a series such as close; was the number 5"),
        (
            "ema(close@1h, 5)",
            "at character 10: a timeframe must come last, such as ema(50)[-1]@4h; was inside of ema(…)",
        ),
        ("close@4h[-1]", "at character 6: a timeframe must come last, such as ema(50)[-1]@4h; was inside of [-1]"),
        ("(close@1h)@4h", "at character 7: a timeframe must come last, such as ema(50)[-1]@4h; was inside of @4h"),
    ],
)
def test_what_has_no_meaning_is_refused_at_its_place(call: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        program_of(call)

    assert str(caught.value) == message
