"""Candles are read from CSV as they stand there, or refused with one sentence that says where."""

import gzip

import pytest

from backtest.candle_file import BadCandles, parse_candles
from tests.strategies.reference import real_candles
from tests.support.market_data import BTC_MONTH

NAMES = "timestamp,open,high,low,close,volume"
FIRST, SECOND = "1640991600000,100,102,99,101,7", "1640991660000,101,103.5,100,102,8"


def parsed(*lines: str) -> list[list[float]]:
    candles = parse_candles("\n".join(lines).encode(), "candles.csv")
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def refusal(*lines: str) -> str:
    with pytest.raises(BadCandles) as refused:
        parsed(*lines)
    return str(refused.value)


def test_a_file_is_read_as_it_stands_with_and_without_gzip() -> None:
    zipped = BTC_MONTH.read_bytes()
    expected = real_candles()
    for data in (zipped, gzip.decompress(zipped)):
        candles = parse_candles(data, "month")
        assert candles.open_time.tolist() == expected.open_time.tolist()
        assert candles.high.tolist() == expected.high.tolist()
        assert candles.volume.tolist() == expected.volume.tolist()


@pytest.mark.parametrize(
    "stamp",
    [
        "1640991600",
        "1640991600.0",
        "1640991600000",
        "1640991600000000",
        "2021-12-31T23:00:00Z",
        "2021-12-31 23:00:00",
        "2022-01-01T00:00:00+01:00",
    ],
)
def test_times_may_be_written_in_every_usual_way(stamp: str) -> None:
    assert parsed(NAMES, f"{stamp},100,102,99,101,7") == [[1640991600000, 100, 102, 99, 101, 7]]


def test_columns_may_stand_in_any_order_among_others_and_empty_lines_between() -> None:
    lines = ("\ufeffvolume,Close,low,high,trades,open,timestamp", "7,101,99,102,33,100,1640991600000", "", "")
    assert parsed(*lines) == [[1640991600000, 100, 102, 99, 101, 7]]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1640991660000,101,103", "line 3: there are 3 columns; expected 6"),
        ("1640991660000,101,x,100,102,8", "line 3: each column must be a number; one was 'x'"),
        (
            "yesterday,101,103,100,102,8",
            "line 3: timestamp must be in milliseconds, seconds or ISO 8601; was 'yesterday'",
        ),
        ("nan,101,103,100,102,8", "line 3: timestamp must be a time; was nan"),
        ("1640991660000,101,nan,100,102,8", "line 3: high must be a number; was nan"),
        ("1640991660000,101,inf,100,102,8", "line 3: high must be a number; was inf"),
        ("1640991660000,101,103,0,102,8", "line 3: low must be above 0; was 0.0"),
        ("1640991660000,101,103,100,102,-8", "line 3: volume must not be below 0; was -8.0"),
        ("1640991660000,101,99,100,99.5,8", "line 3: high 99.0 is below low 100.0"),
        ("1640991660000,104,103,100,102,8", "line 3: open 104.0 is not between low 100.0 and high 103.0"),
        ("1640991660000,101,103,100,99,8", "line 3: close 99.0 is not between low 100.0 and high 103.0"),
        (FIRST, "line 3: the candle of 2021-12-31T23:00:00+00:00 is there twice"),
        (
            "1640991540000,101,103,100,102,8",
            "line 3: the candle of 2021-12-31T22:59:00+00:00 is older than the one before it; candles must be sorted",
        ),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong_in_it(line: str, sentence: str) -> None:
    assert refusal(NAMES, FIRST, line, SECOND) == f"candles.csv, {sentence}"


def test_the_first_of_several_faults_is_told() -> None:
    late = "1640991720000,101,nan,100,102,8"
    assert refusal(NAMES, FIRST, "1640991660000,104,103,100,102,8", late).startswith("candles.csv, line 3: open 104.0")


def test_a_missing_column_is_named() -> None:
    expected = "candles.csv, line 1: must name the columns timestamp, open, high, low, close, volume; volume is missing"
    assert refusal("timestamp,open,high,low,close", FIRST) == expected
    assert refusal().startswith("candles.csv, line 1: must name the columns")


def test_what_is_no_csv_is_told_so() -> None:
    assert refusal(NAMES) == "candles.csv: there are no candles in it"
    for data, words in ((b"\x1f\x8bnonsense", "cannot be decompressed"), (b"\xff\xfe\x00", "is not text in UTF-8")):
        with pytest.raises(BadCandles, match=words):
            parse_candles(data, "candles.csv")
    whole = gzip.compress(f"{NAMES}\n{FIRST}\n".encode())
    with pytest.raises(BadCandles, match="cannot be decompressed"):
        parse_candles(whole[:-9], "candles.csv")
