"""What must be true for any candles and any parameters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.candles import Candles
from domain.decisions import ExitState
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from strategies.exits.atr import ATRExitMixin, ATRParams
from strategies.logic import EntryPoint, ExitOutcome
from tests.strategies.reference import MINUTE

PERIODS = st.integers(2, 12)

entries = st.builds(
    RSIBBVolumeEntryMixin,
    st.builds(
        RSIBBVolumeParams,
        e_rsi_period=PERIODS,
        e_rsi_oversold=st.floats(0, 50),
        e_bb_period=PERIODS,
        e_bb_dev=st.floats(0.1, 3),
        e_vol_ma_period=PERIODS,
        e_min_volume_ratio=st.floats(0.1, 2),
        e_use_bb_touch=st.booleans(),
    ),
)
exits = st.builds(ATRExitMixin, st.builds(ATRParams, x_atr_period=PERIODS, x_sl_multiplier=st.floats(0.1, 5)))


@st.composite
def markets(draw: st.DrawFn, min_size: int = 0) -> Candles:
    """Candles in ticks of 0.01: walks, jumps, flat stretches, no volume, gaps in time."""
    moves = st.integers(-30, 30) | st.just(0) | st.integers(-2000, 2000)
    row = st.tuples(st.integers(1, 3), moves, st.integers(0, 20), st.integers(0, 20), st.integers(0, 5))
    table = np.array(draw(st.lists(row, min_size=min_size, max_size=60)), dtype=np.int64).reshape(-1, 5)
    close = np.maximum(1000 + np.cumsum(table[:, 1]), 1) / 100
    opened = np.concatenate([[10.0], close])[: len(close)]
    high = np.maximum(opened, close) + table[:, 2] / 100
    low = np.maximum(np.minimum(opened, close) - table[:, 3] / 100, 0.01)
    return Candles(np.cumsum(table[:, 0]) * MINUTE, opened, high, low, close, table[:, 4].astype(np.float64))


@st.composite
def positions(draw: st.DrawFn) -> tuple[Candles, EntryPoint, int]:
    """Candles, and a position that began on one of them."""
    candles = draw(markets(min_size=1))
    i = draw(st.integers(0, len(candles) - 1))
    close, time = candles.close.item(i), candles.open_time.item(i)
    return candles, EntryPoint(time, close, close, time + MINUTE), i


@settings(deadline=None)
@given(markets(), entries)
def test_an_entry_never_looks_ahead_and_its_last_candle_agrees_with_all(
    candles: Candles, logic: RSIBBVolumeEntryMixin
) -> None:
    signals = logic.signals(candles)

    assert len(signals) == len(candles)
    for end in range(1, len(candles) + 1):
        verdict = logic.verdict(candles[:end])
        assert verdict.signal == signals[end - 1]
        assert verdict.signal == (not verdict.waiting_for and all(c.holds for c in verdict.conditions))


@settings(deadline=None)
@given(positions(), exits)
def test_an_exit_never_looks_ahead(position: tuple[Candles, EntryPoint, int], logic: ATRExitMixin) -> None:
    candles, entry, i = position
    state = logic.start(candles, entry)
    whole = logic.fold(candles, state, entry)
    folded = int(candles.open_time.searchsorted(whole.state.folded, side="right"))

    assert logic.start(candles[: i + 1], entry) == state
    assert logic.fold(candles[:folded], state, entry) == whole


@settings(deadline=None)
@given(positions(), exits)
def test_a_stop_begins_at_most_at_the_price_it_protects_and_never_falls(
    position: tuple[Candles, EntryPoint, int], logic: ATRExitMixin
) -> None:
    candles, entry, i = position
    state = logic.start(candles, entry)
    assert state.stop is None or state.stop <= entry.signal_close
    for end in range(i + 1, len(candles) + 1):
        outcome = logic.fold(candles[:end], state, entry)
        if state.stop is not None:
            assert outcome.state.stop is not None
            assert outcome.state.stop >= state.stop
        state = outcome.state
        if outcome.exit is not None:
            assert state.stop is not None
            assert candles.close[end - 1] <= state.stop * (1 + 1e-9)
            break


@settings(deadline=None)
@given(positions(), exits, st.lists(st.integers(0, 60), max_size=5))
def test_folding_in_pieces_equals_folding_in_one_go(
    position: tuple[Candles, EntryPoint, int], logic: ATRExitMixin, cuts: list[int]
) -> None:
    candles, entry, i = position
    first = logic.start(candles, entry)
    whole = logic.fold(candles, first, entry)

    outcome = ExitOutcome(first, None, ())
    for cut in [*(cut for cut in sorted(cuts) if i < cut < len(candles)), len(candles)]:
        # Between the pieces the state travels through a workflow's history.
        state = ExitState.model_validate_json(outcome.state.model_dump_json())
        outcome = logic.fold(candles[:cut], state, entry)
        if outcome.exit is not None:
            break

    assert outcome == whole
