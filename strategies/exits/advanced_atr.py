"""Trail a stop in phases, at a range that heeds a higher timeframe, and sell in parts on the way up."""

import math
from typing import NamedTuple

import numpy as np

from domain.candles import Candles
from domain.decisions import ExitState, Scalar, Take
from strategies.arrays import Floats
from strategies.conditions import Check, check, compare
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.advanced_atr_params import AdvancedATRParams
from strategies.exits.common import NO_STOP, as_stop, number, stop_of, whole
from strategies.indicators import atr, lowest, wilder_warmup
from strategies.timeframes import candles_within, higher_atr, misfit

HIGHER_PERIOD = 14
"""The period of the higher timeframe's range: Wilder's own."""


class Ride(NamedTuple):
    """What is remembered of a position. Prices are in quote per unit of base.

    Attributes:
        anchor: the entry price, or the highest H since.
        stop: the stop from the last candle on.
        in_force: the stop that was in force during that candle.
        base, risk: the entry price and R as they were when R became known; R is 0 before.
        phase: 0; 1 once armed; 2 in the second phase. It never goes back.
        quiet: candles since the anchor rose.
        tightened: how often the distance was tightened since then.
        rest: candles since it was tightened last.
    """

    anchor: float
    stop: float = NO_STOP
    in_force: float = NO_STOP
    base: float = 0.0
    risk: float = 0.0
    phase: int = 0
    quiet: int = 0
    tightened: int = 0
    rest: int = 0


class AdvancedATRExitMixin(ExitLogic[AdvancedATRParams, Ride]):
    """Exit if L ≤ the stop in force, at the stop: it is watched on the price between candles too.

    A = max(alpha_fast * ATR(p_fast), alpha_slow * ATR(p_slow), alpha_htf * ATR(14) of closed `htf` candles, atr_floor).
    At the entry R = k_init * A and stop = entry - R. Each candle: anchor = highest H since the entry; k = k_init, k_run
    once C - entry ≥ arm_at_R * R, k_phase2 once it is ≥ phase2_at_R * R. Without a new anchor for
    `tighten_if_stagnant_bars` candles k is multiplied by `tighten_k_factor`, and again every
    `min_bars_between_tighten`, until there is one. stop = max(stop, anchor - k * A), with the ratchet also lowest L of
    `swing_lookback` candles - struct_buffer_atr * A, and once armed entry + breakeven_offset_atr * A as soon as C is
    above that. At entry + each of `pt_levels_R` * R its share of the quantity first bought is sold.

    ATR is Wilder's. The entry is the average price of the position; for R and the levels, that price when R became
    known. The higher timeframe counts as soon as it has a value.
    """

    Params = AdvancedATRParams
    by_price = True

    @property
    def warmup(self) -> int:
        """Without the higher timeframe: the longer ATR's, unless the swing's window is longer."""
        p = self.params
        return max(wilder_warmup(max(p.p_fast, p.p_slow)), p.swing_lookback)

    def warmup_at(self, interval: str) -> int:
        """Return the warm-up with the higher timeframe's: its ATR's, a candle begun before and one not closed yet."""
        if not self.params.use_htf_atr or self.misfit(interval):
            return self.warmup
        return max(self.warmup, (wilder_warmup(HIGHER_PERIOD) + 2) * candles_within(self.params.htf, interval))

    def misfit(self, interval: str) -> str | None:
        """Return why the higher timeframe cannot be made of candles of an interval."""
        p = self.params
        expected = misfit(p.htf, interval) if p.use_htf_atr else None
        if expected is None:
            return None
        return f"htf must be {expected}, unless use_htf_atr is false; was {p.htf} with candles of {interval}"

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        """Return A, the lowest lows, and the range of the higher timeframe, which A does without where it is NaN."""
        p, (high, low, close) = self.params, (candles.high, candles.low, candles.close)
        near = np.maximum(
            p.alpha_fast * atr(high, low, close, p.p_fast), p.alpha_slow * atr(high, low, close, p.p_slow)
        )
        swing = lowest(low, p.swing_lookback)
        if not p.use_htf_atr:
            return np.maximum(near, p.atr_floor), swing
        far = higher_atr(candles, p.htf, HIGHER_PERIOD)
        return np.maximum(near, np.fmax(p.alpha_htf * far, p.atr_floor)), swing, far  # fmax passes over a NaN

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> Ride:
        """Start below the entry; without the signal's candle or its A, a later candle tells R."""
        ride = Ride(entry.price)
        return ride if i is None else self._with_risk(ride, series.indicators[0].item(i), entry)

    def advance(self, memory: Ride, series: ExitSeries, i: int, entry: EntryPoint) -> Ride:
        """Raise the anchor to the candle's high, and then the stop."""
        ride = _anchored(memory._replace(in_force=memory.stop), series.candles.high.item(i))
        reach = series.indicators[0].item(i)
        ride = ride if ride.risk else self._with_risk(ride, reach, entry)
        if not ride.risk or math.isnan(reach):
            return ride
        return self._raised(self._phased(ride, series.candles.close.item(i) - entry.price), series, i, entry)

    def catch_up(self, memory: Ride, series: ExitSeries, until: int) -> Ride:
        """Raise the anchor alone: highs need no convergence."""
        for high in series.candles.high[:until].tolist():
            memory = _anchored(memory, high)
        return memory

    def checks(self, memory: Ride, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        """Compare the low with the stop that was in force."""
        del entry
        p, name = self.params, f"low, stop below anchor {memory.anchor:.8g}"
        if p.use_htf_atr and math.isnan(series.indicators[2].item(i)):
            name += f" (without ATR({p.htf}): too few candles for it, or none that {p.htf} is a multiple of)"
        return (check(name, series.candles.low.item(i), "<=", memory.in_force),)

    def takes(self, memory: Ride) -> tuple[Take, ...]:
        """Return the levels at which a part is sold, once R is known."""
        if not memory.risk:
            return ()
        pairs = zip(self.params.pt_levels_R, self.params.pt_sizes, strict=True)
        return tuple([Take(level=memory.base + level * memory.risk, share=share) for level, share in pairs])

    def remember(self, memory: Ride) -> tuple[dict[str, Scalar], float | None]:
        """Write everything."""
        values: dict[str, Scalar] = memory._asdict()
        del values["stop"]
        values["in_force"] = as_stop(memory.in_force)
        return values, as_stop(memory.stop)

    def recall(self, state: ExitState) -> Ride:
        """Read everything."""
        in_force = state.values["in_force"]
        return Ride(
            anchor=number(state, "anchor"),
            stop=stop_of(state),
            in_force=NO_STOP if in_force is None else number(state, "in_force"),
            base=number(state, "base"),
            risk=number(state, "risk"),
            phase=whole(state, "phase"),
            quiet=whole(state, "quiet"),
            tightened=whole(state, "tightened"),
            rest=whole(state, "rest"),
        )

    def _with_risk(self, ride: Ride, reach: float, entry: EntryPoint) -> Ride:
        if not reach > 0:  # NaN for want of candles; 0 in a market that has not moved
            return ride
        risk = self.params.k_init * reach
        return ride._replace(base=entry.price, risk=risk, stop=max(ride.stop, entry.price - risk))

    def _phased(self, ride: Ride, gained: float) -> Ride:
        p = self.params
        phase = ride.phase
        if phase < 1 and compare(gained, ">=", p.arm_at_R * ride.risk):
            phase = 1
        if phase < 2 and compare(gained, ">=", p.phase2_at_R * ride.risk):
            phase = 2
        if ride.quiet >= p.tighten_if_stagnant_bars and (not ride.tightened or ride.rest >= p.min_bars_between_tighten):
            return ride._replace(phase=phase, tightened=ride.tightened + 1, rest=0)
        return ride._replace(phase=phase)

    def _raised(self, ride: Ride, series: ExitSeries, i: int, entry: EntryPoint) -> Ride:
        p, reach = self.params, series.indicators[0].item(i)
        k = (p.k_init, p.k_run, p.k_phase2)[ride.phase] * p.tighten_k_factor**ride.tightened
        stop = max(ride.stop, ride.anchor - k * reach)
        if p.use_swing_ratchet:
            # max keeps its first argument beside a NaN: there may be too few candles for a swing.
            stop = max(stop, series.indicators[1].item(i) - p.struct_buffer_atr * reach)
        lock = entry.price + p.breakeven_offset_atr * reach
        if ride.phase and lock < series.candles.close.item(i):  # a stop above the price would sell at once
            stop = max(stop, lock)
        return ride._replace(stop=stop)


def _anchored(ride: Ride, high: float) -> Ride:
    if high > ride.anchor:
        return ride._replace(anchor=high, quiet=0, tightened=0, rest=0)
    return ride._replace(quiet=ride.quiet + 1, rest=ride.rest + 1)
