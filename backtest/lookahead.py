"""Does a strategy look ahead? Its signals are judged again without the candles that came later, as a live bot would."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from backtest.history import History
from domain.config import BotConfig
from domain.model import Milliseconds
from strategies.arrays import Flags, Floats
from strategies.custom import CustomStrategy

_MOST_OTHERS = 1_000
_SAME = 1e-9


class Difference(NamedTuple):
    """A candle that is judged otherwise when later candles are not there."""

    time: Milliseconds
    text: str


def look_ahead(config: BotConfig, strategy: CustomStrategy, history: History) -> tuple[int, list[Difference]]:
    """Return how many candles were judged again, and which of them turned out otherwise.

    These are all candles with an entry signal, and a thousand others evenly through the history. Each is judged as the
    newest of the window that a live bot would have; so a rule that needs more candles than it says is found as well.
    """
    candles = history.candles
    signals = strategy.signals(candles)
    exits = strategy.exit_logic.prepare(candles).indicators
    warmup = strategy.warmup_at(history.interval)
    window = max(config.data.lookback_bars, warmup)
    judged = _chosen(signals, first=max(history.begin - 1, warmup - 1))
    found: list[Difference] = []
    for i in judged:
        seen = candles[max(0, i + 1 - window) : i + 1]
        time = candles.open_time.item(i)
        if strategy.entry(seen).signal != signals.item(i):
            told = ("there", "not there") if signals.item(i) else ("not there", "there")
            found.append(Difference(time, f"an entry signal is {told[0]} with later candles, {told[1]} without"))
        found += [Difference(time, text) for text in _moved(exits, strategy.exit_logic.indicators(seen), i)]
    return len(judged), found


def _chosen(signals: Flags, *, first: int) -> list[int]:
    others = np.linspace(first, len(signals) - 1, min(_MOST_OTHERS, len(signals) - first)).astype(np.intp)
    chosen = np.union1d(np.flatnonzero(signals), others)
    places: list[int] = chosen[chosen >= first].tolist()
    return places


def _moved(whole: tuple[Floats, ...], seen: tuple[Floats, ...], i: int) -> Iterator[str]:
    """Yield which indicators of the exit rule differ on candle `i` from what they were on it as the newest."""
    for number, (later, then) in enumerate(zip(whole, seen, strict=True), start=1):
        now, before = later.item(i), then.item(-1)
        same = abs(now - before) <= _SAME * max(abs(now), abs(before)) or (math.isnan(now) and math.isnan(before))
        if not same:
            yield f"indicator {number} of the exit rule is {now:.8g} with later candles, {before:.8g} without"
