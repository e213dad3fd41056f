"""What the processes of one machine use of an address, added up."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from brokers.access import VenueAccess
from brokers.budget import AddressBudget
from domain.errors import VenueUnavailable
from domain.instruments import VenueRef
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, generated_market
from simulator.server import start_simulator
from tests.contract.benches import MAIN

NOW = 1_700_000_040.0 // 60 * 60 + 20
READS, ORDERS = 250, 20


class Wall:
    """The clock on the wall of the test."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(time, "time", wall.time)
    return wall


def test_what_is_under_way_anywhere_counts_beyond_the_newest_report(wall: Wall, tmp_path: Path) -> None:
    one, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    one.hear(100)
    wall.now += 1
    other.hear(140)
    with one.spending(20), one.spending(5), other.spending(4):
        assert one.used() == other.used() == 140 + 20 + 5 + 4
    assert one.used() == other.used() == 140


def test_the_minute_of_a_venue_that_tells_no_time_begins_a_second_after_ours(wall: Wall, tmp_path: Path) -> None:
    one, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    one.hear(5_000)
    assert other.renewed_in() == pytest.approx(41)
    wall.now = NOW + 40.9
    assert other.used() == 5_000
    wall.now = NOW + 41
    assert other.used() == one.used() == 0


def test_the_minute_is_that_of_the_venue_wherever_its_clock_stands(wall: Wall, tmp_path: Path) -> None:
    """It is 20 seconds into our minute, and 58 into the venue's."""
    one, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    one.hear(5_000, told_at=NOW + 38)
    assert other.renewed_in() == pytest.approx(2)
    wall.now += 1.9
    assert other.used() == 5_000
    wall.now += 0.2
    assert other.used() == 0
    other.hear(300, told_at=NOW + 40)
    wall.now += 2
    assert one.used() == 300, "what is used at the beginning of its minute counts until its end"


def test_an_exchange_that_tells_the_time_with_its_report_is_believed(wall: Wall) -> None:
    budget = AddressBudget()
    access = VenueAccess(VenueRef(name="binance"), budget)
    access.hear(200, {"X-MBX-USED-WEIGHT-1M": "4800", "Date": "Tue, 14 Nov 2023 22:13:38 GMT"})
    assert budget.renewed_in() == pytest.approx(22)
    access.hear(200, {"X-MBX-USED-WEIGHT-1M": "4800", "Date": "this afternoon"})
    assert budget.renewed_in() == pytest.approx(41)


def test_what_a_killed_process_had_under_way_is_forgotten(wall: Wall, tmp_path: Path) -> None:
    killed, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    never_ended = killed.spending(50)
    never_ended.__enter__()
    assert other.used() == 50
    wall.now += 31
    assert other.used() == 0


def test_whoever_is_told_to_leave_the_address_alone_tells_all(tmp_path: Path) -> None:
    one, other = (VenueAccess(VenueRef(name="kraken"), AddressBudget(tmp_path)) for _ in range(2))
    one.hear(429, {"Retry-After": "30"})
    with pytest.raises(VenueUnavailable, match="left alone") as refused:
        other.admit(urgent=True)
    assert refused.value.retry_after == pytest.approx(30, abs=1)


def test_a_clock_that_is_put_back_prolongs_nothing(wall: Wall, tmp_path: Path) -> None:
    one, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    one.leave_alone(30)
    wall.now -= 3_600
    assert one.alone_for() == pytest.approx(30, abs=1)
    assert other.alone_for() <= 30
    one.hear(1)
    assert other.alone_for() == pytest.approx(30, abs=1)


def test_orders_stop_before_the_last_twentieth_of_the_budget(wall: Wall) -> None:
    access = VenueAccess(VenueRef(name="binance"), AddressBudget())
    access.hear(200, {"X-MBX-USED-WEIGHT-1M": "5699"})
    access.admit(urgent=True)
    access.hear(200, {"X-MBX-USED-WEIGHT-1M": "5700"})
    with pytest.raises(VenueUnavailable, match="5700 of 6000") as refused:
        access.admit(urgent=True)
    assert refused.value.retry_after == pytest.approx(41)


def test_an_order_does_not_wait_for_what_is_under_way(wall: Wall) -> None:
    access = VenueAccess(VenueRef(name="binance"), AddressBudget())
    access.hear(200, {"X-MBX-USED-WEIGHT-1M": "4700"})
    with access.spending(0.2):
        access.admit(urgent=True)
        with pytest.raises(VenueUnavailable, match="5900 of 6000"):
            access.admit(urgent=False)
    access.admit(urgent=False)


def test_files_of_processes_that_are_long_gone_are_swept_away(wall: Wall, tmp_path: Path) -> None:
    AddressBudget(tmp_path).hear(1)
    banned = AddressBudget(tmp_path)
    banned.leave_alone(86_400)
    wall.now += 7_200
    AddressBudget(tmp_path)
    assert [kept.name for kept in tmp_path.iterdir()] == [banned._name]


def test_one_that_was_swept_away_by_mistake_comes_back(tmp_path: Path) -> None:
    one, other = AddressBudget(tmp_path), AddressBudget(tmp_path)
    one.hear(7)
    for file in tmp_path.iterdir():
        file.unlink()
    one.hear(8)
    assert other.used() == 8


def test_a_folder_that_cannot_be_used_is_said_once_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    budget = AddressBudget(tmp_path / "file" / "folder")
    budget.hear(7)
    assert budget.used() == 7
    assert len(caplog.records) == 1


def test_a_file_that_is_no_record_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    assert AddressBudget(tmp_path).used() == 0


async def test_two_processes_that_ask_for_all_they_can_get_are_never_refused_and_can_still_order(
    tmp_path: Path,
) -> None:
    """Each wants 250 lists of markets, a weight of 20, and then places 20 orders: more than 10,000 of 6,000 in all."""
    exchange = Exchange(SimulatedClock(), [generated_market("BTCUSDT")])
    async with await start_simulator(exchange, accounts=[MAIN], limits_enforced=True) as simulator:
        processes = [await asker(simulator.url, tmp_path) for _ in range(2)]
        try:
            async with asyncio.timeout(60):
                for process in processes:
                    assert await line(process) == "ready"
                for process in processes:
                    process.stdin.write(b"go\n")  # type: ignore[union-attr]
                outcomes: list[dict[str, Any]] = [json.loads(await line(process)) for process in processes]
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()
    reads = [outcome["reads"] for outcome in outcomes]
    assert {name for each in reads for name in each} == {"answered", "held back"}
    assert [outcome["orders"] for outcome in outcomes] == [{"answered": ORDERS}] * 2


async def asker(url: str, budgets: Path) -> Process:
    arguments = ("-m", "tests.support.asker", url, str(budgets), str(READS), str(ORDERS))
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE, env=os.environ)


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()
