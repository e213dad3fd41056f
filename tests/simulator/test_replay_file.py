import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.replay import read_csv

GOOD = ("60000,10.5,12,9,11,6", "120000,11,11,11,11,1e-3")


def test_decimals_come_from_the_longest_number_and_columns_by_name(temporary_csv: Callable[..., Path]) -> None:
    file = temporary_csv(
        "x,8.5,60000,9.25,12,8,6.125", "x,8,120000,9,10,8,0.50", header="id,close,timestamp,open,high,low,volume"
    )
    source = read_csv(file)
    assert (source.price_decimals, source.volume_decimals, source.levels) == (2, 3, (60_000,))
    assert source.candles(60_000, 0, 10**9).close.tolist() == [850, 800]
    assert source.candles(60_000, 0, 10**9).volume.tolist() == [6_125, 500]


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path, temporary_csv: Callable[..., Path]) -> None:
    plain = temporary_csv(*GOOD)
    packed = tmp_path / "candles.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = (read_csv(file).candles(60_000, 0, 10**9) for file in (plain, packed))
    assert [first.row(i) for i in range(2)] == [second.row(i) for i in range(2)]
    assert first.volume.tolist() == [6_000, 1]


def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path: Path, temporary_csv: Callable[..., Path]) -> None:
    packed = tmp_path / "candles.csv.gz"
    packed.write_bytes(gzip.compress(temporary_csv(*GOOD * 500).read_bytes())[:-20])
    with pytest.raises(ValueError, match="cut off"):
        read_csv(packed)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param((), "at least two candles", id="empty"),
        pytest.param(GOOD[:1], "at least two candles", id="one-candle"),
        pytest.param((*GOOD, GOOD[0]), "ascending order", id="goes-back"),
        pytest.param((*GOOD, "120001,1,1,1,1,1"), "multiples of the interval", id="crooked-times"),
        pytest.param((*GOOD, "180000,1,1,1,1"), "line 4: expected 6 values; found 5", id="short-line"),
        pytest.param((*GOOD, "180000,1,x,1,1,1"), "numbers of 0 or more; found 'x'", id="not-a-number"),
        pytest.param((*GOOD, "180000,1,nan,1,1,1"), "numbers of 0 or more; found 'nan'", id="nan"),
        pytest.param((*GOOD, "180000,1,1,1,1,-1"), "numbers of 0 or more; found '-1'", id="negative"),
        pytest.param((*GOOD, "180000,5,4,3,4,1"), "candle 180000 does not", id="open-above-high"),
        pytest.param((*GOOD, "180000,1,1,1,1,0.123456789"), "8 decimals at most; found 9", id="too-fine"),
        pytest.param((*GOOD, "180000,1,1,1,1,1e17"), "must be below", id="too-large"),
        pytest.param((*GOOD, "soon,1,1,1,1,1"), "whole milliseconds UTC; was 'soon'", id="no-time"),
    ],
)
def test_a_file_that_is_not_as_expected_is_refused_with_the_reason(
    lines: tuple[str, ...], complaint: str, temporary_csv: Callable[..., Path]
) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_csv(temporary_csv(*lines))


def test_missing_columns_are_named(temporary_csv: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match="missing timestamp, volume"):
        read_csv(temporary_csv("1,2,3,4", header="open,high,low,close"))
