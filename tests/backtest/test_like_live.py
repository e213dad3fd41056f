"""On any candles, under any limits, a backtest gives the trades that the parts of a live paper bot give."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.engine import backtest
from backtest.history import History
from domain.candles import Candles
from domain.decisions import ExitState, Scalar, Take
from domain.instruments import Instrument
from domain.positions import Book
from strategies.arrays import Floats
from strategies.conditions import Check, check
from strategies.custom import CustomStrategy
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.exits.advanced_atr import AdvancedATRExitMixin
from strategies.exits.advanced_atr_params import AdvancedATRParams
from strategies.exits.atr import ATRExitMixin, ATRParams
from strategies.logic import Parameters
from tests.activities.stage import BUY, QUIET, SELL, BuyOnVolume, strategy
from tests.backtest.live_bot import LiveBot, told, told_live
from tests.backtest.scenes import START
from tests.domain.builders import HOUR, config, costs, dec, instrument


class LeaveByPrice(ExitLogic[Parameters, int]):
    """Leaves one percent above or below what was paid, and after twenty candles."""

    Params = Parameters

    @property
    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        return ()

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> int:
        return 0

    def advance(self, memory: int, series: ExitSeries, i: int, entry: EntryPoint) -> int:
        return memory + 1

    def checks(self, memory: int, series: ExitSeries, i: int, entry: EntryPoint) -> tuple[Check, ...]:
        close = series.candles.close.item(i)
        return (
            check("gain", close, ">=", entry.price * 1.01),
            check("loss", close, "<=", entry.price * 0.99),
            check("candles", memory, ">=", 20),
        )

    def remember(self, memory: int) -> tuple[dict[str, Scalar], float | None]:
        return {"candles": memory}, None

    def recall(self, state: ExitState) -> int:
        return int(state.values["candles"] or 0)


class SellInParts(LeaveByPrice):
    """Sells parts on the way up as well; has no stop of its own."""

    def takes(self, memory: int) -> tuple[Take, ...]:
        levels = () if memory < 2 else ((100.5, 0.3), (101.25, 0.02), (102, 0.4))
        return tuple([Take(level=level, share=share) for level, share in levels])


def in_phases(**params: Any) -> CustomStrategy:
    """Return a strategy with parts and a stop by price, so tight that hours reach them."""
    near = {"k_init": 1.0, "k_run": 1.0, "k_phase2": 0.7, "p_fast": 2, "p_slow": 3, "swing_lookback": 3}
    read = AdvancedATRParams.model_validate(near | {"use_htf_atr": False} | params)
    return CustomStrategy(BuyOnVolume(Parameters()), AdvancedATRExitMixin(read))


@st.composite
def series(draw: st.DrawFn) -> Candles:
    """Two days of hours around 100, on a tick of a cent; now and then one opens far from where the last one closed."""
    count = draw(st.integers(20, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    jumps = np.where(generator.random(count) < 0.15, generator.normal(0, 2.5, count), 0)
    moves = generator.normal(0, draw(st.sampled_from([0.1, 0.7, 1.5])), count)
    close = np.maximum(np.round(100 + np.cumsum(moves + jumps), 2), 20)
    opened = np.maximum(np.round(np.concatenate([[100.0], close[:-1]]) + jumps, 2), 20)
    reach = np.round(np.abs(generator.normal(0, 0.6, (2, count))), 2)
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    volume = generator.choice([QUIET, BUY, SELL], count, p=[0.5, 0.35, 0.15])
    times = START + HOUR * np.arange(count, dtype=np.int64)
    if draw(st.booleans()):  # an hour without a candle
        times[draw(st.integers(1, count - 1)) :] += HOUR
    return Candles(times, opened, np.round(high, 2), np.round(low, 2), close, volume)


def maybe(*values: float) -> st.SearchStrategy[float | None]:
    return st.sampled_from([None, *values])


LIMITS = st.fixed_dictionaries(
    {
        "risk_management__stop_loss_pct": maybe(0.02, 0.5, 1.5, 4),
        "risk_management__take_profit_pct": maybe(0.3, 1, 5),
        "risk_management__max_position_size": maybe(60, 400),
        "risk_management__max_daily_trades": maybe(1, 3),
        "risk_management__max_daily_loss": maybe(0.5, 5),
        "risk_management__cooldown_minutes": st.sampled_from([0, 60, 180, 300]),
        "risk_management__exchange_stop": st.booleans(),
        "trading__position_size": st.sampled_from([0.06, 0.3, 1]),
        "trading__max_positions": st.integers(1, 3),
        "broker__paper_trading_config": st.sampled_from(
            [costs(), costs(currency="quote"), costs(fee="0", slippage="0"), costs(fee="0.02", slippage="0.5")]
        ),
        "broker__cash": st.sampled_from([100, 1000.5]),
    }
)
MARKETS = st.sampled_from(
    [instrument(), instrument(lot="0.1", notional="20"), instrument(most="1.5"), instrument(lot="0.001", least="0.05")]
)
STRATEGIES = st.sampled_from(
    [
        strategy(),
        CustomStrategy(BuyOnVolume(Parameters()), LeaveByPrice(Parameters())),
        CustomStrategy(BuyOnVolume(Parameters()), ATRExitMixin(ATRParams(x_atr_period=2, x_sl_multiplier=0.7))),
        CustomStrategy(BuyOnVolume(Parameters()), ATRExitMixin(ATRParams(x_atr_period=3, x_sl_multiplier=2))),
        CustomStrategy(BuyOnVolume(Parameters()), SellInParts(Parameters())),
        in_phases(),
        in_phases(p_slow=7, pt_levels_R=[0.3, 0.5, 0.6, 1.5], pt_sizes=[0.25, 0.02, 0.33, 0.4]),
        in_phases(use_swing_ratchet=False, k_run=3.0, k_phase2=3.0, pt_levels_R=[0.2, 0.4], pt_sizes=[0.97, 0.02]),
    ]
)


@settings(max_examples=300, deadline=None)
@given(series(), LIMITS, MARKETS, STRATEGIES)
def test_a_backtest_makes_the_trades_of_a_live_paper_bot(
    candles: Candles, limits: dict[str, Any], market: Instrument, by: CustomStrategy
) -> None:
    given_ = {key: value for key, value in limits.items() if value is not None}
    bot = config(**given_, data__interval="1h")
    live = LiveBot(bot, market, by, candles, Book(cash=dec(str(bot.broker.cash))))
    live.run(begin=5)
    result = backtest(bot, market, by, History("1h", candles, 5))
    assert told(result.trades) == told_live(live)
    assert (result.cash, result.held) == (live.book.cash, live.book.holding)
