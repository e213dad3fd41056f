"""Telling people of refused keys, once for an outage."""

from dataclasses import dataclass, field

import pytest

from activities import refusals
from activities.gate import Gate
from activities.halting import Halts
from activities.refusals import Refusals
from domain.accounts import KeyState
from domain.errors import StoreUnavailable
from domain.instruments import AccountRef, VenueRef
from tests.activities.test_halting import STORM, FakeHaltStore, FakeMemory
from tests.support.fakes import FakeKeys, FakeNotifier

MAIN = AccountRef(venue=VenueRef(name="binance"), credentials="main")
REFUSED, ACCEPTED = KeyState(refused="Invalid API-key", orders=False), KeyState(refused=None, orders=False)


@dataclass
class FakeRefusals:
    """What all processes know: it tells whether something is news."""

    refused: set[str] = field(default_factory=set)
    away: bool = False

    async def note(self, name: str, state: KeyState) -> str | None:
        if self.away:
            raise StoreUnavailable("away")
        before = set(self.refused)
        (self.refused.add if state.refused else self.refused.discard)(name)
        return None if self.refused == before else "ada"


@dataclass
class Desk:
    """One process among several that share a store."""

    store: FakeRefusals = field(default_factory=FakeRefusals)
    keys: FakeKeys = field(default_factory=FakeKeys)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)

    def __post_init__(self) -> None:
        self.refusals = Refusals(self.keys, self.store, self.notifier)

    async def sees(self, state: KeyState) -> list[str]:
        """Let keys stand like this for two looks; return the kinds of messages so far."""
        self.keys.states[MAIN] = state
        for _ in range(2):
            await self.refusals.look()
        return [notice.kind for notice in self.notifier.told]


async def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    desk = Desk()
    assert await desk.sees(ACCEPTED) == []
    assert await desk.sees(REFUSED) == ["account_refused"]
    assert await desk.sees(KeyState(refused="in other words", orders=False)) == ["account_refused"]
    assert await desk.sees(ACCEPTED) == ["account_refused", "account_accepted"]
    first = desk.notifier.told[0]
    assert (first.owner_id, first.severity) == ("ada", "error")
    assert first.title == "account main on binance: the keys are refused"
    assert first.text.startswith("Invalid API-key No entries until it accepts them")


async def test_of_several_processes_one_tells() -> None:
    one, other = Desk(), Desk()
    other.refusals = Refusals(other.keys, one.store, other.notifier)
    assert await one.sees(REFUSED) == ["account_refused"]
    assert await other.sees(REFUSED) == []


async def test_a_process_that_was_restarted_takes_back_what_its_predecessor_has_noted() -> None:
    desk = Desk(store=FakeRefusals(refused={"main"}))
    assert await desk.sees(ACCEPTED) == ["account_accepted"]


async def test_what_cannot_be_noted_is_told_once_the_database_is_back() -> None:
    desk = Desk(store=FakeRefusals(away=True))
    assert await desk.sees(REFUSED) == []
    desk.store.away = False
    assert await desk.sees(REFUSED) == ["account_refused"]


async def test_other_keys_that_are_refused_as_well_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_TRY_SECONDS", 0)
    desk = Desk()
    await desk.sees(REFUSED)
    desk.store.refused.clear()  # as a rotation does
    assert await desk.sees(REFUSED) == ["account_refused"] * 2


async def test_refused_keys_are_tried_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    await desk.sees(REFUSED)
    assert desk.keys.tried == []
    monkeypatch.setattr(refusals, "_TRY_SECONDS", 0)
    await desk.sees(REFUSED)
    assert desk.keys.tried == [MAIN, MAIN]
    await desk.sees(ACCEPTED)
    assert desk.keys.tried == [MAIN, MAIN]


async def test_the_gate_is_closed_by_a_halt_to_all_and_by_refused_keys_to_their_account() -> None:
    store, keys = FakeHaltStore(), FakeKeys({MAIN: REFUSED})
    halts = Halts(store, FakeMemory())
    gate = Gate(halts, keys)
    other = MAIN.model_copy(update={"credentials": "other"})
    assert [gate.closed(account) for account in (None, other, MAIN)] == [None, None, "Invalid API-key"]
    store.halt = STORM
    await halts.begin()
    assert {gate.closed(account) for account in (None, other, MAIN)} == {"entries are halted: a storm"}
