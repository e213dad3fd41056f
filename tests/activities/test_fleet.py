"""The fleet, against a real server; no worker runs, so workflows stand where the fleet has put them."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from activities.fleet import RUNNING, Fleet
from domain.config import parse_config
from domain.errors import StoreUnavailable
from domain.state import BotRow, Carried, Reconfigure, WatchOptions
from strategies.registry import validate
from tests.support.bots import bot_row, raw_config
from tests.support.fakes import FakeBots, FakeJournal
from tests.support.loops import slow

OPTIONS = WatchOptions(segment_seconds=60, heartbeat_timeout_seconds=5)


class Rows:
    """A fleet with its rows."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.journal = FakeJournal()
        self.fleet = Fleet(client, FakeBots(self.journal), OPTIONS)

    def add(self, bot_id: str, **changes: Any) -> BotRow:
        row = bot_row(bot_id, **changes)
        self.journal.rows[bot_id] = row
        return row

    def handle(self, bot_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(f"bot-{bot_id}")

    async def listed(self, *bot_ids: str) -> None:
        """Wait until Temporal lists bots as running: its list lags behind what it runs."""
        async with asyncio.timeout(10):
            missing = set(bot_ids)
            while missing := missing - {run.id[4:] async for run in self.client.list_workflows(RUNNING)}:
                await asyncio.sleep(0.02)

    async def signals(self, bot_id: str) -> list[Reconfigure]:
        found = []
        for event in (await self.handle(bot_id).fetch_history()).events:
            attributes = event.workflow_execution_signaled_event_attributes
            if attributes.signal_name == "reconfigure":
                payloads = attributes.input.payloads
                found += await pydantic_data_converter.decode(payloads, [Reconfigure])
        return found


@pytest.fixture
def rows(temporal: Client) -> Rows:
    return Rows(temporal)


async def test_every_enabled_row_gets_its_workflow_and_no_other(rows: Rows) -> None:
    rows.add("one")
    rows.add("two")
    rows.add("off", enabled=False)
    report = await rows.fleet.sync_all()
    assert (report.running, report.refused) == (("one", "two"), ())
    assert not {"one", "two"} & set(report.stopped)
    with pytest.raises(RPCError):
        await rows.handle("off").describe()


async def test_to_do_it_again_starts_nothing_again(rows: Rows) -> None:
    rows.add("twice")
    await rows.fleet.sync_all()
    run = (await rows.handle("twice").describe()).run_id
    await rows.fleet.sync_all()
    assert (await rows.handle("twice").describe()).run_id == run
    assert [signal.rewatch for signal in await rows.signals("twice")] == [False, False]


async def test_a_bot_can_be_found_by_what_it_trades(rows: Rows) -> None:
    rows.add("found", description="A note")
    await rows.fleet.sync_all()
    description = await rows.handle("found").describe()
    names = ("BotId", "BotStatus", "Strategy", "Symbol", "TradingMode")
    values = [description.typed_search_attributes[SearchAttributeKey.for_keyword(name)] for name in names]
    assert values == ["found", "starting", "CustomStrategy", "BTCUSDT", "paper"]
    assert await description.static_summary() == "Bot found · BTCUSDT 1m · paper"
    assert await description.static_details() == "A note"


async def test_a_row_that_makes_no_sense_is_refused_with_its_reasons_and_harms_no_other(rows: Rows) -> None:
    rows.add("bad", trading__position_size=9, strategy__parameters__entry_logic__name="Nope")
    rows.add("good")
    report = await rows.fleet.sync_all()
    assert (report.running, report.refused) == (("good",), ("bad",))
    bad = rows.journal.rows["bad"]
    assert (bad.status, bad.rejected_version) == ("error", 1)
    assert "trading.position_size" in (bad.last_error or "")
    assert "entry_logic.name" in (bad.last_error or "")
    with pytest.raises(RPCError):
        await rows.handle("bad").describe()


async def test_a_slow_check_of_a_row_does_not_hold_up_the_event_loop(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.checking.validate", slow(validate))
    assert await rows.fleet.sync(rows.add("slow")) is None
    await rows.fleet.begin_anew(rows.add("slow"))


async def test_each_bot_has_one_line_in_the_log_of_a_start(rows: Rows) -> None:
    rows.add("new")
    known = rows.add("known")
    rows.journal.rows["known"] = known.model_copy(update={"observed_version": 1})
    rows.add("invalid", trading__position_size=9)
    unlisted = rows.add("unlisted", symbol="NOPE/USDT")
    told = {"rejected_version": 1, "last_error": "version 1 refused: symbol: NOPE/USDT is not traded on binance"}
    rows.journal.rows["unlisted"] = unlisted.model_copy(update=told)
    with capture_logs() as lines:
        report = await rows.fleet.sync_all()
    assert report.running == ("new", "known")
    assert report.refused == ("invalid", "unlisted")
    shown = {
        line["bot_id"]: line for line in lines if line["log_level"] != "debug" and line["bot_id"] in rows.journal.rows
    }
    assert len([line for line in lines if line["bot_id"] in shown]) == 4
    assert {bot_id: (line["log_level"], line["event"]) for bot_id, line in shown.items()} == {
        "new": ("info", "bot starting: its configuration is checked first"),
        "known": ("info", "bot started"),
        "invalid": ("warning", "bot refused"),
        "unlisted": ("warning", "bot refused"),
    }
    assert shown["invalid"]["reason"] == "trading.position_size: must be at most 1; was 9"
    assert shown["unlisted"]["reason"] == told["last_error"]


async def test_a_worker_that_starts_alone_tells_every_bot_without_a_line_for_each(rows: Rows) -> None:
    rows.add("told")
    await rows.fleet.sync_all()
    await rows.listed("told")
    with capture_logs() as lines:
        await rows.fleet.rewatch_all()
    assert {line["log_level"] for line in lines} == {"debug"}


async def test_a_refusal_that_cannot_be_written_keeps_no_bot_from_starting(rows: Rows) -> None:
    """A database that takes nothing now: the row is marked at the next start."""

    class ReadOnly(FakeBots):
        async def refuse(self, bot_id: str, version: int, problem: str) -> None:
            raise StoreUnavailable("the database refuses to write")

    row = rows.add("kept", trading__position_size=9)
    carried = Carried(config=parse_config(raw_config("kept")), version=1)
    rows.journal.rows["kept"] = row.model_copy(update={"carried": carried})
    rows.add("other")
    rows.fleet = Fleet(rows.client, ReadOnly(rows.journal), OPTIONS)
    report = await rows.fleet.sync_all()
    assert (report.running, report.refused) == (("other",), ("kept",))
    assert (await rows.handle("kept").describe()).status == WorkflowExecutionStatus.RUNNING


async def test_an_invalid_edit_reaches_the_bot_that_runs_on_the_version_before(rows: Rows) -> None:
    rows.add("edited")
    await rows.fleet.sync_all()
    rows.journal.edit("edited", config=raw_config("edited", trading__position_size=9))
    assert (await rows.fleet.sync_all()).refused == ("edited",)
    told = (await rows.signals("edited"))[-1].row
    assert told is not None
    assert told.version == 2


async def test_a_bot_that_had_a_valid_version_is_started_by_it(rows: Rows) -> None:
    row = rows.add("once", trading__position_size=9)
    valid = bot_row("once")
    carried = Carried(config=parse_config(valid.config), version=1)
    rows.journal.rows["once"] = row.model_copy(update={"carried": carried})
    assert (await rows.fleet.sync_all()).refused == ("once",)
    assert (await rows.handle("once").describe()).status == WorkflowExecutionStatus.RUNNING


async def test_the_books_of_an_earlier_life_are_left_to_the_bot_to_read(rows: Rows) -> None:
    row = rows.add("carried")
    rows.journal.rows["carried"] = row.model_copy(update={"carried": Carried(sequence=4711)})
    await rows.fleet.sync_all()
    assert "4711" not in (await rows.handle("carried").fetch_history()).to_json()
    told = (await rows.signals("carried"))[0].row
    assert told is not None
    assert told.carried is None


async def test_bots_whose_rows_are_disabled_or_gone_are_told_so(rows: Rows) -> None:
    rows.add("disabled")
    rows.add("deleted")
    await rows.fleet.sync_all()
    await rows.listed("disabled", "deleted")
    rows.journal.edit("disabled", enabled=False)
    del rows.journal.rows["deleted"]
    report = await rows.fleet.sync_all()
    assert report.running == ()
    assert {"disabled", "deleted"} <= set(report.stopped)
    told = (await rows.signals("disabled"))[-1].row
    assert told is not None
    assert not told.enabled
    assert (await rows.signals("deleted"))[-1] == Reconfigure()  # it reads its row again, and finds none


async def test_a_disabled_row_whose_bot_does_not_run_is_left_alone(rows: Rows) -> None:
    row = rows.add("off", enabled=False)
    assert await rows.fleet.sync(row) is None


async def test_after_the_death_of_all_watches_every_bot_is_told_to_watch_anew(rows: Rows) -> None:
    rows.add("again")
    await rows.fleet.sync_all()
    await rows.listed("again")
    assert await rows.fleet.rewatch_all() >= 1
    signal = (await rows.signals("again"))[-1]
    assert (signal.rewatch, signal.options) == (True, OPTIONS)


class Refusing(Interceptor, OutboundInterceptor):
    """A server that refuses to start one bot."""

    def __init__(self, bot_id: str) -> None:
        self.bot_id = bot_id

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        OutboundInterceptor.__init__(self, next)
        return self

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        if input.id == f"bot-{self.bot_id}":
            raise RPCError("too busy", RPCStatusCode.RESOURCE_EXHAUSTED, b"")
        return await super().start_workflow(input)


async def test_a_bot_that_the_server_refuses_to_start_keeps_no_other_from_starting(temporal: Client) -> None:
    address = temporal.service_client.config.target_host
    client = await Client.connect(address, data_converter=pydantic_data_converter, interceptors=[Refusing("unlucky")])
    rows = Rows(client)
    rows.add("unlucky")
    rows.add("lucky")
    report = await rows.fleet.sync_all()
    assert (report.running, report.refused) == (("lucky",), ("unlucky",))
