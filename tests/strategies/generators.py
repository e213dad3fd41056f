"""Random candles, positions and parameters for properties."""

from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from domain.candles import Candles
from strategies.catalogue import ENTRIES, EXITS
from strategies.entry_logic import AnyEntry
from strategies.exit_logic import AnyExit, EntryPoint
from strategies.registry import ParameterDescription, describe
from tests.strategies.reference import MINUTE

LONGEST_PERIOD, LARGEST = 12, 5.0
"""Small enough for the rules to hold on few candles."""

PARAMETERS = {logic.name: logic.parameters for logic in describe()}


def _value(parameter: ParameterDescription) -> st.SearchStrategy[Any]:
    least, most = parameter.minimum or 0, parameter.maximum or 0
    match parameter.type:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(int(least), min(int(most), max(int(least), LONGEST_PERIOD)))
        case "number":
            return st.floats(least, most if least == 50 else min(most, 50 if most == 50 else LARGEST)).filter(
                lambda value: value > least or not parameter.above_minimum
            )
        case _:
            return st.sampled_from(parameter.choices) if parameter.choices else st.just(parameter.default)


SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "htf": st.sampled_from(["1m", "2m", "3m", "5m", "1h"]),
    "atr_floor": st.just(0.0) | st.floats(0, 1),
    "x_roi": st.dictionaries(st.integers(0, 60).map(str), st.floats(-0.1, 0.1), min_size=1, max_size=4),
    "pt_levels_R": st.lists(st.floats(0.1, LARGEST), max_size=4, unique=True).map(sorted),
    "x_max_minutes": st.floats(0.5, 60),
    "x_trail_pct": st.floats(0.001, 0.2),
    "x_trail_percent": st.floats(0.001, 0.2),
    "x_take_profit": st.floats(0.001, 0.2),
    "x_stop_loss": st.floats(0.001, 0.2) | st.just(1.0),
    "x_activation_pct": st.just(0.0) | st.floats(0.001, 0.1),
}


@cache
def _params(name: str) -> st.SearchStrategy[dict[str, Any]]:
    values = {each.name: SPECIAL[each.name] if each.name in SPECIAL else _value(each) for each in PARAMETERS[name]}
    return st.fixed_dictionaries(values).map(_fitted)


def _fitted(params: dict[str, Any]) -> dict[str, Any]:
    """Make random parameters fit together."""
    if "x_slow_period" in params:
        params["x_slow_period"] += params["x_fast_period"]
    if "pt_levels_R" in params:
        params["phase2_at_R"] = max(params["arm_at_R"], params["phase2_at_R"])
        params["pt_sizes"] = [0.25] * len(params["pt_levels_R"])
    return params


def entries(name: str) -> st.SearchStrategy[AnyEntry]:
    """An entry of the catalogue with random parameters."""
    logic = ENTRIES[name]
    return _params(name).map(lambda params: logic(logic.Params.model_validate(params)))


def exits(name: str) -> st.SearchStrategy[AnyExit]:
    """An exit of the catalogue with random parameters."""
    logic = EXITS[name]
    return _params(name).map(lambda params: logic(logic.Params.model_validate(params)))


@st.composite
def markets(draw: st.DrawFn, min_size: int = 0) -> Candles:
    """Candles in ticks of 0.01: walks, jumps, flat stretches, no volume, gaps in time."""
    # Numbers drawn one by one would take most of the time of a test.
    chance, count = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(min_size, 60))
    steps = draw(st.sampled_from([3, 30, 300]))
    moves = chance.integers(-steps, steps + 1, count)
    moves[chance.random(count) < 0.05] *= 50
    moves[chance.random(count) < draw(st.sampled_from([0.0, 0.2, 0.95]))] = 0
    close = np.maximum(1000 + np.cumsum(moves), 1) / 100
    opened = np.concatenate([[10.0], close])[:count]
    wicks = chance.integers(0, draw(st.sampled_from([1, 5, 20])), (2, count)) / 100
    high = np.maximum(opened, close) + wicks[0]
    low = np.maximum(np.minimum(opened, close) - wicks[1], 0.01)
    gaps = np.where(chance.random(count) < draw(st.sampled_from([0.0, 0.3])), chance.integers(2, 9, count), 1)
    volume = chance.integers(0, 6, count).astype(np.float64)
    return Candles(np.cumsum(gaps) * MINUTE, opened, high, low, close, volume)


@st.composite
def positions(draw: st.DrawFn) -> tuple[Candles, EntryPoint, int]:
    """Candles, and a position that began on one of them, at a price near its close."""
    candles = draw(markets(min_size=1))
    i = draw(st.integers(0, len(candles) - 1))
    close, time = candles.close.item(i), candles.open_time.item(i)
    price = close * draw(st.just(1.0) | st.floats(0.99, 1.01))
    return candles, EntryPoint(time, close, price, time + MINUTE), i
