"""A market that never was: prices from a seed, any second of any day at once, the same after every restart.

Day candles come from slow random curves (trends of days to months, calm and nervous weeks), minutes from days
and seconds from minutes (`simulator.subdivide`). The minutes of a day know regimes: trends, ranges, calm hours,
crashes with their rebound, and now and then a halt after which the price has moved on.
"""

from dataclasses import dataclass

import numpy as np

from domain.intervals import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from simulator import noise
from simulator.candles import Candles, Floats, Ints
from simulator.recent import Recent
from simulator.regimes import day_script
from simulator.subdivide import subdivide

# The first Monday of Unix time: every interval has whole candles from here on.
FIRST_MS = 4 * DAY_MS

_DAILY_VOLATILITY = 0.03
# Curves of 1, 2, 4 ... 512 days; amplitudes grow with the root of the period, as in a random walk.
_OCTAVES = range(10)
_OCTAVE_AMPLITUDE = 0.012
_MINUTES = DAY_MS // MINUTE_MS
_SECONDS = MINUTE_MS // SECOND_MS
# Day candles are made so many at a time; all since 1970 are some 40 blocks.
_BLOCK_DAYS = 512
_BLOCKS_KEPT = 80
_DAYS_KEPT = 32
_HOURS_KEPT = 8


@dataclass(frozen=True)
class Character:
    """What distinguishes one generated market from another.

    Args:
        price: the level that the price wanders around, in quote currency; it strays to about 0.4 and 2.5 times.
        daily_volume: base currency traded on an average day.
        volatility: multiplies the moves within a day; 1 is a day's range of about 5 percent. In (0, 50].
    """

    symbol: str
    seed: int
    price: float
    daily_volume: float
    price_decimals: int
    volume_decimals: int
    volatility: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.volatility <= 50:
            raise ValueError(f"volatility must be above 0 and at most 50; was {self.volatility}")


class GeneratedSource:
    """Prices of one symbol, a function of its character and the time alone."""

    levels = (DAY_MS, MINUTE_MS, SECOND_MS)
    first_ms = FIRST_MS
    end_ms = None

    def __init__(self, character: Character) -> None:
        self.price_decimals = character.price_decimals
        self.volume_decimals = character.volume_decimals
        self._character = character
        self._blocks: Recent[int, Candles] = Recent(_BLOCKS_KEPT)
        self._days: Recent[int, Candles] = Recent(_DAYS_KEPT)
        self._hours: Recent[int, Candles] = Recent(_HOURS_KEPT)

    def candles(self, level_ms: int, start_ms: int, end_ms: int) -> Candles:
        """Return the day, minute or second candles that open in [start_ms, end_ms); none before `FIRST_MS`."""
        start_ms = max(start_ms, self.first_ms)
        if start_ms >= end_ms:
            return Candles.concat(())
        length, chunk = {
            DAY_MS: (_BLOCK_DAYS * DAY_MS, self._day_block),
            MINUTE_MS: (DAY_MS, self._minutes_of),
            SECOND_MS: (HOUR_MS, self._seconds_of),
        }[level_ms]
        indices = range(start_ms // length, -(-end_ms // length))
        return Candles.concat(chunk(index).between(start_ms, end_ms) for index in indices)

    def _day_block(self, index: int) -> Candles:
        return self._blocks.get(index, self._make_days)

    def _minutes_of(self, day: int) -> Candles:
        return self._days.get(day, self._make_minutes)

    def _seconds_of(self, hour: int) -> Candles:
        return self._hours.get(hour, self._make_seconds)

    def _key(self, *purpose: str | int) -> noise.Key:
        return noise.key(self._character.seed, self._character.symbol, *purpose)

    def _make_days(self, block: int) -> Candles:
        days = np.arange(block * _BLOCK_DAYS, (block + 1) * _BLOCK_DAYS, dtype=np.int64)
        sigma = self._sigma(days)
        opens, closes = self._level(days), self._level(days + 1)
        highs = self._summit(opens, closes, sigma, noise.uniform(self._key("high"), days))
        lows = -self._summit(-opens, -closes, sigma, noise.uniform(self._key("low"), days))
        scale = 10.0**self.price_decimals
        open_, high, low, close = (
            np.maximum(np.rint(np.exp(level) * scale), 1).astype(np.int64) for level in (opens, highs, lows, closes)
        )
        return Candles.of(days * DAY_MS, (open_, high, low, close), self._day_volume(days, sigma))

    def _level(self, days: Ints) -> Floats:
        """Return the logarithm of the price at the start of each day."""
        level = np.full(len(days), np.log(self._character.price))
        for octave in _OCTAVES:
            amplitude = _OCTAVE_AMPLITUDE * 2.0 ** (octave / 2)
            # Three deviations at most, so that the price can neither vanish nor explode.
            level += amplitude * np.clip(noise.smooth(self._key("level", octave), days, 2**octave), -3, 3)
        return level

    def _sigma(self, days: Ints) -> Floats:
        """Return the standard deviation of each day's moves, as a share of the price: nervous and calm weeks."""
        mood = noise.smooth(self._key("mood"), days, 9) + noise.smooth(self._key("mood of the day"), days, 2)
        return np.minimum(_DAILY_VOLATILITY * self._character.volatility * np.exp(0.3 * mood), 0.8)

    @staticmethod
    def _summit(opens: Floats, closes: Floats, sigma: Floats, chance: Floats) -> Floats:
        """Return the highest logarithm of the price of a random walk from open to close (reflection principle)."""
        change = closes - opens
        return opens + (change + np.sqrt(change**2 - 2.0 * sigma**2 * np.log(chance))) / 2.0

    def _day_volume(self, days: Ints, sigma: Floats) -> Ints:
        usual = self._character.daily_volume * 10.0**self.volume_decimals
        nervous = (sigma / (_DAILY_VOLATILITY * self._character.volatility)) ** 1.5
        return np.rint(usual * nervous * np.exp(0.25 * noise.normal(self._key("volume"), days))).astype(np.int64)

    def _make_minutes(self, day: int) -> Candles:
        candle = self.candles(DAY_MS, day * DAY_MS, (day + 1) * DAY_MS)
        sigma = float(self._sigma(np.array([day], dtype=np.int64))[0])
        unit = float(candle.open[0]) * sigma / np.sqrt(_MINUTES)
        script = day_script(self._key("script", day), _MINUTES)
        return subdivide(
            candle,
            MINUTE_MS,
            steps=unit * script.steps[None],
            reach=unit * script.reach[None],
            weights=script.activity[None],
            present=script.present[None],
        )

    def _make_seconds(self, hour: int) -> Candles:
        minutes = self.candles(MINUTE_MS, hour * HOUR_MS, (hour + 1) * HOUR_MS)
        index = (minutes.open_time // SECOND_MS)[:, None] + np.arange(_SECONDS, dtype=np.int64)
        # A random walk of n steps spans about 1.6 standard deviations of its end.
        unit = ((minutes.high - minutes.low) / (1.6 * np.sqrt(_SECONDS)))[:, None]
        burst = np.exp(0.5 * noise.smooth(self._key("burst"), index, 7))
        move = noise.normal(self._key("second"), index) * burst
        trades = noise.uniform(self._key("trades"), index) < 0.97
        reach = unit * burst * -0.4 * np.log(noise.uniform(self._key("reach"), index))
        weights = (0.2 + np.abs(move)) * burst * np.exp(0.6 * noise.normal(self._key("size"), index))
        return subdivide(
            minutes,
            SECOND_MS,
            steps=np.where(trades, unit * move, 0.0),
            reach=np.where(trades, reach, 0.0),
            weights=np.where(trades, weights, 0.0),
            present=np.ones_like(trades),
        )
