"""Candles from CSV: columns timestamp, open, high, low, close and volume under a line of names, plain or with gzip."""

import csv
import gzip
import io
import math
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import numpy as np

from domain.candles import Candles
from domain.errors import SteadyhandError
from strategies.arrays import Flags, Floats

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")

_GZIP = b"\x1f\x8b"
# A timestamp in seconds has fewer digits than this until the year 5138, one in milliseconds has more since 1973.
_LEAST_MILLISECONDS, _LEAST_MICROSECONDS = 10**11, 10**14


class BadCandles(SteadyhandError):
    """A file of candles that cannot be used; the message says where, what was found, and what was expected."""


class _Table(NamedTuple):
    name: str
    lines: Sequence[int]
    times: Sequence[int]
    numbers: Sequence[Sequence[float]]


_Fault: TypeAlias = tuple[Flags, Callable[[int], str]]


def parse_candles(data: bytes, name: str) -> Candles:
    """Return the candles in a file.

    Args:
        data: all that is in it.
        name: what messages call it.

    Raises:
        BadCandles: at its first fault, with the line.
    """
    table = _read(_lines(data, name), name)
    candles = Candles(
        np.array(table.times, dtype=np.int64), *(np.array(column, dtype=np.float64) for column in table.numbers)
    )
    if not len(candles):
        raise BadCandles(f"{name}: there are no candles in it")
    faults = [(int(flags.argmax()), words) for flags, words in _faults(candles) if flags.any()]
    if faults:
        i, words = min(faults, key=lambda fault: fault[0])
        raise BadCandles(f"{name}, line {table.lines[i]}: {words(i)}")
    return candles


def _lines(data: bytes, name: str) -> Iterator[str]:
    try:
        text = gzip.decompress(data) if data.startswith(_GZIP) else data
        return io.StringIO(text.decode("utf-8-sig"), newline="")
    except (OSError, EOFError, zlib.error) as error:
        raise BadCandles(f"{name}: cannot be decompressed: {error}") from error
    except UnicodeDecodeError as error:
        raise BadCandles(f"{name}: is not text in UTF-8: {error.reason} at byte {error.start}") from error


def _read(text: Iterator[str], name: str) -> _Table:
    rows = csv.reader(text)
    places = _places(next(rows, []), name)
    width = max(places) + 1
    when, others = places[0], places[1:]
    lines, times, numbers = array("q"), array("q"), [array("d") for _ in others]
    try:
        for row in rows:
            if not row:
                continue
            if len(row) < width:
                raise BadCandles(f"{name}, line {rows.line_num}: there are {len(row)} columns; expected {width}")
            times.append(_time(row[when]))
            for column, place in zip(numbers, others, strict=True):
                column.append(_number(row[place]))
            lines.append(rows.line_num)
    except (csv.Error, ValueError, OverflowError) as error:
        raise BadCandles(f"{name}, line {rows.line_num}: {error}") from error
    return _Table(name, lines, times, numbers)


def _places(names: Sequence[str], name: str) -> list[int]:
    found = {each.strip().lower(): place for place, each in enumerate(names)}
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        expected = ", ".join(COLUMNS)
        raise BadCandles(f"{name}, line 1: must name the columns {expected}; {', '.join(missing)} is missing")
    return [found[column] for column in COLUMNS]


def _time(text: str) -> int:
    """Return a timestamp in milliseconds, from seconds, milli- or microseconds since 1970 or ISO 8601, UTC if bare."""
    try:
        number = float(text)
    except ValueError:
        return _iso_time(text)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"timestamp must be a time; was {text}")
    if number >= _LEAST_MICROSECONDS:
        return int(number) // 1000
    return int(number) if number >= _LEAST_MILLISECONDS else round(number * 1000)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"each column must be a number; one was {text!r}") from None


def _iso_time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"timestamp must be in milliseconds, seconds or ISO 8601; was {text!r}") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _faults(candles: Candles) -> Iterator[_Fault]:
    columns = dict(
        zip(COLUMNS[1:], (candles.open, candles.high, candles.low, candles.close, candles.volume), strict=True)
    )
    for name, column in columns.items():
        yield ~np.isfinite(column), _said("{} must be a number; was {}", name, column)
        if name != "volume":
            yield column <= 0, _said("{} must be above 0; was {}", name, column)
    yield candles.volume < 0, _said("{} must not be below 0; was {}", "volume", candles.volume)
    yield candles.high < candles.low, lambda i: f"high {candles.high[i]} is below low {candles.low[i]}"
    for name in ("open", "close"):
        price = columns[name]
        yield (price > candles.high) | (price < candles.low), _outside(name, price, candles)
    times = candles.open_time
    not_later = np.concatenate([[False], times[1:] <= times[:-1]])
    yield not_later, lambda i: _unsorted(int(times[i]), int(times[i - 1]))


def _said(words: str, name: str, column: Floats) -> Callable[[int], str]:
    return lambda i: words.format(name, column[i])


def _outside(name: str, price: Floats, candles: Candles) -> Callable[[int], str]:
    return lambda i: f"{name} {price[i]} is not between low {candles.low[i]} and high {candles.high[i]}"


def _unsorted(time: int, before: int) -> str:
    shown = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds")
    if time == before:
        return f"the candle of {shown} is there twice"
    return f"the candle of {shown} is older than the one before it; candles must be sorted"
