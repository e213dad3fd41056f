"""Short histories, worked out by hand. Without costs, at a tenth of 1000 per entry, 100 buys exactly one."""

from decimal import Decimal
from typing import Any

import pytest

from backtest.history import History, NoHistory, NotTestable, gaps, history_of
from backtest.result import Result
from tests.backtest.scenes import BUY, FREE, SELL, START, candle, candles, config, instrument, run_on
from tests.domain.builders import HOUR, MINUTE, costs, dec

STOPS: dict[str, Any] = FREE | {"risk_management__stop_loss_pct": 2, "risk_management__take_profit_pct": 4}


def told(result: Result) -> list[tuple[int, int, str, float, float]]:
    """Return of each trade its candles, its reason, and its prices."""
    return [
        (t.entry_candle, t.exit_candle, t.exit_reason, float(t.entry_price), float(t.exit_price)) for t in result.trades
    ]


def test_a_signal_buys_at_the_next_open_and_an_exit_sells_at_the_next_open() -> None:
    series = candles(candle(), candle(BUY), candle(at=101), candle(SELL, at=103), candle(at=104), candle())
    result = run_on(series, config(**FREE))
    # 100 of cash at 101: 0.99009 in lots of 0.00001, sold at 104.
    assert told(result) == [(2, 4, "SellOnVolume", 101, 104)]
    trade = result.trades[0]
    assert (trade.size, trade.net_pnl, result.cash) == (dec("0.99009"), dec("2.97027"), dec("1002.97027"))
    assert (trade.entry_time, trade.exit_time) == (START + 2 * MINUTE, START + 4 * MINUTE)


def test_fees_and_slippage_are_paid_as_on_paper() -> None:
    series = candles(candle(), candle(BUY), candle(SELL), candle(at=110), candle(at=110))
    bot = config(broker__paper_trading_config=costs(fee="0.001", slippage="0.1", currency="quote"))
    trade = run_on(series, bot).trades[0]
    # 100 / (100.10 * 1.001) = 0.998... in lots; it pays 0.09989994 of fee, gets 109.89 a piece and pays 0.109669...
    assert (trade.size, trade.entry_price, trade.exit_price) == (dec("0.99800"), dec("100.1"), dec("109.89"))
    assert trade.commission == dec("0.0998998") + dec("0.10967022")
    assert trade.net_pnl == dec("0.998") * (dec("109.89") - dec("100.1")) - trade.commission


@pytest.mark.parametrize(
    ("touching", "expected"),
    [
        pytest.param(candle(low=98), (3, "stop_loss", 98), id="stop-touched"),
        pytest.param(candle(low=98.01), None, id="stop-missed-by-a-cent"),
        pytest.param(candle(high=104), (3, "take_profit", 104), id="target-touched"),
        pytest.param(candle(high=103.99), None, id="target-missed-by-a-cent"),
        pytest.param(candle(low=97, high=105), (3, "stop_loss", 98), id="both-count-as-the-stop"),
        pytest.param(candle(at=95, low=94, high=96), (3, "stop_loss", 95), id="a-gap-through-the-stop"),
        pytest.param(candle(at=107, low=90), (3, "take_profit", 107), id="a-gap-through-the-target-comes-first"),
    ],
)
def test_a_level_fills_at_itself_or_at_an_open_beyond_it(
    touching: tuple[float, ...], expected: tuple[int, str, float] | None
) -> None:
    series = candles(candle(), candle(BUY), candle(), touching, candle())  # type: ignore[arg-type]
    result = run_on(series, config(**STOPS))
    assert [each[1:3] + each[4:] for each in told(result)] == ([] if expected is None else [expected])


def test_the_candle_of_the_entry_is_watched_from_its_open_on() -> None:
    series = candles(candle(), candle(BUY), candle(low=97.5, high=104.5), candle())
    assert told(run_on(series, config(**STOPS))) == [(2, 2, "stop_loss", 100, 98)]


def test_an_open_beyond_the_stop_comes_before_what_the_closed_candle_decided() -> None:
    series = candles(candle(), candle(BUY), candle(SELL), candle(at=97), candle())
    assert told(run_on(series, config(**STOPS))) == [(2, 3, "stop_loss", 100, 97)]


def test_no_entry_acts_on_the_candle_of_an_exit() -> None:
    # Stopped in 3, whose signal is void; that of 4 counts. What a close decided in 5 leaves the signal of 6 valid.
    series = candles(
        *(candle(), candle(BUY), candle(), candle(BUY, low=97), candle(BUY), candle(SELL), candle(BUY)),
        *(candle(SELL), candle(), candle()),
    )
    assert [each[:3] for each in told(run_on(series, config(**STOPS)))] == [
        (2, 3, "stop_loss"),
        (5, 6, "SellOnVolume"),
        (7, 8, "SellOnVolume"),
    ]


def test_finer_candles_tell_which_of_stop_and_target_came_first() -> None:
    series = candles(candle(), candle(BUY), candle(low=97, high=105), candle(), step=HOUR)
    bot = config(**STOPS, data__interval="1h")
    quiet = [candle()] * 120
    up_first = [candle(high=104.2), candle(low=97), *[candle(high=105)] * 58]
    down_first = [candle(), candle(low=97.9), *[candle(high=105)] * 58]
    together = [candle(low=97, high=105), *[candle()] * 59]
    expected = {"take_profit": up_first, "stop_loss": down_first}
    for reason, hour in expected.items():
        assert told(run_on(series, bot, finer=candles(*quiet, *hour)))[0][1:3] == (2, reason)
    assert told(run_on(series, bot, finer=candles(*quiet, *together)))[0][2] == "stop_loss"
    # Finer candles of another time say nothing: the worse of the two counts.
    assert told(run_on(series, bot, finer=candles(*quiet)))[0][2] == "stop_loss"


def test_an_entry_that_the_venues_least_refuses_is_told_with_its_reason() -> None:
    series = candles(candle(), candle(BUY), candle(), candle())
    result = run_on(series, config(**FREE), market=instrument(notional="150"))
    assert told(result) == []
    assert [(refused.time, refused.reason) for refused in result.refused] == [
        (START + 2 * MINUTE, "notional 100 is below the least of BTC/USDT, 150 USDT")
    ]


def test_what_a_fee_in_base_leaves_is_dust_and_the_first_part_of_the_next_position() -> None:
    rows = [candle(), candle(BUY), candle(SELL), candle(), candle(BUY), candle(SELL), candle(), candle()]
    bot = config(broker__paper_trading_config=costs(fee="0.001", slippage="0"))
    result = run_on(candles(*rows), bot, market=instrument(lot="0.1", notional="0"))
    # 1 bought, 0.999 held, 0.9 sold; then 0.9 bought, 0.099 + 0.8991 = 0.9981 held, 0.9 sold again.
    assert [trade.size for trade in result.trades] == [dec("0.9"), dec("0.9")]
    assert result.held == dec("0.0981")


def test_several_entries_make_one_position_with_one_average() -> None:
    rows = [candle(), candle(BUY), candle(BUY), candle(at=120), candle(SELL, at=120), candle(at=110), candle()]
    bot = config(**FREE, trading__max_positions=2)
    trade = run_on(candles(*rows), bot).trades[0]
    # 1 at 100, then a tenth of 900: 0.75 at 120.
    assert (trade.entry_candle, trade.size, trade.entry_value) == (2, dec("1.75"), dec(190))
    assert trade.net_pnl == dec("1.75") * 110 - 190


def test_what_is_more_than_one_order_takes_is_sold_by_several() -> None:
    rows = [candle(), candle(BUY), candle(BUY), candle(SELL), candle(), candle()]
    bot = config(**FREE, trading__max_positions=2)
    trade = run_on(candles(*rows), bot, market=instrument(most="1")).trades[0]
    assert trade.size == dec("1.9")


def test_a_position_that_is_open_at_the_end_stays_open() -> None:
    result = run_on(candles(candle(), candle(BUY), candle(), candle(SELL, at=104)), config(**FREE))
    assert told(result) == []
    assert result.open is not None
    assert (result.open.entry_time, result.open.size, result.open.price) == (START + 2 * MINUTE, dec(1), dec(104))
    assert (result.open.unrealized_pnl, result.equity()) == (dec(4), dec(1004))
    assert (result.metrics()["total_trades"], result.metrics()["total_return"]) == (0, 0)


def test_daily_trades_count_by_utc_days_and_a_cooldown_by_minutes() -> None:
    rows = [candle(BUY if i % 2 else SELL) for i in range(40)]
    series = candles(*rows, step=HOUR, start=START - 20 * HOUR)
    limited = run_on(series, config(**FREE, data__interval="1h", risk_management__max_daily_trades=2))
    # Midnight is at candle 20. The signal of candle 19 is filled then, on the new day.
    assert [each[0] for each in told(limited)] == [2, 4, 20, 22]
    assert limited.refused[0].reason == "max_daily_trades: 2 of 2 made today"
    cooled = run_on(series, config(**FREE, data__interval="1h", risk_management__cooldown_minutes=180))
    # Left at the open of 3; three hours later is 6.
    assert [each[0] for each in told(cooled)][:3] == [2, 6, 10]


def test_after_a_level_the_cooldown_counts_from_the_end_of_its_candle() -> None:
    rows = [candle(), candle(BUY), candle(low=97), *[candle(BUY)] * 6, candle()]
    bot = config(**STOPS, data__interval="1h", risk_management__cooldown_minutes=120)
    result = run_on(candles(*rows, step=HOUR), bot)
    # Stopped in 2, which ends as 3 opens; two hours later is 5.
    assert told(result)[0][1] == 2
    assert result.open is not None
    assert result.open.entry_candle == 5


def test_a_daily_loss_forbids_entries_until_the_next_day() -> None:
    rows = [candle(), candle(BUY), candle(SELL), candle(at=90), *[candle(BUY)] * 25, candle()]
    bot = config(**FREE, data__interval="1h", risk_management__max_daily_loss=5)
    result = run_on(candles(*rows, step=HOUR), bot)
    assert float(result.trades[0].net_pnl) == -10
    assert result.open is not None
    assert result.open.entry_candle == 24
    assert result.refused[0].reason == "max_daily_loss: 10.00 of 5 lost today"


def test_with_a_stop_at_the_exchange_the_strategys_own_stop_is_watched_inside_the_candle() -> None:
    # The exit rule of these tests keeps its stop at half of the highest high: 100, then 60 after a high of 120.
    rows = [candle(), candle(BUY), candle(high=120), candle(low=60), candle()]
    bot = config(**FREE, risk_management__exchange_stop=True)
    assert told(run_on(candles(*rows), bot)) == [(2, 3, "last_stop", 100, 60)]
    earlier = [candle(), candle(BUY), candle(high=120, low=59), candle(), candle()]
    # In the candle of the high itself the stop is still at 50.
    assert told(run_on(candles(*earlier), bot)) == []


def test_a_signal_before_a_gap_is_too_old_and_an_exit_before_one_is_not() -> None:
    series = candles(candle(), candle(BUY), candle(), candle(BUY), candle(SELL), candle(at=99), candle())
    series.open_time[2:] += MINUTE
    series.open_time[5:] += MINUTE
    assert [each[:2] for each in told(run_on(series, config(**FREE)))] == [(4, 5)]
    history = History("1m", series, 1)
    assert [(gap.after - START, gap.before - START, gap.missing) for gap in gaps(history)] == [
        (MINUTE, 3 * MINUTE, 1),
        (5 * MINUTE, 7 * MINUTE, 1),
    ]


def test_months_are_as_long_as_the_calendar_has_them() -> None:
    january, february, march, april = 1_640_995_200_000, 1_643_673_600_000, 1_646_092_800_000, 1_648_771_200_000
    series = candles(candle(), candle(BUY), candle(), candle())
    series.open_time[:] = [january, february, march, april]
    history = history_of(series, "1M", warmup=1)
    assert history.fresh().tolist() == [True, True, True, False]
    assert list(gaps(history)) == []


def test_the_history_begins_where_it_is_told_to_but_not_before_the_indicators_are_warm() -> None:
    series = candles(*[candle()] * 10)
    assert history_of(series, "1m", warmup=4).begin == 4
    assert history_of(series, "1m", warmup=4, start=START + 6 * MINUTE).begin == 6
    assert history_of(series, "1m", warmup=4, start=START + 2 * MINUTE).begin == 4
    assert len(history_of(series, "1m", warmup=4, end=START + 7 * MINUTE).candles) == 7
    with pytest.raises(NoHistory, match="10 candles are too few: the first 10 warm the indicators up"):
        history_of(series, "1m", warmup=10)
    with pytest.raises(NoHistory, match="candles of 1h open every 3600 s; these open 60 s apart"):
        history_of(series, "1h", warmup=1)


def test_limit_orders_are_refused_because_candles_do_not_show_their_fills() -> None:
    with pytest.raises(NotTestable, match="a backtest needs market orders"):
        run_on(candles(candle(), candle()), config(trading__entry_order="limit"))


def test_figures_are_those_of_the_whole_time() -> None:
    # Two days of hours: one trade of two hours earns 10 % of a tenth on the first day.
    rows = [candle(), candle(BUY), candle(), candle(SELL, at=110), *[candle(at=110)] * 44]
    figures = run_on(candles(*rows, step=HOUR), config(**FREE, data__interval="1h")).metrics()
    assert (figures["total_trades"], figures["win_rate"], figures["profit_factor"]) == (1, 1, None)
    assert figures["total_return"] == pytest.approx(0.01)
    assert figures["exposure"] == pytest.approx(2 / 47)
    # Daily returns 0.01 and 0: mean 0.005, sample deviation 0.01 / sqrt(2), times the root of 365.
    assert figures["sharpe_ratio"] == pytest.approx(0.005 / (0.01 / 2**0.5) * 365**0.5)
    assert Decimal(str(figures["expectancy"])) == 10
