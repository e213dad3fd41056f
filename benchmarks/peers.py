"""The user's example in backtesting.py and vectorbt, for comparison: their time, and backtesting.py's trades.

It runs under a Python that has them, and prints JSON. Indicators are not in their time; nothing of ours but the plain
formulas of tests/e2e/reference.py is used. They are no dependencies: backtesting.py is under the AGPL, and both would
come with every installation.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install backtesting vectorbt
    /tmp/peers/bin/python -m benchmarks.peers backtesting 45031 --first 1000 --trades-per-day 5 --stop 3 --target 6
"""

import argparse
import csv
import json
import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.e2e import reference

MONTH = Path(__file__).parents[1] / "tests" / "data" / "btc_usdt_1m_2022-01.csv.gz"
FEE, LOT, CASH, SHARE = 0.001, 1e-5, 100.0, 0.1
DAY = 86_400_000


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["backtesting", "vectorbt"])
    parser.add_argument("candles", type=int)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--cash", type=float, default=CASH)
    parser.add_argument("--trades-per-day", type=int, default=10**9)
    parser.add_argument("--stop", type=float)
    parser.add_argument("--target", type=float)
    parser.add_argument("--csv", action="store_true", help="print the trades as CSV instead")
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    data = repeated(reference.read(MONTH), wanted.candles)
    seconds, trades = by_vectorbt(data) if wanted.peer == "vectorbt" else by_backtesting(data, wanted)
    if wanted.csv:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerows([("entry_candle", "exit_candle", "size", "entry_price", "exit_price", "net_pnl"), *trades])
    else:
        sys.stdout.write(json.dumps({"seconds": seconds, "trades": trades}) + "\n")


def repeated(data: reference.File, count: int) -> reference.File:
    """Return so many candles: the file again and again, a minute apart."""
    times = -(-count // len(data.time))
    columns = (np.tile(column, times)[:count] for column in (data.open, data.high, data.low, data.close, data.volume))
    return reference.File(data.time[0] + 60_000 * np.arange(count), *columns)


def by_backtesting(data: reference.File, wanted: argparse.Namespace) -> tuple[float, list[tuple[Any, ...]]]:
    """Return seconds of CPU and trades of backtesting.py: fee in quote, rounded up to eight decimals; no slippage."""
    import pandas as pd  # noqa: PLC0415  a peer's, not ours
    from backtesting import Strategy  # noqa: PLC0415
    from backtesting.lib import FractionalBacktest  # noqa: PLC0415

    signals, ranges = reference.entry_signals(data), reference.atr(data, 14)
    began = time.process_time()

    class Example(Strategy):  # type: ignore[misc]
        """The user's example."""

        def init(self) -> None:
            """Start flat."""
            self.peak = self.line = 0.0
            self.made: dict[int, int] = {}

        def next(self) -> None:
            """Judge the newest closed candle; orders are filled at the next open."""
            i = len(self.data) - 1
            if self.position:
                self.peak = max(self.peak, data.high[i])
                self.line = max(self.line, self.peak - 1.5 * ranges[i])
                if data.close[i] <= self.line:
                    self.position.close()
            elif signals[i] and i >= wanted.first - 1 and not self.left_inside(i) and i + 1 < len(data.time):
                day = int(data.time[i + 1]) // DAY
                if self.made.get(day, 0) < wanted.trades_per_day:
                    self.made[day] = self.made.get(day, 0) + 1
                    self.enter(i)

        def enter(self, i: int) -> None:
            """Buy for a share of the cash, stop and target measured from the price that will be paid."""
            self.peak, self.line = data.close[i], data.close[i] - 1.5 * ranges[i]
            paid = data.open[i + 1] * LOT
            stop = wanted.stop and paid * (1 - wanted.stop / 100)
            target = wanted.target and paid * (1 + wanted.target / 100)
            self.buy(size=SHARE, sl=stop, tp=target)

        def left_inside(self, i: int) -> bool:
            """Whether a stop or target was reached in this candle: no entry acts on it."""
            last = self.closed_trades[-1] if self.closed_trades else None
            return last is not None and last.exit_bar == i and last.exit_price != data.open[i] * LOT

    frame = pd.DataFrame(
        {"Open": data.open, "High": data.high, "Low": data.low, "Close": data.close, "Volume": data.volume},
        index=pd.to_datetime(data.time, unit="ms"),
    )
    test = FractionalBacktest(frame, Example, cash=wanted.cash, commission=_fee, fractional_unit=LOT)
    made = test.run()["_trades"]
    seconds = time.process_time() - began
    columns = ("EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice", "PnL")
    return seconds, [tuple(row) for row in made[list(columns)].itertuples(index=False)]


def by_vectorbt(data: reference.File) -> tuple[float, list[tuple[Any, ...]]]:
    """Return seconds of CPU of vectorbt, whose trailing stop keeps the distance of the entry: none follows the ATR."""
    import pandas as pd  # noqa: PLC0415
    import vectorbt as vbt  # noqa: PLC0415

    signals, ranges = reference.entry_signals(data), reference.atr(data, 14)

    def run() -> None:
        distance = pd.Series(np.nan_to_num(1.5 * ranges / data.close, nan=0.5))
        close, opened, entries = pd.Series(data.close), pd.Series(data.open), pd.Series(signals)
        portfolio = vbt.Portfolio.from_signals(
            close,
            entries.shift(1, fill_value=False),
            exits=False,
            price=opened,
            sl_stop=distance,
            sl_trail=True,
            fees=FEE,
            size=SHARE,
            size_type="percent",
            init_cash=CASH,
            freq="1min",
        )
        len(portfolio.trades.records)
        portfolio.sharpe_ratio()

    run()  # compiles
    began = time.process_time()
    run()
    return time.process_time() - began, []


def _fee(size: float, price: float) -> float:
    # The product of lots and price is exact in tenths of a cent; what floats add to it must not round it up.
    return math.ceil(round(abs(size) * price * FEE * 1e8, 4)) / 1e8


if __name__ == "__main__":
    main()
