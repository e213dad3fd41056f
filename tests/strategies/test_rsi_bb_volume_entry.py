"""The entry on edge cases, by hand."""

import numpy as np
import pytest

from domain.candles import Candles
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin, RSIBBVolumeParams
from tests.strategies.reference import MINUTE, candles_of

RSI_NAME, BAND_NAME, VOLUME_NAME = "RSI(14)", "close, lower band BB(20, 2)", "volume, 1.1 × its SMA(20)"


def entry(**params: float | bool) -> RSIBBVolumeEntryMixin:
    return RSIBBVolumeEntryMixin(RSIBBVolumeParams.model_validate(params))


def falling(count: int) -> Candles:
    """A steady price that plunges on the last candle, on ten times the volume."""
    return candles_of([100.0] * (count - 1) + [90.0], volume=[1.0] * (count - 1) + [10.0])


def test_a_plunge_on_volume_is_a_signal_with_its_reasons() -> None:
    verdict = entry().verdict(falling(30))

    # RSI 0: losses alone. Mean 99.5, deviation sqrt(19 / 20 * 1 / 20) * 10 = 2.1794. Average volume 29 / 20.
    assert verdict.signal
    assert verdict.waiting_for == ()
    rsi, band, volume = verdict.conditions
    assert (rsi.name, rsi.left, rsi.right) == (RSI_NAME, 0.0, 30.0)
    assert (band.name, band.left) == (BAND_NAME, 90.0)
    assert band.right == pytest.approx(99.5 - 2 * 2.179449, abs=1e-6)
    assert (volume.name, volume.left) == (VOLUME_NAME, 10.0)
    assert volume.right == pytest.approx(1.1 * 1.45)


@pytest.mark.parametrize(
    ("changed", "held"),
    [
        pytest.param({"e_min_volume_ratio": 6.9}, [True, True, False], id="10 is not above 6.9 * 1.45"),
        pytest.param({"e_bb_dev": 5.0}, [True, False, True], id="90 is above 99.5 - 5 * 2.18"),
    ],
)
def test_each_condition_alone_prevents_the_signal(changed: dict[str, float], held: list[bool]) -> None:
    verdict = entry(**changed).verdict(falling(30))

    assert [condition.holds for condition in verdict.conditions] == held
    assert not verdict.signal


def test_a_rise_is_not_oversold() -> None:
    rising = candles_of([100.0 + i for i in range(30)], volume=[1.0] * 29 + [10.0])

    verdict = entry().verdict(rising)

    assert verdict.conditions[0].left == 100.0
    assert not verdict.signal


def test_one_candle_too_few_gives_no_signal_and_says_what_is_missing() -> None:
    verdict = entry().verdict(falling(19))

    assert not verdict.signal
    assert verdict.waiting_for == (BAND_NAME, VOLUME_NAME)
    assert [condition.name for condition in verdict.conditions] == [RSI_NAME]
    assert entry().verdict(falling(20)).signal


def test_the_rsi_needs_a_change_more_than_its_period() -> None:
    logic = entry(e_bb_period=2, e_bb_dev=0.5, e_vol_ma_period=2)

    assert logic.verdict(falling(14)).waiting_for == (RSI_NAME,)
    assert logic.verdict(falling(15)).signal


def test_no_candles_give_no_signal() -> None:
    nothing = falling(20)[:0]

    assert not entry().verdict(nothing).signal
    assert entry().explain(nothing) == ()
    assert len(entry().signals(nothing)) == 0


@pytest.mark.parametrize(("touch", "signal"), [(True, True), (False, False)])
def test_in_a_flat_market_the_close_touches_the_band_and_is_not_below_it(*, touch: bool, signal: bool) -> None:
    flat = candles_of([0.1] * 40, volume=[1.0] * 39 + [5.0])

    assert entry(e_use_bb_touch=touch).verdict(flat).signal is signal


def test_a_flat_market_is_judged_alike_wherever_the_window_begins() -> None:
    # A running sum over a restless past leaves a residue in the band, which must not decide a tie.
    logic = entry(e_rsi_oversold=50)
    randomness = np.random.default_rng(7)
    for _ in range(50):
        past = 100 * np.exp(np.cumsum(randomness.normal(-0.001, 0.01, 100)))
        market = candles_of([*past, *[past[-1]] * 30], volume=[*randomness.exponential(1, 129), 100.0])
        for begin in range(0, 100, 9):
            assert logic.verdict(market[begin:]).conditions[1].holds


def test_a_candle_without_volume_is_never_a_signal() -> None:
    # Same residue: an average of nothing may come out at -1e-15, and nothing would be more than that.
    logic = entry(e_bb_dev=0.5)
    randomness = np.random.default_rng(7)
    for _ in range(50):
        market = candles_of([*range(200, 100, -1)], volume=[*randomness.exponential(50, 50), *[0.0] * 50])

        assert [condition.holds for condition in logic.explain(market)] == [True, True, False]
        assert not logic.signals(market)[50:].any()
        assert not logic.verdict(market).signal


def test_after_a_gap_the_candles_that_are_there_count() -> None:
    whole = falling(40)
    keep = np.r_[0:20, 30:40]
    gapped = Candles(*(getattr(whole, name)[keep] for name in ("open_time", "open", "high", "low", "close", "volume")))

    assert gapped.open_time[20] - gapped.open_time[19] == 11 * MINUTE
    assert entry().verdict(gapped).signal


def test_explaining_an_older_candle_agrees_with_its_signal() -> None:
    market = falling(40)
    longer = candles_of([*market.close, *[95.0] * 5], volume=[*market.volume, *[1.0] * 5])

    assert all(condition.holds for condition in entry().explain(longer, 39))
    assert not all(condition.holds for condition in entry().explain(longer))
    assert np.flatnonzero(entry().signals(longer)).tolist() == [39]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({}, 30 * 14, id="the RSI's"),
        pytest.param({"e_rsi_period": 2, "e_bb_period": 100}, 100, id="the band's"),
        pytest.param({"e_rsi_period": 2, "e_vol_ma_period": 90}, 90, id="the volume's"),
    ],
)
def test_the_warm_up_is_the_longest_of_its_indicators(params: dict[str, float], expected: int) -> None:
    assert entry(**params).warmup == expected
