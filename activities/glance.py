"""What a look at a market says: prices of the moment, candles that were missed, levels that were reached. Pure."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from domain.candles import Candles
from domain.decisions import ExitLevels, LevelRule
from domain.intervals import next_open, open_time
from domain.model import Price
from domain.ports import MarketView
from domain.watch import RestingOrder

# A decision that comes later than this after the open it refers to takes the price of its own moment instead.
LATE_MS = 5_000
_MOST_COUNTED = 1_000_000


def current_price(view: MarketView) -> Price | None:
    """Return the newer of the last price and the open of the running candle."""
    opened_later = view.opening_time is not None and view.price_at is not None and view.opening_time > view.price_at
    return view.opening_price if view.price is None or (opened_later and view.opening_price) else view.price


def candle_price(view: MarketView) -> Price:
    """Return the price of a candle decision: the open of the running candle, unless that is long ago."""
    opened, price = view.opening_time, view.opening_price
    newest = int(view.candles.open_time[-1])
    if opened is not None and price is not None and opened > newest and view.now - opened <= LATE_MS:
        return price
    return current_price(view) or Decimal(repr(float(view.candles.close[-1])))


def running_candle(view: MarketView, interval: str) -> int:
    """Return the open time of the candle that runs now, whether it has had a trade or not."""
    return max(open_time(view.now, interval), view.opening_time or 0)


def candles_between(folded: int, oldest: int, interval: str) -> int:
    """Return how many candles opened after `folded` and before `oldest`, both milliseconds UTC; a million at most."""
    lost, moment = 0, next_open(folded, interval)
    while moment < oldest and lost < _MOST_COUNTED:
        lost, moment = lost + 1, next_open(moment, interval)
    return lost


def first_traded_through(candles: Candles, order: RestingOrder, interval: str) -> int | None:
    """Return when a candle has ended that has traded through a limit, the first one; None if none has.

    A candle counts if the order has rested for all of it: its extremes may else be older, or newer, than the order.
    """
    beyond = candles.low < float(order.price) if order.side == "buy" else candles.high > float(order.price)
    hits = candles.open_time[(candles.open_time >= order.since - LATE_MS) & beyond]
    end = next_open(int(hits[0]), interval) if len(hits) else None
    return None if end is None or (order.until is not None and end > order.until) else end


def with_limit(levels: ExitLevels, order: RestingOrder, tick: Price) -> ExitLevels:
    """Return the levels to wait for while a limit order rests.

    On paper it is filled by a price that is at least a tick beyond its limit. No profit is waited for when the order is
    an exit: the position is being sold already.
    """
    changes: dict[str, Price | None] = {}
    if order.side == "sell":
        changes["target"] = changes["take"] = None
    if order.paper:
        side, beyond = ("limit_buy", order.price - tick) if order.side == "buy" else ("limit_sell", order.price + tick)
        changes[side] = beyond
    return levels.model_copy(update=changes)


class Breach(NamedTuple):
    """A level that a closed candle has reached, and when that candle opened."""

    candle_time: int
    rule: LevelRule

    @property
    def closes(self) -> bool:
        """Whether all of the position is left there."""
        return self.rule != "take"


def first_breach(candles: Candles, levels: ExitLevels, *, since: int, entered_at: int) -> Breach | None:
    """Return the first level that a candle after `since` has reached; None if none has.

    On one candle the stops count first, then the target. Of the candle of an entry only that counts which follows the
    entry, so one that was entered in its middle says nothing: its extremes may be older than the position.
    """
    times = candles.open_time
    fresh = (times > since) & (times >= entered_at - LATE_MS)
    watched: tuple[tuple[LevelRule, Price | None], ...] = (
        ("stop", levels.stop),
        ("last_stop", levels.last_stop),
        ("target", levels.target),
        ("take", levels.take),
    )
    found: list[Breach] = []
    for rule, level in watched:
        if level is None:
            continue
        stops = rule in ("stop", "last_stop")
        hits = np.flatnonzero(fresh & (candles.low <= float(level) if stops else candles.high >= float(level)))
        if len(hits):
            found.append(Breach(int(times[hits[0]]), rule))
    return min(found, key=lambda breach: breach.candle_time, default=None)  # the first of those on one candle
