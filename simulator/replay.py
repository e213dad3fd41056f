"""Candles of a CSV file, replayed as they stand."""

import csv
import gzip
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path

import numpy as np

from simulator.candles import Candles, Ints
from simulator.rules import decimals

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_MOST_DECIMALS = 8


class ReplaySource:
    """The candles of one symbol, with nothing before the first and nothing after the last."""

    def __init__(self, candles: Candles, base_ms: int, price_decimals: int, volume_decimals: int) -> None:
        self.levels = (base_ms,)
        self.price_decimals = price_decimals
        self.volume_decimals = volume_decimals
        self.first_ms = int(candles.open_time[0])
        self.end_ms = int(candles.open_time[-1]) + base_ms
        self._candles = candles

    def __len__(self) -> int:
        return len(self._candles)

    def candles(self, level_ms: int, start_ms: int, end_ms: int) -> Candles:
        """Return the file's candles that open in [start_ms, end_ms)."""
        if level_ms != self.levels[0]:
            raise ValueError(f"level must be {self.levels[0]}, the interval of the file in ms; was {level_ms}")
        return self._candles.between(start_ms, end_ms)


def read_csv(file: Path, *, least_price_decimals: int = 0, least_volume_decimals: int = 0) -> ReplaySource:
    """Read a candle file, plain or `.gz`.

    The interval is the shortest distance between two candles. Prices and volumes get as many decimals as the
    file's longest, so that every number is served as it stands.

    Args:
        file: with a header and at least the columns timestamp (open time, milliseconds UTC), open, high, low,
            close, volume; ordered by time.
        least_price_decimals, least_volume_decimals: decimals of the market's tick and step, when they are finer.

    Raises:
        ValueError: the file is not such a file; says where and what was expected.
        OSError: it cannot be read.
    """
    try:
        texts = _read_columns(file)
    except EOFError as error:
        raise ValueError(f"{file}: the compressed file is cut off") from error
    times = np.array([_whole(text, file) for text in texts[0]], dtype=np.int64)
    if len(times) < 2 or int(np.diff(times).min()) <= 0:
        raise ValueError(f"{file}: expected at least two candles in ascending order of timestamp")
    base_ms = int(np.diff(times).min())
    if (np.diff(times) % base_ms).any() or times[0] % base_ms or base_ms % 1_000:
        raise ValueError(f"{file}: timestamps must be open times, multiples of the interval, {base_ms} ms")
    numbers = [[_number(text, file) for text in column] for column in texts[1:]]
    price_decimals = max(chain((least_price_decimals,), map(decimals, chain(*numbers[:4]))))
    volume_decimals = max(chain((least_volume_decimals,), map(decimals, numbers[4])))
    open_, high, low, close = (_units(column, price_decimals, file) for column in numbers[:4])
    candles = Candles.of(times, (open_, high, low, close), _units(numbers[4], volume_decimals, file))
    _check(candles, file)
    return ReplaySource(candles, base_ms, price_decimals, volume_decimals)


def _read_columns(file: Path) -> list[list[str]]:
    with gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise ValueError(f"{file}: expected the columns {', '.join(COLUMNS)}; missing {', '.join(missing)}")
        places = [header.index(name) for name in COLUMNS]
        table = []
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise ValueError(f"{file}, line {number}: expected {len(header)} values; found {len(row)}")
            table.append([row[place] for place in places])
    return [list(column) for column in zip(*table, strict=True)] or [[] for _ in COLUMNS]


def _whole(text: str, file: Path) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{file}: a timestamp must be whole milliseconds UTC; was {text!r}") from None


def _number(text: str, file: Path) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise ValueError(f"{file}: prices and volumes must be numbers of 0 or more; found {text!r}")
    return number


def _units(column: list[Decimal], places: int, file: Path) -> Ints:
    """Turn decimal numbers into whole units of 10**-places, without a float in between."""
    if places > _MOST_DECIMALS:
        raise ValueError(f"{file}: a number may have {_MOST_DECIMALS} decimals at most; found {places}")
    try:
        return np.array([int(number.scaleb(places)) for number in column], dtype=np.int64)
    except OverflowError:
        raise ValueError(f"{file}: numbers with {places} decimals must be below {2**63 // 10**places}") from None


def _check(candles: Candles, file: Path) -> None:
    top = np.maximum(candles.open, candles.close)
    bottom = np.minimum(candles.open, candles.close)
    wrong = np.flatnonzero((candles.high < top) | (candles.low > bottom) | (candles.low <= 0))
    if len(wrong):
        raise ValueError(
            f"{file}: high and low must enclose open and close, above 0; candle {candles.open_time[wrong[0]]} does not"
        )
