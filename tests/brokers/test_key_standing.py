"""What answers tell of the keys of an account."""

import time

import pytest

from brokers.key_standing import KeyStanding
from domain.accounts import KeyState

TOLD = "Invalid API-key"


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The steady clock of the test: its last value."""
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[-1])
    return clock


def test_keys_of_which_nothing_is_known_keep_nobody_out() -> None:
    keys = KeyStanding()
    assert (keys.state, keys.keeps_out(), keys.rests(order=True)) == (None, None, None)


def test_what_a_read_is_refused_another_read_takes_back(steady: list[float]) -> None:
    keys = KeyStanding()
    keys.refuse(TOLD, order=False)
    assert keys.keeps_out() == "the venue refuses the keys: Invalid API-key"
    assert keys.rests(order=False) == "the keys were refused (Invalid API-key) and are tried again in 60 s"
    assert keys.rests(order=True) is not None
    steady.append(1_060.0)
    assert keys.rests(order=False) is keys.rests(order=True) is None
    assert keys.keeps_out() is not None, "nobody has tried them yet"
    keys.accept(order=False)
    assert (keys.keeps_out(), keys.state) == (None, KeyState(refused=None, orders=False))


def test_what_an_order_is_refused_only_an_order_takes_back(steady: list[float]) -> None:
    keys = KeyStanding()
    keys.refuse(TOLD, order=True)
    assert keys.rests(order=False) is None, "whoever reads may go on"
    assert keys.rests(order=True) is not None
    keys.accept(order=False)
    assert keys.state == KeyState(refused=TOLD, orders=True)
    keys.accept(order=True)
    assert (keys.keeps_out(), keys.state) == (None, KeyState(refused=None, orders=True))


def test_where_only_an_order_can_tell_an_entry_tries_after_ten_minutes(steady: list[float]) -> None:
    keys = KeyStanding()
    keys.refuse(TOLD, order=True)
    steady.append(1_599.0)
    assert keys.keeps_out() is not None
    steady.append(1_600.0)
    assert keys.keeps_out() is None
    keys.refuse(TOLD, order=True)
    assert keys.keeps_out() is not None


def test_where_a_read_can_tell_no_entry_tries(steady: list[float]) -> None:
    keys = KeyStanding()
    keys.refuse(TOLD, order=False)
    steady.append(100_000.0)
    assert keys.keeps_out() is not None
