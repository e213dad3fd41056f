"""How many candles a second a backtest of the user's example lives through, trades and figures included.

python -m benchmarks.backtest [--candles N] [--peers PYTHON]

The example of the documentation, risk limits off, on a real month of one-minute candles repeated to a million; loading
is not counted. Figures are of CPU time, medians of several rounds. Each round also times a plain pass of the same
indicators through TA-Lib, so that a slow machine slows both. `--peers` names a Python that has backtesting.py or
vectorbt (benchmarks/peers.py says how to make one): they run the same candles, their indicators not counted, and the
trades of backtesting.py are compared.
"""

import argparse
import gzip
import json
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import talib

from backtest.candle_file import parse_candles
from backtest.engine import backtest
from backtest.history import History, history_of
from backtest.result import Result
from benchmarks.harness import ROOT, emit, median
from domain.candles import Candles
from domain.config import BotConfig, parse_config
from domain.instruments import Instrument, VenueRef
from domain.templates import bot_from_template
from strategies.registry import build_strategy

CANDLES, ROUNDS, TARGET = 1_000_000, 7, 2_000_000
PEERS = {"backtesting": 45_031, "vectorbt": 1_000_000}
FIRST, CASH = 1_000, 100
_MONTH = ROOT / "tests" / "data" / "btc_usdt_1m_2022-01.csv.gz"
_MARKET = Instrument(
    venue=VenueRef(name="binance"),
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot_step=Decimal("0.00001"),
    tick_size=Decimal("0.01"),
    min_notional=Decimal(5),
)

T = TypeVar("T")


def main() -> None:
    """Measure in turns, so that a slow moment of the machine hits all alike."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candles", type=int, default=CANDLES)
    parser.add_argument("--peers", type=Path, help="a Python that has backtesting.py or vectorbt")
    wanted = parser.parse_args()
    month = parse_candles(gzip.decompress(_MONTH.read_bytes()), _MONTH.name)
    candles, config = _repeated(month, wanted.candles), _config(cash=1_000)
    seconds: dict[str, list[float]] = {"backtest": [], "indicators": []}
    for _ in range(ROUNDS):
        spent, trades = _timed(lambda: _run(config, candles))
        seconds["backtest"].append(spent)
        seconds["indicators"].append(_timed(lambda: _indicators(candles))[0])
    ours, plain = median(seconds["backtest"]), median(seconds["indicators"])
    rate = wanted.candles / ours
    print(f"{wanted.candles:,} candles, {trades:,} trades: {ours:.3f} s of CPU, {rate:,.0f} candles a second and core")
    print(f"the same indicators through TA-Lib alone: {plain:.3f} s")
    more = _peers(wanted.peers, month, rate) if wanted.peers else {}
    if not wanted.peers:
        print("backtesting.py and vectorbt: not measured; name a Python that has them with --peers")
    emit("backtest", rate, wanted.candles / plain, "candles/s", trades=trades, target=TARGET, **more)


def _run(config: BotConfig, candles: Candles) -> int:
    """Return how many trades there are, each of which and all figures have been worked out."""
    result = _result(config, history_of(candles, "1m", warmup=build_strategy(config.strategy).warmup))
    assert result.metrics()["total_trades"] == len(result.trades)
    return len(result.trades)


def _result(config: BotConfig, history: History, market: Instrument = _MARKET) -> Result:
    return backtest(config, market, build_strategy(config.strategy), history)


def _indicators(candles: Candles) -> None:
    talib.RSI(candles.close, 14)
    talib.BBANDS(candles.close, 20, 2.0, 2.0)
    talib.SMA(candles.volume, 20)
    talib.ATR(candles.high, candles.low, candles.close, 14)


def _peers(python: Path, month: Candles, rate: float) -> dict[str, float | str]:
    """Return the rates of the peers on the month, and whether backtesting.py makes our trades."""
    found: dict[str, float | str] = {}
    for peer, count in PEERS.items():
        answer = _ask(python, peer, count)
        if answer is None:
            print(f"{peer}: {python} does not have it")
            continue
        its = count / answer["seconds"]
        found |= {peer: its, f"ratio_to_{peer}": rate / its}
        print(f"{peer}: {its:,.0f} candles a second; ours is {rate / its:,.1f} times as fast")
        if answer["trades"]:
            same = _same_trades(month, answer["trades"])
            found["same_trades_as_backtesting"] = str(same).lower()
            print(f"{peer}: {len(answer['trades'])} trades, {'the same' if same else 'OTHERS'} as ours")
    return found


def _ask(python: Path, peer: str, count: int) -> dict[str, Any] | None:
    command = [str(python), "-m", "benchmarks.peers", peer, str(count), "--first", str(FIRST)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _same_trades(month: Candles, theirs: list[list[float]]) -> bool:
    """Return whether both have the same trades, by its rules: fee in quote, no slippage, no ticks, no least."""
    config = _config(cash=CASH, fee_currency="quote", slippage_pct=0)
    market = _MARKET.model_copy(update={"tick_size": Decimal("1e-8"), "min_notional": Decimal(0)})
    history = history_of(month, "1m", warmup=0, start=int(month.open_time[FIRST]))
    ours = [
        (t.entry_candle, t.exit_candle, float(t.size), float(t.entry_price), float(t.exit_price), float(t.net_pnl))
        for t in _result(config, history, market).trades
    ]
    return len(ours) == len(theirs) and bool(np.allclose(ours, theirs, rtol=0, atol=1e-8))


def _config(*, cash: int, **costs: float | str) -> BotConfig:
    raw = bot_from_template("rsi", id="bench", symbol="BTC/USDT", interval="1m", cash=cash)
    raw["risk_management"] = {}
    raw["broker"]["paper_trading_config"] = costs
    return parse_config(raw)


def _repeated(month: Candles, count: int) -> Candles:
    times = -(-count // len(month))
    columns = (month.open, month.high, month.low, month.close, month.volume)
    opened = month.open_time[0] + 60_000 * np.arange(count, dtype=np.int64)
    return Candles(opened, *(np.tile(column, times)[:count] for column in columns))


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    value = call()
    return time.process_time() - began, value


if __name__ == "__main__":
    main()
