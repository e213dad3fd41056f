"""From text to expression and back, and every way in which a text is refused."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.rules.parser import MAX_DEPTH, MAX_PARTS, parse
from strategies.rules.syntax import Binary, Call, Minus, Name, Node, Number, RuleError, Shift, Timeframe, text_of

CLOSE, OPEN, TWO = Name("close"), Name("open"), Number(2.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30", Number(30.0)),
        (".5", Number(0.5)),
        ("1.5e-3", Number(0.0015)),
        ("close", CLOSE),
        ("CLOSE", CLOSE),
        (" close ", CLOSE),
        ("-close", Minus(CLOSE)),
        ("--close", Minus(Minus(CLOSE))),
        ("close + open * 2", Binary(CLOSE, "+", Binary(OPEN, "*", TWO))),
        ("(close + open) * 2", Binary(Binary(CLOSE, "+", OPEN), "*", TWO)),
        ("close - open - 2", Binary(Binary(CLOSE, "-", OPEN), "-", TWO)),
        ("close - (open - 2)", Binary(CLOSE, "-", Binary(OPEN, "-", TWO))),
        ("close / open / 2", Binary(Binary(CLOSE, "/", OPEN), "/", TWO)),
        ("2 * -close", Binary(TWO, "*", Minus(CLOSE))),
        ("-close * 2", Binary(Minus(CLOSE), "*", TWO)),
        ("close[-1]", Shift(CLOSE, 1)),
        ("-close[-1]", Minus(Shift(CLOSE, 1))),
        ("close[-1][-2]", Shift(Shift(CLOSE, 1), 2)),
        ("(close - open)[-3]", Shift(Binary(CLOSE, "-", OPEN), 3)),
        ("close@1d", Timeframe(CLOSE, "1d")),
        ("close@1M", Timeframe(CLOSE, "1M")),
        ("2 * close@1d", Binary(TWO, "*", Timeframe(CLOSE, "1d"))),
        ("close[-1]@4h", Timeframe(Shift(CLOSE, 1), "4h")),
        ("obv()", Call("obv")),
        ("RSI(14)", Call("rsi", (Number(14.0),))),
        ("rsi( 14 )[-1]", Shift(Call("rsi", (Number(14.0),)), 1)),
        ("ema(volume, 20)", Call("ema", (Name("volume"), Number(20.0)))),
        ("ema(timeperiod=2)", Call("ema", (), (("timeperiod", TWO),))),
        ("bbands(2, NbDevUp=2).Lower", Call("bbands", (TWO,), (("nbdevup", TWO),), "lower")),
        ("macd().signal@4h", Timeframe(Call("macd", output="signal"), "4h")),
        ("ta.CTI(2)", Call("cti", (TWO,), library="ta")),
        ("talib.rsi(2)", Call("rsi", (TWO,), library="talib")),
        ("ta", Name("ta")),
    ],
)
def test_an_expression_is_read_as_it_is_meant(text: str, expected: Node) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "character", "message"),
    [
        ("rsi(14", 7, "expected ')' to close the parenthesis at character 4; found the end"),
        ("(close", 7, "expected ')' to close the parenthesis at character 1; found the end"),
        ("close)", 6, "expected an operator or the end; found ')'"),
        ("close open", 7, "expected an operator or the end; found 'open'"),
        ("close +", 8, "expected a number, a name or a parenthesis; found the end"),
        ("* close", 1, "expected a number, a name or a parenthesis; found '*'"),
        ("rsi(,)", 5, "expected a number, a name or a parenthesis; found ','"),
        ("rsi(14) < 30", 9, "'<' does not belong in an expression; comparisons go into op"),
        ("close & open", 7, "'&' does not belong in an expression; comparisons go into op"),
        ("close ^ 2", 7, "'^' does not belong in an expression"),
        ("schließen", 7, "'ß' does not belong in an expression"),
        ("close[1]", 6, "a shift must be [-1], the candle before, to [-1000]; was [1]"),
        ("close[-0]", 6, "a shift must be [-1], the candle before, to [-1000]; was [-0]"),
        ("close[-1001]", 6, "a shift must be [-1], the candle before, to [-1000]; was [-1001]"),
        ("close[-1.5]", 8, "expected a shift such as [-1], the candle before; found '1.5'"),
        ("close[]", 7, "expected a shift such as [-1], the candle before; found ']'"),
        ("close[-1", 9, "expected ']' after the shift; found the end"),
        ("close@", 6, "interval must be a number and one of s, m, h, d, w, M, such as 1m or 4h; was ''"),
        ("close@4x", 6, "interval must be a number and one of s, m, h, d, w, M, such as 1m or 4h; was '4x'"),
        ("close@2M", 6, "interval must be at most 1M; was '2M'"),
        ("close.upper", 6, "only an indicator has outputs"),
        ("bbands(2).upper.lower", 16, "bbands has one output here already: upper"),
        ("bbands(2).", 11, "expected the name of an output after the dot; found the end"),
        ("ema(2, timeperiod=2, 3)", 22, "a parameter without a name must stand before those with one"),
        ("ema(a=1, a=2)", 10, "a is given twice"),
        ("ta.5", 3, "expected an operator or the end; found '.5'"),
        ("ta.(2)", 4, "expected the name of an indicator after ta.; found '('"),
        ("ta.rsi", 7, "expected the parameters of ta.rsi in parentheses; found the end"),
        ("1e999", 1, "the number is too large"),
        ("(" * (MAX_DEPTH + 1), MAX_DEPTH + 1, "parentheses and signs may be 20 deep; this is one more"),
        ("-" * MAX_DEPTH + "1", MAX_DEPTH + 1, "parentheses and signs may be 20 deep; this is one more"),
        ("1" + "+1" * MAX_PARTS, 100, "an expression may have 100 parts; this is one more"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, character: int, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)

    assert str(caught.value) == f"at character {character}: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected an expression such as rsi(14); found nothing"),
        ("  ", "expected an expression such as rsi(14); found nothing"),
        ("1" * 501, "an expression may have 500 characters; has 501"),
    ],
)
def test_a_text_may_be_refused_as_a_whole(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)

    assert str(caught.value) == message


names = st.sampled_from(["close", "open", "volume", "peak", "x_1", "ta", "talib"])
numbers = st.floats(0, 1e20).map(Number) | st.integers(0, 10**6).map(float).map(Number)
intervals = st.sampled_from(["1s", "5m", "4h", "1d", "1w", "1M"])


def _larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    arguments = st.lists(inner, max_size=3).map(tuple)
    named = st.dictionaries(names, inner, max_size=2).map(lambda found: tuple(found.items()))
    return st.one_of(
        st.builds(Minus, inner),
        st.builds(Binary, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds(Shift, inner, st.integers(1, 1000)),
        st.builds(Timeframe, inner, intervals),
        st.builds(Call, names, arguments, named, st.sampled_from(["", "lower"]), st.sampled_from(["", "ta", "talib"])),
    )


expressions: st.SearchStrategy[Node] = st.recursive(names.map(Name) | numbers, _larger, max_leaves=12)


@settings(deadline=None)
@given(expressions)
def test_an_expression_that_is_written_reads_as_the_same(node: Node) -> None:
    try:
        read = parse(text_of(node))
    except RuleError as error:  # only for its size
        assert "may have" in str(error) or "deep" in str(error)  # noqa: PT017
        return

    assert read == node
    assert text_of(read) == text_of(node)


@settings(deadline=None)
@given(expressions)
def test_no_parenthesis_is_written_that_could_be_left_out(node: Node) -> None:
    text = text_of(node)
    for i, character in enumerate(text):
        if character != "(":
            continue
        closing = _closing(text, i)
        without = text[:i] + text[i + 1 : closing] + text[closing + 1 :]
        try:
            assert parse(without) != node
        except RuleError:
            continue


def _closing(text: str, opening: int) -> int:
    depth = 0
    for i in range(opening, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    raise AssertionError(text)


@settings(deadline=None)
@given(st.text(max_size=600) | st.text(alphabet="closeta.()[]-+*/@,=1 4hM" + string.digits, max_size=600))
def test_no_text_raises_anything_but_a_rule_error(text: str) -> None:
    try:
        node = parse(text)
    except RuleError as error:
        assert error.at is None or 0 <= error.at <= len(text)  # noqa: PT017
    else:
        assert parse(text_of(node)) == node
