"""The stack with the real servers."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import psutil
import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from embedded.errors import EmbeddedError
from embedded.ports import PortBook, Ports
from embedded.probes import http_ready
from embedded.stack import EmbeddedStack, WorkerCommand
from embedded.supervisor import ChildEvent
from embedded.temporal import SEARCH_ATTRIBUTES
from tests.embedded.helpers import ANY_PORTS, QUICK, STAND_IN_WORKER, Recorder, eventually, runs

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPOSITORY = Path(__file__).parents[2]
PARENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from embedded.ports import PortBook, Ports
from embedded.stack import EmbeddedStack, WorkerCommand

async def main():
    async with EmbeddedStack(Path({data!r}), durable=False, ports=Ports(postgres=0, temporal=0, ui=0)) as stack:
        await stack.start_child("worker", [sys.executable, "-c", "import time; time.sleep(60)"])
        print(*(stack.supervisor.pid(name) for name in ("postgres", "temporal", "worker")), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def fetch(stack: EmbeddedStack, query: str) -> object:
    connection = await asyncpg.connect(stack.database_url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def start_bot(stack: EmbeddedStack, bot_id: str) -> None:
    client = await Client.connect(stack.temporal_address, namespace=stack.namespace)
    pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(name), bot_id) for name in SEARCH_ATTRIBUTES]
    attributes = TypedSearchAttributes(pairs)
    await client.start_workflow("BotWorkflow", id=f"bot-{bot_id}", task_queue="none", search_attributes=attributes)


async def bots_listed(stack: EmbeddedStack, query: str) -> list[str]:
    client = await Client.connect(stack.temporal_address, namespace=stack.namespace)
    return [found.id async for found in client.list_workflows(query)]


@dataclass(frozen=True)
class Stopped:
    """A stack that ran, was written to, and was stopped."""

    data_dir: Path
    urls: tuple[str | None, ...]
    recorder: Recorder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stopped() -> AsyncIterator[Stopped]:
    recorder = Recorder()
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        data_dir = Path(folder)
        async with EmbeddedStack(data_dir, ports=ANY_PORTS, durable=True, on_event=recorder.on_event) as stack:
            await fetch(stack, "CREATE TABLE kept AS SELECT 'a row' AS text")
            await start_bot(stack, "one")
        yield Stopped(data_dir, (stack.database_url, stack.temporal_address, stack.ui_url), recorder)


async def test_what_was_written_is_there_after_a_stop_and_a_start_with_other_flags(stopped: Stopped) -> None:
    async with EmbeddedStack(stopped.data_dir, durable=False) as stack:
        assert (stack.database_url, stack.temporal_address, stack.ui_url) == stopped.urls
        assert await fetch(stack, "SELECT text FROM kept") == "a row"
        for name in SEARCH_ATTRIBUTES:
            assert await bots_listed(stack, f"{name} = 'one'") == ["bot-one"]


async def test_both_servers_stop_by_themselves(stopped: Stopped) -> None:
    endings = [(name, detail) for name, event, detail in stopped.recorder.events if event is ChildEvent.STOPPED]
    assert sorted(endings) == [("postgres", ""), ("temporal", "")]


async def test_damage_inside_the_state_of_temporal_is_one_sentence(
    stopped: Stopped, tmp_path: Path, shared_stack: EmbeddedStack
) -> None:
    path = tmp_path / "temporal.db"
    for suffix in ("", "-wal"):
        if (source := stopped.data_dir / f"temporal.db{suffix}").exists():
            shutil.copyfile(source, tmp_path / source.name)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 80 * 4096)
    with pytest.raises(EmbeddedError, match=rf"Temporal's state {path} is damaged; restore it from a backup"):
        async with EmbeddedStack(tmp_path, database_url=shared_stack.database_url, ports=ANY_PORTS):
            pass


async def test_a_password_that_is_not_the_cluster_s_is_one_sentence(stopped: Stopped, tmp_path: Path) -> None:
    password = stopped.data_dir / "postgres.password"
    right = password.read_text()
    password.write_text("wrong")
    try:
        with pytest.raises(EmbeddedError, match=rf"the password in {password} is not that of"):
            async with EmbeddedStack(stopped.data_dir, durable=False):
                pass
    finally:
        password.write_text(right)


async def test_durability_is_on_unless_it_is_turned_off(data_dir: Path, shared_stack: EmbeddedStack) -> None:
    assert await fetch(shared_stack, "SHOW fsync") == "off"
    async with EmbeddedStack(data_dir, ports=ANY_PORTS) as stack:
        assert await fetch(stack, "SHOW fsync") == "on"
        command = psutil.Process(stack.supervisor.pid("temporal")).cmdline()
        assert {"journal_mode=wal", "synchronous=full"} <= set(command)


@pytest.mark.parametrize("name", ["postgres", "temporal", "worker"])
async def test_a_killed_child_comes_back_usable_with_its_data(shared_stack: EmbeddedStack, name: str) -> None:
    mark = uuid.uuid4().hex
    await fetch(shared_stack, f"CREATE TABLE t{mark} AS SELECT 1 AS one")
    await start_bot(shared_stack, mark)
    killed = shared_stack.supervisor.kill(name)
    await asyncio.wait_for(shared_stack.supervisor.wait_ready(name), 20)
    assert shared_stack.supervisor.pid(name) != killed
    assert await fetch(shared_stack, f"SELECT one FROM t{mark}") == 1
    await eventually_listed(shared_stack, mark)
    await http_ready(shared_stack.health_url)()


async def eventually_listed(stack: EmbeddedStack, bot_id: str) -> None:
    for _ in range(100):
        if await bots_listed(stack, f"BotId = '{bot_id}'"):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"bot {bot_id} is not listed")


async def test_the_worker_is_told_where_the_servers_are(shared_stack: EmbeddedStack) -> None:
    log = (shared_stack.logs / "worker.log").read_text()
    assert f"database {shared_stack.database_url}\n" in log
    assert f"temporal {shared_stack.temporal_address} default\n" in log


async def test_a_key_for_another_temporal_server_does_not_reach_the_worker_of_the_embedded_one(
    shared_stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "of the cloud")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    told = {name for name in shared_stack.child_env if name.startswith("TEMPORAL_")}
    assert told == {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_CONFIG_FILE"}


async def test_folders_that_were_closed_meanwhile_do_not_keep_the_database_down(shared_stack: EmbeddedStack) -> None:
    shared_stack.data_dir.parent.chmod(0o700)
    shared_stack.supervisor.kill("postgres")
    await asyncio.wait_for(shared_stack.supervisor.wait_ready("postgres"), 20)
    assert await fetch(shared_stack, "SELECT 1") == 1


async def test_a_second_start_on_the_same_directory_names_the_first(shared_stack: EmbeddedStack) -> None:
    with pytest.raises(EmbeddedError, match=f"is in use by process {os.getpid()}"):
        async with EmbeddedStack(shared_stack.data_dir):
            pass


async def test_the_server_of_the_database_does_not_run_as_root(shared_stack: EmbeddedStack) -> None:
    assert psutil.Process(shared_stack.supervisor.pid("postgres")).uids().effective != 0


async def test_secrets_and_state_are_private(shared_stack: EmbeddedStack) -> None:
    for name in ("postgres.password", "temporal.db", "postgres", "logs"):
        assert (shared_stack.data_dir / name).stat().st_mode & 0o077 == 0, name


async def test_existing_servers_are_used_instead_of_embedded_ones(
    tmp_path: Path, shared_stack: EmbeddedStack, recorder: Recorder
) -> None:
    prepared = []

    async def prepare(stack: EmbeddedStack) -> None:
        prepared.append((stack.database_url, stack.temporal_address))
        await stack.start_child("simulator", [sys.executable, "-c", "import time; time.sleep(60)"])

    stack = EmbeddedStack(
        tmp_path,
        database_url=shared_stack.database_url,
        temporal_address=shared_stack.temporal_address,
        ports=ANY_PORTS,
        prepare=prepare,
        worker=WorkerCommand([sys.executable, "-c", STAND_IN_WORKER]),
        on_event=recorder.on_event,
    )
    async with stack:
        assert stack.ui_url is None
    assert prepared == [(shared_stack.database_url, shared_stack.temporal_address)]
    assert recorder.names_with(ChildEvent.READY) == ["simulator", "worker"]
    assert recorder.names_with(ChildEvent.STOPPED) == ["worker", "simulator"]
    assert "drained" in (tmp_path / "logs" / "worker.log").read_text()


async def test_temporal_is_taken_from_the_environment(
    tmp_path: Path, shared_stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", shared_stack.temporal_address)
    stack = EmbeddedStack(tmp_path, database_url=shared_stack.database_url, temporal_from_env=True)
    async with stack:
        assert stack.temporal_address == shared_stack.temporal_address
        assert stack.child_env["TEMPORAL_ADDRESS"] == shared_stack.temporal_address


async def test_a_prepare_that_fails_stops_everything(tmp_path: Path, shared_stack: EmbeddedStack) -> None:
    pids = []

    async def prepare(stack: EmbeddedStack) -> None:
        await stack.start_child("simulator", [sys.executable, "-c", "import time; time.sleep(60)"])
        pids.append(stack.supervisor.pid("simulator"))
        raise ValueError("a migration failed")

    stack = EmbeddedStack(
        tmp_path,
        database_url=shared_stack.database_url,
        temporal_address=shared_stack.temporal_address,
        prepare=prepare,
    )
    with pytest.raises(ValueError, match="a migration failed"):
        async with stack:
            pass
    assert not runs(pids[0] or 0)


async def test_after_kill_9_of_the_parent_nothing_is_left_and_the_next_start_works(data_dir: Path) -> None:
    code = PARENT.format(repository=str(REPOSITORY), data=str(data_dir))
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await asyncio.wait_for(parent.stdout.readline(), 30)).split()]
    assert all(runs(pid) for pid in pids)
    parent.send_signal(signal.SIGKILL)
    await parent.communicate()
    # At once, while PostgreSQL may still be shutting down.
    async with EmbeddedStack(data_dir, durable=False, backoff=QUICK) as stack:
        assert await fetch(stack, "SELECT 1") == 1
        assert not any(runs(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what was left")
async def test_children_die_with_their_parent_without_a_next_start(data_dir: Path) -> None:
    code = PARENT.format(repository=str(REPOSITORY), data=str(data_dir))
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await asyncio.wait_for(parent.stdout.readline(), 30)).split()]
    parent.send_signal(signal.SIGKILL)
    await parent.communicate()
    await eventually(lambda: not any(runs(pid) for pid in pids))


@activity.defn
async def waits_without_heartbeat() -> None:
    await asyncio.sleep(60)


@workflow.defn
class CancelsItsActivity:
    @workflow.run
    async def run(self) -> None:
        handle = workflow.start_activity(
            waits_without_heartbeat,
            start_to_close_timeout=timedelta(seconds=60),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(0.2)
        handle.cancel()
        try:
            await handle
        except Exception as error:
            if not workflow.is_failure_exception(error):
                raise


async def test_cancellation_is_pushed_to_an_activity_that_never_heartbeats(shared_stack: EmbeddedStack) -> None:
    client = await Client.connect(shared_stack.temporal_address)
    queue = uuid.uuid4().hex
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[CancelsItsActivity],
        activities=[waits_without_heartbeat],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        begun = time.monotonic()
        await client.execute_workflow(CancelsItsActivity.run, id=queue, task_queue=queue)
    assert time.monotonic() - begun < 5


async def test_a_port_that_is_chosen_is_used(tmp_path: Path, shared_stack: EmbeddedStack) -> None:
    port = PortBook(tmp_path / "free.json").choose("health", 0)
    stack = EmbeddedStack(
        tmp_path,
        database_url=shared_stack.database_url,
        temporal_address=shared_stack.temporal_address,
        ports=Ports(health=port),
        worker=WorkerCommand([sys.executable, "-c", STAND_IN_WORKER]),
    )
    async with stack:
        assert stack.health_url == f"http://127.0.0.1:{port}/health"
