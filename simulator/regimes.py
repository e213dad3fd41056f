"""The script of a generated day: which minutes trend, range, doze, crash, or see no market at all.

Everything is in units of the standard deviation of an average minute of that day.
"""

from dataclasses import dataclass

import numpy as np

from simulator import noise
from simulator.candles import Floats, Ints
from simulator.subdivide import Mask


@dataclass(frozen=True)
class Script:
    """One number per minute: the move, the reach beyond it, how much is traded, whether there is a market."""

    steps: Floats
    reach: Floats
    activity: Floats
    present: Mask


@dataclass(frozen=True)
class Regime:
    """A stretch of the day.

    Args:
        share: how often it is drawn, out of all regimes' shares.
        minutes: its shortest and longest duration.
        drift: the move of each minute besides chance; the sign is drawn unless `falls`.
        volatility: of each minute, 1 being average.
    """

    share: float
    minutes: tuple[int, int]
    drift: float
    volatility: float
    falls: bool = False
    returns: bool = False


TREND = Regime(share=0.34, minutes=(25, 150), drift=0.09, volatility=0.9)
RANGE = Regime(share=0.34, minutes=(30, 150), drift=0.0, volatility=0.9, returns=True)
CALM = Regime(share=0.2, minutes=(20, 120), drift=0.0, volatility=0.4)
CRASH = Regime(share=0.06, minutes=(3, 9), drift=2.0, volatility=2.5, falls=True)
REBOUND = Regime(share=0.06, minutes=(8, 25), drift=0.6, volatility=1.8)
REGIMES = (TREND, RANGE, CALM, CRASH, REBOUND)

_SHORTEST = 3
_HALT_CHANCE = 0.5
_HALT_MINUTES = (2, 6)


def day_script(stream: noise.Key, minutes: int) -> Script:
    """Return the script of a day of so many minutes, a function of the stream alone."""
    regime, lengths = _draw_regimes(stream, minutes)
    minute = np.arange(minutes, dtype=np.int64)
    places = np.repeat(np.arange(len(regime), dtype=np.int64), lengths)
    kinds = np.array([[r.drift, r.volatility, r.falls, r.returns] for r in REGIMES])[regime]
    signs = np.where(
        kinds[:, 2] > 0, -1.0, np.sign(noise.uniform(_named(stream, "sign"), np.arange(len(regime))) - 0.5)
    )
    burst = np.exp(0.4 * noise.smooth(_named(stream, "burst"), minute, 12))
    volatility = kinds[places, 1] * burst
    steps = volatility * noise.normal(_named(stream, "step"), minute) + (kinds[:, 0] * signs)[places]
    steps -= _pull_back(steps, places, lengths) * kinds[places, 3]
    reach = volatility * -0.35 * np.log(noise.uniform(_named(stream, "reach"), minute))
    activity = volatility * (0.4 + np.abs(steps)) * np.exp(0.4 * noise.normal(_named(stream, "size"), minute))
    return Script(steps, reach, activity, _market_hours(stream, minutes))


def _named(stream: noise.Key, purpose: str) -> noise.Key:
    return noise.key(int(stream), purpose)


def _draw_regimes(stream: noise.Key, minutes: int) -> tuple[Ints, Ints]:
    """Return the regimes of the day, as positions in REGIMES, and how many minutes each lasts."""
    index = np.arange(minutes // _SHORTEST, dtype=np.int64)
    limits = np.cumsum([regime.share for regime in REGIMES])
    regime = limits.searchsorted(noise.uniform(_named(stream, "regime"), index) * limits[-1]).astype(np.int64)
    shortest, longest = np.array([regime.minutes for regime in REGIMES], dtype=np.int64)[regime].T
    span = noise.uniform(_named(stream, "length"), index) * (longest - shortest + 1)
    ends = np.minimum(np.cumsum(shortest + span.astype(np.int64)), minutes)
    used = int(ends.searchsorted(minutes)) + 1
    return regime[:used], np.diff(ends[:used], prepend=0)


def _pull_back(steps: Floats, places: Ints, lengths: Ints) -> Floats:
    """Return the mean step of each stretch: taken off, the price ends where it began."""
    means: Floats = np.bincount(places, weights=steps) / lengths
    return means[places]


def _market_hours(stream: noise.Key, minutes: int) -> Mask:
    """Return False for the minutes of a halt. The first and the last hour of a day always trade."""
    present = np.ones(minutes, dtype=np.bool_)
    drawn, place, length = noise.uniform(_named(stream, "halt"), np.arange(3, dtype=np.int64)).tolist()
    if drawn < _HALT_CHANCE:
        shortest, longest = _HALT_MINUTES
        first = 60 + int(place * (minutes - 120 - longest))
        present[first : first + shortest + int(length * (longest - shortest + 1))] = False
    return present
