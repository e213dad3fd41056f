"""Parts that are sold on the way up, and stops watched by price, on short histories worked out by hand.

One is bought at 100, without costs. Unless a test says otherwise, a quarter is sold at 104, half at 108, and the rest
at 96.
"""

from typing import Any

import pytest

from backtest.result import Result
from domain.candles import Candles
from domain.decisions import Scalar, Take
from domain.instruments import Instrument
from strategies.custom import CustomStrategy
from strategies.logic import Parameters
from tests.activities.stage import BuyOnVolume, SellOnVolume, SellParams
from tests.backtest.scenes import BUY, FREE, SELL, candle, candles, config, instrument, run_on
from tests.domain.builders import HOUR, dec


class InParts(SellOnVolume):
    """Sells on a volume of 3, at a stop by price, and in two parts."""

    by_price = True
    stop = 96.0
    parts: tuple[tuple[float, float], ...] = ((104.0, 0.25), (108.0, 0.5))

    def remember(self, memory: tuple[float, int]) -> tuple[dict[str, Scalar], float | None]:
        return super().remember(memory)[0], self.stop

    def takes(self, memory: tuple[float, int]) -> tuple[Take, ...]:
        return tuple([Take(level=level, share=share) for level, share in self.parts])


class InHalves(InParts):
    parts = ((104.0, 0.5), (108.0, 0.5))


class AlmostAll(InParts):
    parts = ((104.0, 0.5), (108.0, 0.3))


class Later(InParts):
    """Does not know its levels before the candle after the entry's has closed."""

    def takes(self, memory: tuple[float, int]) -> tuple[Take, ...]:
        return super().takes(memory) if memory[1] >= 2 else ()


class RisingStop(InParts):
    """Has its stop two below the highest high; sells no parts."""

    parts = ()

    def remember(self, memory: tuple[float, int]) -> tuple[dict[str, Scalar], float | None]:
        return super().remember(memory)[0], memory[0] - 2


def run(
    *rows: tuple[float, ...],
    by: type[InParts] = InParts,
    market: Instrument | None = None,
    finer: Candles | None = None,
    step: int = 60_000,
    **settings: Any,
) -> Result:
    """Buy at the open of candle 2, whose rows follow."""
    series = candles(candle(), candle(BUY), *rows, step=step)  # type: ignore[arg-type]
    strategy = CustomStrategy(BuyOnVolume(Parameters()), by(SellParams()))
    return run_on(series, config(**FREE, **settings), by=strategy, market=market, finer=finer)


def told(result: Result) -> list[tuple[int, str, float, float]]:
    """Return of each trade the candle it ended in, its reason, its size and what it was sold for."""
    return [(t.exit_candle, t.exit_reason, float(t.size), float(t.exit_value)) for t in result.trades]


def test_parts_are_sold_at_their_levels_and_the_rest_at_the_stop() -> None:
    result = run(candle(), candle(high=104), candle(high=108.5), candle(low=96), candle())
    # 0.25 at 104, 0.5 at 108, 0.25 at 96: one trade, at the average.
    assert told(result) == [(5, "InParts", 1, 104)]
    assert (result.trades[0].exit_price, result.trades[0].net_pnl, result.cash) == (dec(104), dec(4), dec(1004))


def test_a_part_is_sold_once_however_often_its_level_is_reached() -> None:
    result = run(candle(high=104), candle(high=104), candle(high=107.99), candle(low=96), candle())
    assert told(result) == [(5, "InParts", 1, 26 + 72)]


def test_one_candle_sells_both_parts_each_at_its_level() -> None:
    assert told(run(candle(high=109), candle(low=96), candle())) == [(3, "InParts", 1, 26 + 54 + 24)]


def test_an_open_beyond_both_levels_sells_both_parts_at_that_open() -> None:
    result = run(candle(), candle(at=110), candle(at=110, low=96), candle())
    assert told(result) == [(4, "InParts", 1, 0.75 * 110 + 24)]


def test_an_open_beyond_the_stop_sells_all_there() -> None:
    assert told(run(candle(), candle(at=90, high=120), candle())) == [(3, "InParts", 1, 90)]


def test_a_candle_that_shows_stop_and_part_is_the_stop_of_everything() -> None:
    assert told(run(candle(low=96, high=104), candle())) == [(2, "InParts", 1, 96)]


@pytest.mark.parametrize(
    ("hour", "sold"),
    [
        pytest.param([candle(high=104), candle(low=96)], 26 + 72, id="part-first"),
        pytest.param([candle(high=108), candle(low=96)], 26 + 54 + 24, id="two-parts-first"),
        pytest.param([candle(high=104), candle(low=96), candle(high=108)], 26 + 72, id="a-part-on-either-side"),
        pytest.param([candle(low=96), candle(high=108)], 96, id="stop-first"),
        pytest.param([candle(low=96, high=104)], 96, id="together"),
        pytest.param([], 96, id="unknown"),
    ],
)
def test_finer_candles_tell_which_parts_came_before_the_stop(hour: list[tuple[float, ...]], sold: float) -> None:
    finer = candles(*[candle()] * 120, *hour, *[candle()] * (60 - len(hour)))  # type: ignore[arg-type]
    result = run(candle(low=96, high=108), candle(), finer=finer, step=HOUR, data__interval="1h")
    assert told(result) == [(2, "InParts", 1, sold)]


def test_a_part_that_is_too_small_for_the_venue_stays_and_counts_as_taken() -> None:
    # A quarter at 104 is 26, less than the least of 30. Half at 108 is 54, and the other half at 96 is 48.
    result = run(candle(high=108), candle(high=104, low=96), candle(), market=instrument(notional="30"))
    assert told(result) == [(3, "InParts", 1, 54 + 48)]


def test_a_part_after_which_the_rest_could_not_be_sold_ends_the_position() -> None:
    # 0.5 at 104 and 0.3 at 108; 0.2 at 108 is 21.6, less than the least of 25.
    result = run(candle(high=104), candle(high=108), candle(low=96), by=AlmostAll, market=instrument(notional="25"))
    assert told(result) == [(3, "partial_take", 0.8, 52 + 32.4)]
    assert (result.held, result.open) == (dec("0.2"), None)


def test_parts_that_add_up_to_all_end_the_position() -> None:
    assert told(run(candle(high=108), candle(), by=InHalves)) == [(2, "partial_take", 1, 52 + 54)]


def test_a_target_at_the_level_of_a_part_sells_everything() -> None:
    result = run(candle(high=109), candle(), risk_management__take_profit_pct=4)
    assert told(result) == [(2, "take_profit", 1, 104)]


def test_a_target_between_two_parts_comes_after_the_first() -> None:
    settings: dict[str, Any] = {"risk_management__take_profit_pct": 6}
    assert told(run(candle(high=109), candle(), **settings)) == [(2, "take_profit", 1, 26 + 0.75 * 106)]
    assert told(run(candle(), candle(at=107), **settings)) == [(3, "take_profit", 1, 107)]


def test_of_two_stops_the_higher_one_counts_and_at_the_same_level_the_risk_limit() -> None:
    reasons = {pct: run(candle(low=90), risk_management__stop_loss_pct=pct) for pct in (3, 4, 5)}
    assert [told(result)[0][1::2] for result in reasons.values()] == [
        ("stop_loss", 97),
        ("stop_loss", 96),
        ("InParts", 96),
    ]


def test_a_stop_moves_with_the_close_of_a_candle_and_sells_at_the_next_open_beyond_it() -> None:
    # 98, then 103 once the candle with a high of 105 has closed.
    risen = candle(high=105, low=98.5)
    assert told(run(risen, candle(at=104, low=103), by=RisingStop)) == [(3, "RisingStop", 1, 103)]
    assert told(run(risen, candle(at=99), by=RisingStop)) == [(3, "RisingStop", 1, 99)]


def test_levels_that_are_known_later_are_watched_from_then_on() -> None:
    result = run(candle(high=104), candle(high=104), candle(), candle(high=104), candle(low=96), candle(), by=Later)
    assert told(result) == [(6, "Later", 1, 26 + 72)]


def test_a_part_sold_at_the_open_comes_before_what_the_closed_candle_decided() -> None:
    result = run(candle(SELL), candle(at=104), candle())
    assert told(result) == [(3, "InParts", 1, 104)]
    assert result.trades[0].exit_price == dec(104)


def test_no_entry_acts_on_the_candle_in_which_a_part_was_sold() -> None:
    # Sold at the open of 4 because of 3. A part was sold there before, so the signal of 4 is void.
    rows = (candle(), candle(SELL))
    assert run(*rows, candle(BUY, at=104), candle()).open is None
    assert run(*rows, candle(BUY, at=103), candle()).open is not None
    # Of two entries that may be made, the signals of 2 and 3 are void: parts were sold in 2, and at the open of 3.
    result = run(candle(BUY, high=104), candle(BUY, at=108), candle(BUY), candle(), trading__max_positions=2)
    assert result.open is not None
    # 0.25 left at 100, and a tenth of 900 + 26 + 54 at 100.
    assert result.open.size == dec("0.25") + dec("0.98")


def test_shares_are_of_all_that_was_bought() -> None:
    rows = (candle(), candle(BUY), candle(at=100), candle(high=104), candle(low=96), candle())
    result = run(*rows, trading__max_positions=2)
    # 1 and then 0.9 are bought at 100; a quarter of 1.9 is sold at 104 for 49.4, the rest at 96 for 136.8.
    assert told(result) == [(6, "InParts", 1.9, 186.2)]


def test_what_is_left_at_the_end_is_open_and_what_was_sold_is_in_the_cash() -> None:
    result = run(candle(high=104), candle(at=105))
    assert result.trades == ()
    assert result.open is not None
    assert (result.open.size, result.cash, result.equity()) == (dec("0.75"), dec(926), dec("1004.75"))
