"""A stage for the watcher: candles that say by their volume what the strategy shall do, and views of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from activities.watcher import Watcher
from domain.candles import Candles
from domain.decisions import Decision, ExitState, Scalar
from domain.ports import MarketView
from domain.positions import Book, Position
from domain.watch import WatchRequest, WatchResult
from strategies.arrays import Floats
from strategies.conditions import Check, VectorCondition, check
from strategies.custom import CustomStrategy
from strategies.entry_logic import EntryLogic
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.logic import Parameters
from tests.domain.builders import MINUTE, config, costs, dec, instrument, position

START = 1_700_000_040_000
"""A whole minute."""

QUIET, BUY, SELL = 1.0, 2.0, 3.0
"""Volumes: nothing; the entry rule holds; the exit rule holds."""


class BuyOnVolume(EntryLogic[Parameters]):
    """Buys on a volume of 2."""

    Params = Parameters

    @property
    def warmup(self) -> int:
        return 1

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        return (
            VectorCondition("volume", candles.volume, ">=", BUY),
            VectorCondition("not to sell", candles.volume, "<", SELL),
        )


class SellParams(Parameters):
    """`mark` makes states of different parameters foreign to each other."""

    mark: int = 0


class SellOnVolume(ExitLogic[SellParams, tuple[float, int]]):
    """Sells on a volume of 3; remembers the highest high since the signal's close, and the candles since then."""

    Params = SellParams

    @property
    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        return ()

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> tuple[float, int]:
        return entry.signal_close, 0

    def advance(self, memory: tuple[float, int], series: ExitSeries, i: int, entry: EntryPoint) -> tuple[float, int]:
        return max(memory[0], series.candles.high.item(i)), memory[1] + 1

    def checks(self, memory: tuple[float, int], series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        return (check("volume", series.candles.volume.item(i), ">=", SELL),)

    def remember(self, memory: tuple[float, int]) -> tuple[dict[str, Scalar], float | None]:
        return {"peak": memory[0], "bars": memory[1]}, memory[0] * 0.5

    def recall(self, state: ExitState) -> tuple[float, int]:
        return float(state.values["peak"] or 0), int(state.values["bars"] or 0)


class Failing(BuyOnVolume):
    """Raises as soon as it is asked."""

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        raise RuntimeError("no such model file")


def strategy(mark: int = 0) -> CustomStrategy:
    return CustomStrategy(BuyOnVolume(Parameters()), SellOnVolume(SellParams(mark=mark)))


Row = tuple[float, float, float, float, float]


def row(volume: float = QUIET, *, high: float = 100, low: float = 100, close: float = 100) -> Row:
    """Return a candle around 100: open, high, low, close, volume."""
    return 100.0, float(high), float(low), float(close), volume


def view(rows: list[Row], *, after_ms: int = 0, opening: str | None = "100", **fields: Any) -> MarketView:
    """Return what the feed knows `after_ms` after the last row's end; the next candle has opened at `opening`."""
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.array([])] * 5
    times = START + MINUTE * np.arange(len(rows), dtype=np.int64)
    begun = START + MINUTE * len(rows)
    whole = MarketView(
        candles=Candles(times, *columns),
        opening_time=None if opening is None else begun,
        opening_price=None if opening is None else dec(opening),
        price=None,
        price_at=None,
        now=begun + after_ms,
        stale=False,
    )
    return replace(whole, **fields)


def time_of(index: int) -> int:
    """Return the open time of a candle."""
    return START + MINUTE * index


def held(signal: int, *, cost: str = "100", **fields: Any) -> Book:
    """Return a book with a position that was entered on the signal of a candle, at the open of the next one."""
    entered = time_of(signal + 1)
    fields = {"opened_at": entered, "entered_at": entered, "signal_time": time_of(signal), **fields}
    return Book(cash=dec(900), position=position(cost=cost, **fields))


def request(book: Book | None = None, *, settings: dict[str, Any] | None = None, **fields: Any) -> WatchRequest:
    """Return a request of a bot whose orders cost nothing."""
    free = {"broker__paper_trading_config": costs(fee="0", slippage="0")}
    return WatchRequest.model_validate(
        {
            "bot_id": "bot",
            "uid": "uid",
            "config": config(**free, **(settings or {})),
            "config_version": 7,
            "instrument": instrument(),
            "book": book or Book(cash=dec(1000)),
            "segment_seconds": 60.0,
            **fields,
        }
    )


def watcher(
    book: Book | None = None,
    *,
    with_strategy: CustomStrategy | None = None,
    cached: ExitState | None = None,
    **fields: Any,
) -> Watcher:
    wanted = request(book, **fields)
    chosen = None if wanted.levels_only else with_strategy or strategy()
    return Watcher(wanted, chosen, cached=cached)


def state(folded: int, *, mark: int = 0, peak: float = 100.0, bars: int = 0) -> ExitState:
    """Return an exit state that has folded up to a candle."""
    entry = EntryPoint(signal_time=time_of(folded), signal_close=peak, price=peak, opened_at=0)
    made = strategy(mark).start_exit(view([row()]).candles, entry)
    return made.model_copy(update={"values": {"peak": peak, "bars": bars}})


def decided(result: WatchResult | None) -> Decision:
    assert result is not None
    assert result.outcome == "decision"
    assert result.decision is not None
    return result.decision


def entered(book: Book, decision: Decision) -> Position:
    """Return the position that a decision makes, as the workflow would."""
    assert decision.action == "enter"
    assert decision.quantity is not None
    return position(
        quantity=str(decision.quantity),
        cost=str(decision.quantity * decision.price),
        signal_time=decision.candle_time,
        signal_close=decision.signal_close or Decimal(0),
        opened_at=decision.decided_at,
        entered_at=decision.decided_at,
    )
