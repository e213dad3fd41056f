"""`python -m simulator` as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "simulator", *map(str, arguments)]


@contextmanager
def running(*arguments: str | Path) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """A simulator on a free port, its URL and its first line; gone at the end."""
    process = subprocess.Popen(
        command("--port", "0", *arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line or process.communicate()[1]
        yield process, found[0], line
    finally:
        process.kill()
        process.communicate()


def read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly_on_a_signal(name: signal.Signals) -> None:
    with running("--symbols", "BTCUSDT,ETHUSDT", "--seed", "9") as (process, url, line):
        assert line == f"simulator: BTCUSDT, ETHUSDT at {url}\n"
        # An open keep-alive connection does not hold it up.
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as idle:
            idle.sendall(b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in idle.recv(4_096)
            process.send_signal(name)
            output, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert (output, errors) == ("", "")


def test_without_options_the_usual_symbols_trade_at_the_real_time() -> None:
    with running() as (_, url, line):
        assert line.startswith("simulator: BTCUSDT, ETHUSDT, SOLUSDT, BNBUSDT, XRPUSDT, ADAUSDT, DOGEUSDT, LTCUSDT at")
        assert read(f"{url}/sim/clock")["speed"] == 1
        assert len(read(f"{url}/api/v3/klines?symbol=SOLUSDT&interval=1s&limit=1000")) >= 600


def test_a_file_is_replayed_from_a_thousand_candles_on_at_the_speed_asked_for(data_file: Path, rows: list[Any]) -> None:
    with running("--csv", data_file, "--speed", "600") as (_, url, _line):
        now = read(f"{url}/sim/clock")["now_ms"]
        lines = read(f"{url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000")
    assert rows[1_000].time <= now < rows[1_300].time
    assert len(lines) == 1_000
    assert float(lines[0][1]) == float(rows[(lines[0][0] - rows[0].time) // 60_000].open)


def test_the_clock_starts_where_it_is_told_and_a_file_can_stand_beside_generated_symbols(
    temporary_csv: Callable[..., Path],
) -> None:
    file = temporary_csv("60000,10,12,9,11,6", "120000,11,11,11,11,3")
    arguments = ("--csv", file, "--symbol", "LTCUSDT", "--symbols", "ABCUSDT", "--start", "2022-05-01T12:00:00")
    with running(*arguments) as (_, url, _line):
        assert read(f"{url}/sim/clock")["now"].startswith("2022-05-01T12:00:")
        assert read(f"{url}/sim/health")["symbols"] == ["LTCUSDT", "ABCUSDT"]
        assert float(read(f"{url}/api/v3/ticker/price?symbol=LTCUSDT")["price"]) == 11


def test_accounts_of_options_and_of_a_file_are_open_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text('[{"name": "filed", "balances": {"BTC": "3"}}]')
    with running("--account", "k:s:USDT=5", "--account", "l:s", "--accounts", file) as (_, url, _line):
        accounts = read(f"{url}/ledger")["accounts"]
    assert [(account["account"], account["balances"]) for account in accounts] == [
        ("filed", [{"asset": "BTC", "free": "3.00000000", "locked": "0.00000000"}]),
        ("k", [{"asset": "USDT", "free": "5.00000000", "locked": "0.00000000"}]),
        ("l", []),
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--csv", "no-such-file.csv"), "No such file"),
        (("--symbols", "BTC/USDT"), "symbol must be capital letters"),
        (("--symbols", "BTCUSDT,BTCUSDT"), "BTCUSDT is there twice"),
        (("--speed", "0"), "speed must be above 0"),
        (("--port", "70000"), "port must be 0-65535"),
        (("--volatility", "0"), "volatility must be above 0"),
        (("--start", "yesterday"), "expected a time like"),
        (("--account", "key"), "an account must be KEY:SECRET"),
        (("--account", "k:s", "--account", "k:t"), "'k' is taken"),
        (("--accounts", "no-such-file.json"), "No such file"),
    ],
)
def test_bad_options_end_it_with_one_clear_line(arguments: tuple[str, ...], complaint: str) -> None:
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_ends_it_with_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            command("--port", str(taken.getsockname()[1])),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=dict(os.environ),
        )
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1
