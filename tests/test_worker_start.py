"""What keeps a worker from starting is one clear sentence, and exit code 1; the database alone is waited for."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from temporal_client import NoTemporal, connect

ROOT = Path(__file__).resolve().parents[1]
UNUSED = "postgresql://me:secret@127.0.0.1:1/bots"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Nothing of this machine's."""
    ours = ("STEADYHAND_", "TEMPORAL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "STEADYHAND_DATA_DIR": str(tmp_path),
        "STEADYHAND_DATABASE_URL": UNUSED,
        "STEADYHAND_HEALTH_PORT": "0",
        "TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml"),
    }


async def worker(env: Mapping[str, str], *, until: Callable[[str], bool] | None = None) -> tuple[int, str]:
    """Run the worker to its end, or until a line of its log; return its exit code and what it has said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "worker.py", env=env, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    assert process.stderr is not None
    said = ""
    try:
        async with asyncio.timeout(60):
            while line := (await process.stderr.readline()).decode():
                said += line
                if until is not None and until(line):
                    process.terminate()
                    until = None
            return await process.wait(), said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        # What asyncio keeps of a process it closes a turn of the loop later.
        await asyncio.sleep(0)


async def test_without_temporal_the_address_is_named_and_what_was_expected_there(env: dict[str, str]) -> None:
    expected = "expected a Temporal server there: start it, or correct TEMPORAL_ADDRESS"
    assert await worker(env | {"TEMPORAL_ADDRESS": "127.0.0.1:1"}) == (
        1,
        f"error: Temporal at 127.0.0.1:1 does not answer (connection refused); {expected}\n",
    )


async def test_a_namespace_that_is_missing_is_named(env: dict[str, str], temporal: Client) -> None:
    address = temporal.service_client.config.target_host
    assert await worker(env | {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "elsewhere"}) == (
        1,
        f"error: Temporal at {address} has no namespace 'elsewhere'; create it, or correct TEMPORAL_NAMESPACE\n",
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"STEADYHAND_DATABASE_URL": "mysql://me:secret@host/bots"},
            "STEADYHAND_DATABASE_URL cannot be used: the database URL must begin with postgresql://; was mysql://",
        ),
        ({"STEADYHAND_SECRET_KEYS": "short"}, "STEADYHAND_SECRET_KEYS"),
        ({"STEADYHAND_MAX_WATCHES": "none"}, "STEADYHAND_MAX_WATCHES: Input should be a valid integer"),
        ({"TEMPORAL_PROFILE": "nobody"}, "the TEMPORAL_* variables or the Temporal profile cannot be used: "),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named(
    env: dict[str, str], temporal: Client, changes: dict[str, str], sentence: str
) -> None:
    address = temporal.service_client.config.target_host
    code, said = await worker(env | {"TEMPORAL_ADDRESS": address} | changes)
    assert (code, said.count("\n")) == (1, 1), said
    assert said.startswith("error: ")
    assert sentence in said
    assert "secret@" not in said


async def test_a_port_that_is_taken_is_named(env: dict[str, str], temporal: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        address = temporal.service_client.config.target_host
        code, said = await worker(env | {"TEMPORAL_ADDRESS": address, "STEADYHAND_HEALTH_PORT": str(port)})
    assert code == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"error: /health and /metrics cannot be served at 127.0.0.1:{port}: "), said
    assert "Traceback" not in said


async def test_a_database_that_is_away_is_waited_for(env: dict[str, str], temporal: Client) -> None:
    address = temporal.service_client.config.target_host
    code, said = await worker(env | {"TEMPORAL_ADDRESS": address}, until=lambda line: "rows not read" in line)
    assert code == 0
    assert "the database at 127.0.0.1:1/bots cannot be reached" in said
    assert "secret" not in said


async def test_a_database_without_tables_is_waited_for(
    env: dict[str, str], temporal: Client, empty_database_url: str
) -> None:
    address = temporal.service_client.config.target_host
    settings = {"TEMPORAL_ADDRESS": address, "STEADYHAND_DATABASE_URL": empty_database_url}
    code, said = await worker(env | settings, until=lambda line: "rows not read" in line)
    assert code == 0
    assert "the database lacks tables of this version; run `python starter.py migrate`" in said


async def test_a_server_that_is_no_temporal_is_told_from_one_that_is_away() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NoTemporal, match=rf"Temporal at 127\.0\.0\.1:{port} does not answer \(h2 protocol error"):
            await connect({"target_host": f"127.0.0.1:{port}"})


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere.invalid:7233", r"Temporal at nowhere\.invalid:7233 does not answer \(failed to lookup address"),
        ("bad address", r"TEMPORAL_ADDRESS must be host:port; was 'bad address'"),
    ],
)
async def test_an_address_that_leads_nowhere_is_named(address: str, sentence: str) -> None:
    with pytest.raises(NoTemporal, match=sentence):
        await connect({"target_host": address})
