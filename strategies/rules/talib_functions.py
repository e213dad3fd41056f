"""The functions of TA-Lib for rules.

TA-Lib describes itself: its tables say which inputs, outputs and parameters with defaults each function has. What they
do not say stands here: how many candles a value needs to be independent of where they begin, and which never is.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from domain.candles import Candles
from strategies.arrays import Floats
from strategies.indicators import WILDER_WARMUP_FACTOR, talib
from strategies.rules.indicator import Compute, Prepared, Value

Memory: TypeAlias = Callable[[Mapping[str, Any]], float]

_ADDS_UP = "adds up from the first candle it is given, so its level depends on where that is"
_COUNTS = "counts from the first candle it is given; compare max(…) or min(…) with a price instead"

TALIB_REFUSED: Mapping[str, str] = {
    "ad": f"{_ADDS_UP}; use adosc() or cmf(20)",
    "cumsum": f"{_ADDS_UP}; use sum(series, 30)",
    "nvi": _ADDS_UP,
    "obv": f"{_ADDS_UP}; use mfi(14), cmf(20) or efi(13)",
    "pvi": _ADDS_UP,
    "pvt": f"{_ADDS_UP}; use efi(13)",
    "vwap": f"{_ADDS_UP}; use vwma(20)",
    "wad": _ADDS_UP,
    "maxindex": _COUNTS,
    "minindex": _COUNTS,
    "minmaxindex": _COUNTS,
}

_EMA, _CHAINED = 15, 20
_AVERAGES: Mapping[str, int] = {
    **dict.fromkeys(("sma", "wma", "trima", "hma"), 0),
    **dict.fromkeys(("ema", "dema", "zlema"), _CHAINED),
    **dict.fromkeys(("tema", "t3", "rma"), 30),
}
"""The averages that a `matype` may be, with the candles per period until they have forgotten."""


_ACCELERATIONS = ("accelerationinitlong", "accelerationlong", "accelerationinitshort", "accelerationshort")


def _per(factor: float, *names: str, plus: float = 0) -> Memory:
    return lambda values: factor * sum(values[name] for name in names) + plus


# A smoothing's share of what came before shrinks by a constant factor per candle: by 1 - 2/(period + 1) for an EMA, and
# 1 - 1/period for Wilder's. After that many candles it is below 1e-12. Where one smooths another, a little later.
_WILDER = _per(WILDER_WARMUP_FACTOR, "timeperiod")
_MEMORY: Mapping[str, Memory] = {
    "adosc": _per(_CHAINED, "fastperiod", "slowperiod"),
    "adx": _per(40, "timeperiod"),
    "adxr": _per(40, "timeperiod"),
    "atr": _WILDER,
    "cmo": _WILDER,
    "cvi": _per(_CHAINED, "timeperiod", "rocperiod"),
    "dema": _per(_CHAINED, "timeperiod"),
    "dx": _WILDER,
    "efi": _per(_CHAINED, "timeperiod"),
    "ema": _per(_EMA, "timeperiod"),
    "eri": _per(_CHAINED, "timeperiod"),
    "ha": _per(0, plus=60),
    "ht_dcperiod": _per(0, plus=1000),
    "ht_dcphase": _per(0, plus=1000),
    "ht_phasor": _per(0, plus=1000),
    "ht_sine": _per(0, plus=1000),
    "ht_trendline": _per(0, plus=1000),
    "ht_trendmode": _per(0, plus=1000),
    "kama": _per(1, "timeperiod", plus=3000),
    "kc": _per(WILDER_WARMUP_FACTOR, "timeperiod", "atrperiod"),
    "macd": _per(_CHAINED, "slowperiod", "signalperiod"),
    "macdfix": _per(_CHAINED, "signalperiod", plus=_CHAINED * 26),
    "mama": lambda values: 500 + 60 / values["slowlimit"],
    "massi": _per(2 * _CHAINED, "fastperiod", "slowperiod"),
    "minus_di": _WILDER,
    "minus_dm": _WILDER,
    "natr": _WILDER,
    "plus_di": _WILDER,
    "plus_dm": _WILDER,
    "rma": _WILDER,
    "rsi": _WILDER,
    "rvi": _per(WILDER_WARMUP_FACTOR, "timeperiod", "stddevperiod"),
    # Both turn with the price, and forget the past then: the slower they follow, the later.
    "sar": lambda values: 20 / values["acceleration"],
    "sarext": lambda values: 20 / min(values[name] for name in _ACCELERATIONS),
    "smi": _per(_CHAINED, "fastperiod", "slowperiod", "signalperiod"),
    "stochrsi": _per(WILDER_WARMUP_FACTOR, "timeperiod", "fastk_period", "fastd_period"),
    "supertrend": lambda values: 30 * values["timeperiod"] + 60 * values["multiplier"] ** 2,
    "t3": _per(30, "timeperiod"),
    "tema": _per(25, "timeperiod"),
    "trix": _per(25, "timeperiod"),
    "tsi": _per(_CHAINED, "firstperiod", "secondperiod"),
    "zlema": _per(_CHAINED, "timeperiod"),
}
_LEAST = dict.fromkeys(("acceleration", *_ACCELERATIONS), 0.001)

# What is left out equals another: bands of 2.5 deviations are so on both sides.
_FOLLOWERS: Mapping[str, Mapping[str, str]] = {"bbands": {"nbdevdn": "nbdevup"}}


class TalibFunction(NamedTuple):
    """A function of TA-Lib; `columns` are those of the candles that it always takes."""

    name: str
    series: tuple[str, ...]
    columns: tuple[str, ...]
    parameters: Mapping[str, Value | None]
    outputs: tuple[str, ...]

    def prepare(self, parameters: Mapping[str, Value]) -> Prepared:
        """Return it with those parameters."""
        values: dict[str, Any] = {**self.parameters, **parameters}
        for follower, leader in _FOLLOWERS.get(self.name, {}).items():
            values[follower] = parameters.get(follower, values[leader])
        lookback = self._lookback(values)
        return Prepared(self._compute(values, lookback), self.outputs, _warmup(self.name, values, lookback))

    def _lookback(self, values: Mapping[str, Any]) -> int:
        for name, slowest in _LEAST.items():
            if name in values and values[name] < slowest:
                raise ValueError(f"{name} must be at least {slowest}; was {values[name]:g}")
        lookback = _lookback(self.name, values)
        if lookback >= 0:
            return lookback
        for name, value in values.items():
            others = ((v, {**values, name: type(value)(v)}) for v in range(11) if v > value)
            least = next((v for v, other in others if _lookback(self.name, other) >= 0), None)
            if least is not None:
                raise ValueError(f"{name} must be at least {least}; was {value:g}")
        given = ", ".join(f"{name}={value:g}" for name, value in values.items())
        raise ValueError(f"{self.name} does not take {given}: out of TA-Lib's range")

    def _compute(self, values: Mapping[str, Any], lookback: int) -> Compute:
        function, columns, parameters = getattr(talib, self.name.upper()), self.columns, tuple(values.values())
        is_single = len(self.outputs) == 1

        def compute(candles: Candles, series: Sequence[Floats]) -> tuple[Floats, ...]:
            found = function(*series, *[getattr(candles, column) for column in columns], *parameters)
            arrays = (found,) if is_single else tuple(found)
            return tuple([a if a.dtype == np.float64 else _as_floats(a, series, lookback) for a in arrays])

        return compute


@cache
def talib_function(name: str) -> TalibFunction:
    """Return the function of a name, one of `talib_names`."""
    info = talib.Function(name.upper(), getattr(talib, name.upper())).info
    series: list[str] = []
    columns: list[str] = []
    for kind, column in info["input_names"].items():
        if kind == "prices":
            columns += column
        else:
            series.append("" if kind == "periods" else column)
    return TalibFunction(name, tuple(series), tuple(columns), dict(info["parameters"]), tuple(info["output_names"]))


@cache
def talib_names() -> frozenset[str]:
    """Return the names of TA-Lib's functions, in lower case, those that are refused included."""
    return frozenset(name.lower() for name in talib.__TA_FUNCTION_NAMES__)


@cache
def average_types() -> Mapping[str, int]:
    """Return TA-Lib's numbers of the moving averages that a `matype` may name."""
    return {name: getattr(talib.MA_Type, name.upper()) for name in _AVERAGES}


def _lookback(name: str, values: Mapping[str, Any]) -> int:
    """Return how many candles come before the first value; -1 where TA-Lib does not take the parameters."""
    function = talib.Function(name.upper(), getattr(talib, name.upper()))
    function.set_function_args(**values)
    return int(function.lookback)


def _warmup(name: str, values: Mapping[str, Any], lookback: int) -> int:
    memory = _MEMORY[name](values) if name in _MEMORY else 0
    averages = {number: _AVERAGES[average] for average, number in average_types().items()}
    for parameter, kind in values.items():
        if parameter.endswith("matype"):
            memory += averages[kind] * _period_of(parameter, values)
    return max(lookback + 1, int(np.ceil(memory)) + (lookback if name not in _MEMORY and memory else 0))


def _period_of(matype: str, values: Mapping[str, Any]) -> int:
    """Return the period of the average that a `matype` is about: of slowk_matype, slowk_period."""
    period = values.get(f"{matype.removesuffix('matype')}period")
    return int(period if period is not None else max(v for n, v in values.items() if n.endswith("period")))


def _as_floats(array: Any, series: Sequence[Floats], lookback: int) -> Floats:
    """Return whole numbers as floats, NaN where TA-Lib fills up with zeros for want of candles."""
    begin = int(np.isnan(series[0]).argmin()) if series else 0
    floats: Floats = array.astype(np.float64)
    floats[: begin + lookback] = np.nan
    return floats
