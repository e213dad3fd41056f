"""A strategy that peeks at the future, or forgets to say how far it looks back, is found out."""

import numpy as np

from backtest.history import history_of
from backtest.lookahead import look_ahead
from domain.candles import Candles
from strategies.arrays import Floats
from strategies.conditions import VectorCondition
from strategies.custom import CustomStrategy
from strategies.entries.rule import RuleEntryMixin, RuleEntryParams
from strategies.entry_logic import EntryLogic
from strategies.exits.atr import ATRExitMixin, ATRParams
from strategies.logic import Parameters
from strategies.registry import build_strategy
from tests.activities.stage import BuyOnVolume
from tests.backtest.scenes import config
from tests.strategies.reference import real_candles

CANDLES = real_candles()[:5_000]


class Peeking(EntryLogic[Parameters]):
    """Buys where the next candle closes higher."""

    Params = Parameters

    @property
    def warmup(self) -> int:
        return 1

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        following = np.append(candles.close[1:], candles.close[-1])
        return (VectorCondition("next close, close", following, ">", candles.close),)


class PeekingExit(ATRExitMixin):
    """Trails by the range of the whole history."""

    def indicators(self, candles: Candles) -> tuple[Floats, ...]:
        return (np.full(len(candles), candles.high.max() - candles.low.min()),)


def found_in(strategy: CustomStrategy) -> tuple[int, list[str]]:
    history = history_of(CANDLES, "1m", warmup=strategy.warmup)
    judged, found = look_ahead(config(), strategy, history)
    return judged, [difference.text for difference in found]


def test_the_users_example_does_not_look_ahead() -> None:
    judged, found = found_in(build_strategy(config().strategy))
    assert judged > 1_000
    assert found == []


def test_a_rule_on_longer_candles_is_judged_with_as_many_as_it_needs() -> None:
    rule = {"left": "close", "op": "crosses_above", "right": "sma(40)@15m"}
    strategy = CustomStrategy(RuleEntryMixin(RuleEntryParams(rule=rule)), ATRExitMixin(ATRParams()))
    assert strategy.warmup < config().data.lookback_bars < strategy.warmup_at("1m")
    judged, found = found_in(strategy)
    assert judged > 1_000
    assert found == []


def test_an_entry_that_looks_ahead_is_found() -> None:
    judged, found = found_in(CustomStrategy(Peeking(Parameters()), ATRExitMixin(ATRParams())))
    assert judged > 2_000
    assert len(found) > judged / 4
    assert set(found) == {"an entry signal is there with later candles, not there without"}


def test_an_exit_whose_indicator_looks_ahead_is_found() -> None:
    _, found = found_in(CustomStrategy(BuyOnVolume(Parameters()), PeekingExit(ATRParams())))
    assert found[0].startswith("indicator 1 of the exit rule is ")


def test_a_warm_up_that_is_too_short_is_found() -> None:
    class Hasty(ATRExitMixin):
        @property
        def warmup(self) -> int:
            return 2

    short = config(data__lookback_bars=20)
    strategy = CustomStrategy(BuyOnVolume(Parameters()), Hasty(ATRParams()))
    assert look_ahead(short, strategy, history_of(CANDLES, "1m", warmup=2))[1]
