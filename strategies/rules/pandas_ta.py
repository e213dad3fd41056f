"""The indicators of pandas-ta-classic for rules: those that TA-Lib lacks, and by `ta.NAME(…)` all of them.

The library is imported when a rule asks for the first of them; it brings pandas, half of a worker's start-up. It says
neither what its functions return nor how many candles they need, so each is tried out, once per set of parameters, on
made-up candles: until its newest value no longer depends on where they begin, and with later candles cut off.
"""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from domain.candles import Candles
from domain.intervals import MINUTE_MS
from strategies.arrays import Floats
from strategies.rules.indicator import Prepared, Value

_LIBRARY = "pandas_ta_classic"
_CATEGORIES = ("candles", "cycles", "momentum", "overlap", "performance", "statistics", "trend", "volatility", "volume")

_ADDS_UP = "adds up from the first candle it is given, so its level depends on where that is"
_NO_CANDLES = "works on signals, not on candles; write conditions with all and any instead"
_TALIB_HAS_IT = "is used without ta. in front: that is TA-Lib's"
_HILBERT = ("ht_dcperiod", "ht_dcphase", "ht_phasor", "ht_sine", "ht_trendline", "ht_trendmode")
PANDAS_TA_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("ad", "aobv", "nvi", "obv", "pvi", "pvt", "wad"), _ADDS_UP),
    **dict.fromkeys(("long_run", "short_run", "tsignals", "xsignals"), _NO_CANDLES),
    **dict.fromkeys(("beta", "correl", "ma", "mavp"), _TALIB_HAS_IT),
    **dict.fromkeys(_HILBERT, _TALIB_HAS_IT),  # takes seconds here
    "cdl_pattern": "is many indicators in one; use those of TA-Lib, such as cdldoji()",
    "dpo": "is centred, on candles that are still to come; use dpo(20) of TA-Lib, without ta.",
    "drawdown": "measures from the highest price of the candles it is given, so it depends on how many these are",
    "ichimoku.ics": "is the close of 26 candles later, which nobody knows yet; compare close with close[-26]",
    "tos_stdevall": "fits one line to all candles it is given, later ones included",
    "vp": "makes a table of prices, not a value for each candle",
}
"""Indicators, or single outputs, that no rule may use, and why."""

_COLUMNS = {"open_": "open", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
_FIXED: Mapping[str, Value] = {"talib": False, "as_dataframe": True, "append_span": False, "anchor": "D"}
_ANCHORS = {"vwap": "1d"}
_CANDLES = ("cdl_doji", "cdl_inside", "cdl_pattern", "cdl_z")

_TRIED = 3240
_ENDS = (2345, 2702, 3011, 3190)
_SHORTEST, _LONGEST = 64, 2048
_TAIL = 30
_CLOSE = 1e-9
_SAFETY = 2


class PandasTaFunction(NamedTuple):
    """A function of pandas-ta-classic; `inputs` are its arguments that are columns, by the name it gives them."""

    name: str
    series: tuple[str, ...]
    inputs: tuple[str, ...]
    parameters: Mapping[str, Value | None]
    fixed: Mapping[str, Value]

    def prepare(self, parameters: Mapping[str, Value]) -> Prepared:
        """Return it with those parameters, tried out."""
        return _tried(self.name, tuple(parameters.items()))

    def run(self, candles: Candles, series: Sequence[Floats], parameters: Mapping[str, Value]) -> dict[str, Floats]:
        """Return its columns by name, none for want of candles."""
        pandas = import_module("pandas")
        index = pandas.DatetimeIndex(candles.open_time.astype("datetime64[ms]"))
        columns = {name: getattr(candles, _COLUMNS[name]) for name in self.inputs}
        columns.update(zip(self.series, series, strict=False))
        given = {name: pandas.Series(values, index=index) for name, values in columns.items()}
        found = getattr(_library(), self.name)(**given, **parameters, **self.fixed)
        if found is None:
            return {}
        table = {self.name: found} if isinstance(found, pandas.Series) else {name: found[name] for name in found}
        return {str(name): column.to_numpy(dtype=np.float64, na_value=np.nan) for name, column in table.items()}


@cache
def _library() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks pandas for what is deprecated there, once, at its import
        return import_module(_LIBRARY)


@cache
def pandas_ta_names() -> frozenset[str]:
    """Return the names of its indicators, without importing it: each stands in a file of its own."""
    found = find_spec(_LIBRARY)
    places = found.submodule_search_locations if found is not None else None
    files = (file for place in places or () for kind in _CATEGORIES for file in Path(place, kind).glob("[a-z]*.py"))
    return frozenset(file.stem for file in files if not file.stem.startswith("cdl_") or file.stem in _CANDLES)


@cache
def pandas_ta_function(name: str) -> PandasTaFunction:
    """Return the function of a name, one of `pandas_ta_names`."""
    arguments = inspect.signature(getattr(_library(), name)).parameters.values()
    names = [argument.name for argument in arguments if argument.kind is argument.POSITIONAL_OR_KEYWORD]
    inputs = tuple(argument for argument in names if argument in _COLUMNS)
    series = ("close",) if set(inputs) in ({"close"}, {"close", "volume"}) else ()
    parameters = dict.fromkeys(name for name in names if name not in _COLUMNS and name not in _FIXED)
    fixed = {name: value for name, value in _FIXED.items() if name in names}
    return PandasTaFunction(name, series, inputs, parameters, fixed)


@lru_cache(maxsize=1024)
def _tried(name: str, given: tuple[tuple[str, Value], ...]) -> Prepared:
    function, parameters = pandas_ta_function(name), dict(given)
    candles = _made_up()
    whole = _run(function, candles, parameters)
    if not whole or any(len(values) != len(candles) for values in whole.values()):
        raise ValueError(f"{name} has no value for each candle with these parameters")
    names = _output_names(tuple(whole))
    used = {c: whole[c] for c, output in zip(whole, names, strict=True) if f"{name}.{output}" not in PANDAS_TA_REFUSED}
    if not all(_agrees(used, _run(function, candles[:end], parameters), end) for end in _ENDS[:2]):
        raise ValueError(f"{name} looks at candles that are still to come with these parameters")
    anchor = _ANCHORS.get(name, "")
    warmup = 1 if anchor else _settled(function, candles, parameters, used)

    def compute(candles: Candles, series: Sequence[Floats]) -> tuple[Floats, ...]:
        found = function.run(candles, series, parameters)
        return tuple([found[column] if column in found else np.full(len(candles), np.nan) for column in whole])

    return Prepared(compute, names, warmup, anchor, is_slow=True)


def _run(function: PandasTaFunction, candles: Candles, parameters: Mapping[str, Value]) -> dict[str, Floats]:
    try:
        return function.run(candles, (), parameters)
    except Exception as error:
        raise ValueError(f"{function.name} does not take these parameters: {error}") from error


def _settled(
    function: PandasTaFunction, candles: Candles, parameters: Mapping[str, Value], whole: Mapping[str, Floats]
) -> int:
    """Return how many candles its newest values need, found by trying; twice as many as it took."""
    window = _SHORTEST
    while window <= _LONGEST:
        if all(_agrees(whole, _run(function, candles[end - window : end], parameters), end) for end in _ENDS):
            return _SAFETY * window
        window *= 2
    raise ValueError(f"{function.name} depends on where its candles begin: not settled after {_LONGEST} of them")


def _agrees(whole: Mapping[str, Floats], part: Mapping[str, Floats], end: int) -> bool:
    """Return whether the newest values of a part that ends at `end` are those of the whole."""
    for name, values in whole.items():
        if name not in part or len(part[name]) < _TAIL:
            return False
        expected, found = values[end - _TAIL : end], part[name][-_TAIL:]
        scale = np.nanmax(np.abs(values), initial=0.0)
        if not np.allclose(found, expected, rtol=_CLOSE, atol=_CLOSE * 1e-2 * scale, equal_nan=True):
            return False
    return True


@cache
def _made_up() -> Candles:
    """Return candles of a minute that rise, fall and rest, always the same."""
    chance = np.random.default_rng(1)
    calm = np.repeat(chance.uniform(0.2, 2.0, _TRIED // 60), 60)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.001, _TRIED) * calm))
    opened = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + chance.exponential(0.0004, _TRIED) * calm)
    low = np.minimum(opened, close) * (1 - chance.exponential(0.0004, _TRIED) * calm)
    times = np.arange(_TRIED, dtype=np.int64) * MINUTE_MS
    return Candles(times, opened, high, low, close, chance.exponential(10.0, _TRIED) * calm)


def _output_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return names for columns, without the parameters that are part of theirs: macds of MACDs_12_26_9."""
    short = ["_".join(word for word in column.lower().split("_") if not _is_number(word)) for column in columns]
    return tuple(
        name if short.count(name) == 1 else column.lower().replace(".", "_")
        for name, column in zip(short, columns, strict=True)
    )


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).removeprefix("-").isdigit()
