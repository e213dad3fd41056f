"""An independent calculation of what a bot must do on a file of candles: plain numpy and Decimal, from the formulas.

Nothing of the code under test is used, not even its constants.
"""

import csv
import gzip
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DAY_MS = 86_400_000
LOT, TICK, LEAST = Decimal("0.00001"), Decimal("0.01"), Decimal(5)
FEE, SLIP = Decimal("0.001"), Decimal("0.05")

Series = NDArray[np.float64]


@dataclass(frozen=True)
class File:
    """The columns of a candle file."""

    time: NDArray[np.int64]
    open: Series
    high: Series
    low: Series
    close: Series
    volume: Series


@dataclass(frozen=True)
class Rules:
    """What differs between the bots of the test."""

    stop_pct: Decimal | None
    target_pct: Decimal | None
    trades_per_day: int | None


@dataclass(frozen=True)
class Expected:
    """One round trip."""

    entry_candle: int
    exit_candle: int
    size: Decimal
    entry_fill: Decimal
    exit_fill: Decimal
    commission: Decimal
    net_pnl: Decimal
    reason: str


def read(path: Path) -> File:
    with gzip.open(path, "rt") as lines:
        rows = list(csv.reader(lines))[1:]
    numbers = np.array([[float(cell) for cell in row[1:]] for row in rows]).T
    return File(np.array([int(row[0]) for row in rows]), *numbers)


def wilder(values: Series, period: int, first: int) -> Series:
    """Wilder's average, seeded with the mean of `period` values from index `first`."""
    result = np.full(len(values), np.nan)
    seed_at = first + period - 1
    result[seed_at] = values[first : seed_at + 1].mean()
    for i in range(seed_at + 1, len(values)):
        result[i] = (result[i - 1] * (period - 1) + values[i]) / period
    return result


def rsi(close: Series, period: int) -> Series:
    change = np.diff(close, prepend=close[0])
    up, down = wilder(np.maximum(change, 0), period, 1), wilder(np.maximum(-change, 0), period, 1)
    return 100 * up / (up + down)


def atr(data: File, period: int) -> Series:
    before = np.roll(data.close, 1)
    true_range = np.maximum(data.high - data.low, np.maximum(abs(data.high - before), abs(data.low - before)))
    return wilder(true_range, period, 1)


def window(values: Series, period: int) -> Series:
    return np.lib.stride_tricks.sliding_window_view(values, period)


def mean(values: Series, period: int) -> Series:
    return np.concatenate([np.full(period - 1, np.nan), window(values, period).mean(axis=1)])


def deviation(values: Series, period: int) -> Series:
    return np.concatenate([np.full(period - 1, np.nan), window(values, period).std(axis=1)])


def entry_signals(data: File) -> NDArray[np.bool_]:
    """RSI(14) <= 30 and close <= lower Bollinger band (20, 2) and volume > 1.1 x its mean of 20."""
    lower = mean(data.close, 20) - 2.0 * deviation(data.close, 20)
    with np.errstate(invalid="ignore"):
        return (rsi(data.close, 14) <= 30) & (data.close <= lower) & (data.volume > 1.1 * mean(data.volume, 20))


class Simulation:
    """One bot, candle by candle. `low` comes before `high` inside a candle, as the simulator's prices do."""

    def __init__(self, data: File, rules: Rules, *, cash: Decimal, fraction: Decimal) -> None:
        self.data, self.rules, self.cash, self.fraction = data, rules, cash, fraction
        self.range = atr(data, 14)
        self.held = self.cost = self.paid_fee = Decimal(0)
        self.inside = False
        self.trades: list[Expected] = []
        self.acted, self.entries, self.day = -1, 0, -1

    def run(self, first: int) -> list[Expected]:
        """Start when candle `first` has just closed."""
        signal = entry_signals(self.data)
        for i in range(first, len(self.data.time) - 1):
            if self.inside:
                self._tick(i)
            if self.inside:
                self._leave(i)
            elif i > self.acted and signal[i]:
                self._enter(i)
        return self.trades

    def _enter(self, i: int) -> None:
        now = int(self.data.time[i + 1])
        if now // DAY_MS != self.day:
            self.day, self.entries = now // DAY_MS, 0
        if self.rules.trades_per_day is not None and self.entries >= self.rules.trades_per_day:
            return
        price = self._price(self.data.open[i + 1], buying=True)
        size = ((self.fraction * self.cash / price) / LOT).to_integral_value(ROUND_DOWN) * LOT
        fee = (size * FEE).quantize(Decimal("1e-8"), ROUND_CEILING)
        assert size * price >= LEAST
        self.cash -= size * price
        self.held += size - fee
        self.cost += (size - fee) * price
        self.paid_fee = fee * price
        self.entry_fill, self.entry_candle = price, i + 1
        self.average = self.cost / self.held
        self.peak = self.data.close[i]
        self.line = self.data.close[i] - 1.5 * self.range[i]
        self.inside, self.acted = True, i
        self.entries += 1

    def _levels(self) -> tuple[Decimal | None, Decimal | None]:
        stop, target = self.rules.stop_pct, self.rules.target_pct
        return (
            self.average * (100 - stop) / 100 if stop else None,
            self.average * (100 + target) / 100 if target else None,
        )

    def _tick(self, i: int) -> None:
        """Prices inside candle `i`, and the first one of the next is not among them."""
        stop, target = self._levels()
        if stop is not None and self._at(self.data.low[i]) <= stop:
            self._exit(i, stop, "stop_loss", acted=i)
        elif target is not None and self._at(self.data.high[i]) >= target:
            self._exit(i, target, "take_profit", acted=i)

    def _leave(self, i: int) -> None:
        """Candle `i` has closed and the next has opened."""
        opening = self._at(self.data.open[i + 1])
        stop, target = self._levels()
        self.peak = max(self.peak, self.data.high[i])
        self.line = max(self.line, self.peak - 1.5 * self.range[i])
        if stop is not None and opening <= stop:
            self._exit(i + 1, opening, "stop_loss", acted=i + 1)
        elif target is not None and opening >= target:
            self._exit(i + 1, opening, "take_profit", acted=i + 1)
        elif self.data.close[i] <= self.line:
            self._exit(i + 1, opening, "ATRExitMixin", acted=i)

    def _exit(self, candle: int, reference: Decimal, reason: str, *, acted: int) -> None:
        price = self._price(reference, buying=False)
        size = (self.held / LOT).to_integral_value(ROUND_DOWN) * LOT
        fee = (size * price * FEE).quantize(Decimal("1e-8"), ROUND_CEILING)
        share = (self.cost * size / self.held).quantize(Decimal("1e-18"))
        self.held -= size
        self.cost -= share
        self.cash += size * price - fee
        commission = self.paid_fee + fee
        net = size * price - share - commission
        self.trades.append(Expected(self.entry_candle, candle, size, self.entry_fill, price, commission, net, reason))
        self.inside, self.acted = False, acted

    def _at(self, price: float) -> Decimal:
        return Decimal(repr(float(price)))

    def _price(self, reference: float | Decimal, *, buying: bool) -> Decimal:
        exact = reference if isinstance(reference, Decimal) else self._at(reference)
        slipped = exact * (100 + (SLIP if buying else -SLIP)) / 100
        return (slipped / TICK).to_integral_value(ROUND_CEILING if buying else ROUND_FLOOR) * TICK
