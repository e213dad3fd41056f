"""`up` as a person runs it: processes of its own, on free ports, beside the simulated exchange."""

import json
import os
import re
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from embedded.directory import DataDirectory
from tests.cli.programs import ANY_PORTS, STARTER, program


@pytest.fixture
def data_dir() -> Any:
    """Not below pytest's own folder, which other accounts cannot pass."""
    with TemporaryDirectory(prefix="steadyhand-") as folder:
        yield Path(folder) / "data"


@pytest.fixture
def env(data_dir: Path) -> dict[str, str]:
    return dict(os.environ) | {"STEADYHAND_DATA_DIR": str(data_dir)}


async def bots(env: Mapping[str, str], *arguments: str) -> str:
    async with program(str(STARTER), "bots", *arguments, env=env) as running:
        code = await running.ends()
    assert code == 0, running.text
    return running.text


async def listed(env: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await bots(env, "list", "--json"))
    return found


async def test_from_an_empty_directory_to_a_bot_that_outlives_a_stop(data_dir: Path, env: dict[str, str]) -> None:
    async with program("-m", "simulator", "--port", "0", env=env) as simulator:
        url = (await simulator.says("simulator: .* at ")).rpartition(" ")[2]
        async with program(str(STARTER), "up", *ANY_PORTS, env=env) as up:
            await up.says("^ready$")
            await up.says("There are no bots yet. In another terminal: python starter.py bots create --template rsi")
            assert "postgresql://steadyhand@127.0.0.1:" in up.text
            password = (data_dir / "postgres.password").read_text().strip()
            key = (data_dir / "secret.keys").read_text()
            assert password not in up.text
            options = ("--template", "rsi-tight", "--interval", "1s", "--base-url", url, "--wait", "60")
            made = await bots(env, "create", "--symbols", "BTC/USDT", *options)
            assert re.search(r"rsi-tight_btcusdt  running, version 1  http://127.0.0.1:\d+/namespaces/default/", made)

            # A worker that dies comes back, before the user's eyes, and its bot goes on.
            os.kill(json.loads((data_dir / "run/worker.pid").read_text())["pid"], signal.SIGKILL)
            await up.says("worker +died: process .* was ended by signal 9")
            await up.says("worker +restarting: in ")
            await up.says(r"\[rsi-tight_btcusdt\] bot started")
            assert len([line for line in up.lines if "died" in line]) == 1

            children = psutil.Process(up.process.pid).children(recursive=True)
            assert len(children) >= 3
            up.process.send_signal(signal.SIGINT)
            assert await up.ends() == 0, up.text
            stopped = [line.split()[1] for line in up.lines if line.endswith("stopped")]
            assert stopped[0] == "worker"
            assert sorted(stopped[1:]) == ["PostgreSQL", "Temporal"]
            assert up.lines[-1] == "stopped; nothing is left running"
        assert [child for child in children if lives(child)] == []
        assert not (data_dir / "run/endpoints.json").exists()

        async with program(str(STARTER), "up", env=env) as again:
            await again.says("^ready$")
            await again.says("1 bot, 1 of them enabled")
            await again.says(r"\[rsi-tight_btcusdt\] bot started")
            assert (data_dir / "secret.keys").read_text() == key
            assert "worker: died" in (data_dir / "logs/up.log").read_text()
            [bot] = await listed(env)
            assert (bot["bot_id"], bot["enabled"]) == ("rsi-tight_btcusdt", True)
            again.process.send_signal(signal.SIGTERM)
            assert await again.ends() == 0, again.text


async def test_a_data_directory_in_use_is_one_sentence(data_dir: Path, env: dict[str, str]) -> None:
    directory = DataDirectory(data_dir)
    directory.open()
    try:
        async with program(str(STARTER), "up", *ANY_PORTS, env=env) as up:
            assert await up.ends() == 1
    finally:
        directory.close()
    assert up.lines[-1].startswith(f"error: data directory {data_dir} is in use by process {os.getpid()}; stop")


async def test_a_taken_port_is_one_sentence(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        async with program(str(STARTER), "up", *ANY_PORTS, "--ui-port", str(port), env=env) as up:
            assert await up.ends() == 1
    assert up.lines[-1].startswith(f"error: port {port} for ui is taken by process {os.getpid()}")


def lives(process: psutil.Process) -> bool:
    """Return whether a process runs; one that has ended may be shown until init has taken note of it."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_a_signal_while_it_starts_stops_what_runs_already(data_dir: Path, env: dict[str, str]) -> None:
    async with program(str(STARTER), "up", *ANY_PORTS, env=env) as up:
        await up.says("(PostgreSQL|Temporal) +ready")
        children = psutil.Process(up.process.pid).children(recursive=True)
        up.process.send_signal(signal.SIGTERM)
        assert await up.ends() == 0, up.text
    assert "ready" not in up.lines
    assert [child for child in children if lives(child)] == []
