"""What a seed draws: events, and faults at 30 % of the calls."""

import random
from decimal import Decimal

import pytest

from domain.config import parse_config
from simulator.faults.injector import ArmedFault
from simulator.routes.faults import _FAULTS
from tests.chaos.cast import cast
from tests.chaos.events import Event, deck
from tests.chaos.faults import ORDER, Tally, mix

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_event_happens_and_each_restore_comes_some_time_after_a_copy(seed: int) -> None:
    events = deck(random.Random(seed))
    assert sorted(events) == sorted(Event)
    for restore in (Event.RESTORE_TEMPORAL, Event.RESTORE_ALL):
        assert events.index(restore) - events.index(Event.COPY) > 1


def test_a_seed_draws_the_same_again_and_another_one_something_else() -> None:
    assert mix(7) == mix(7) != mix(8)
    assert deck(random.Random(7)) == deck(random.Random(7)) != deck(random.Random(8))


@pytest.mark.parametrize("seed", SEEDS)
def test_about_thirty_percent_of_all_calls_meet_a_fault_and_at_most_two_percent_a_429(seed: int) -> None:
    calls = [("GET", "/api/v3/klines")] * 8_000 + [("POST", "/api/v3/order")] * 400
    armed = [ArmedFault(fault) for fault in _FAULTS.validate_python(mix(seed))]
    hit = [[_kind(each) for each in armed if each.happens_to(*call)] for call in calls]
    assert 0.24 < sum(1 for kinds in hit if kinds) / len(calls) < 0.36
    assert sum("rate_limit" in kinds for kinds in hit) / len(calls) <= 0.02


def test_an_order_whose_answer_is_lost_is_hidden_for_a_moment_where_the_seed_says_so() -> None:
    dropped, hidden, *_ = (ArmedFault(fault) for fault in _FAULTS.validate_python(mix(3)))
    assert (_kind(dropped), _kind(hidden)) == ("drop_answer", "invisible_order")
    method, path = ORDER.split()
    together = [(dropped.happens_to(method, path), hidden.happens_to(method, path)) for _ in range(500)]
    assert all(one == other for one, other in together)
    assert any(one for one, _ in together)


def test_the_tally_counts_calls_once_and_faults_each() -> None:
    tally = Tally()
    tally.add([{"kind": "rate_limit", "seen": 200, "fired": 2}, {"kind": "reset", "seen": 200, "fired": 48}])
    assert str(tally) == "50 faults in 200 calls (25 %; 429: 1.0 %)"


def test_the_bots_are_live_each_with_credentials_of_its_own() -> None:
    configs = [parse_config(member.config("http://127.0.0.1:1")) for member in cast(20)]
    assert {config.broker.credentials for config in configs} == {config.id for config in configs}
    assert {config.broker.trading_mode for config in configs} == {"live"}
    assert all(config.broker.cash == Decimal(1_000) for config in configs)


def _kind(armed: ArmedFault) -> str:
    return str(armed.fault.model_dump()["kind"])
