import time

import pytest

from simulator.clock import ManualClock, SimulatedClock


def test_a_clock_without_a_start_shows_the_real_time() -> None:
    assert abs(SimulatedClock().now_ms() - time.time() * 1_000) < 1_000


def test_a_clock_starts_where_it_is_told_and_runs_at_its_speed() -> None:
    clock = SimulatedClock(speed=1_000, start_ms=5_000)
    begun = time.monotonic()
    time.sleep(0.05)
    shown = clock.now_ms()
    assert 5_000 + 50_000 <= shown <= 5_000 + (time.monotonic() - begun) * 1_000_000 + 1_000


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_clock_that_would_not_move_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        SimulatedClock(speed=speed)


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(1_000)
    assert clock.now_ms() == 1_000
    clock.advance_to(2_500)
    clock.advance_to(2_500)
    assert clock.now_ms() == 2_500


def test_a_manual_clock_never_goes_back() -> None:
    clock = ManualClock(1_000)
    with pytest.raises(ValueError, match="stands at 1000 and cannot go back; was told 999"):
        clock.advance_to(999)
    assert clock.now_ms() == 1_000
