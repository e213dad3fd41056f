"""A plugin's process ends with its worker, however that ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.plugins.conftest import Zoo

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
    import sys
    import numpy as np
    from domain.candles import Candles
    from plugins.plugins import Plugins
    from plugins.process import Limits

    mode, switch = sys.argv[1:]
    plugins = Plugins(modules=["unruly_logics"], limits=Limits(call_seconds=1.0))
    entry = plugins.entry("entry", "unruly_logics:UnrulyEntry", {"mode": mode, "switch": switch})
    print("child", *plugins.pids, flush=True)
    ones = np.ones(5)
    if mode:
        entry.verdict(Candles(np.arange(5), ones, ones, ones, ones, ones))
    input()
"""


@pytest.mark.parametrize("mode", ["", "loops"])
def test_a_child_does_not_outlive_a_worker_that_is_killed(zoo: Zoo, mode: str) -> None:
    """An idle one hears at once that the worker has hung up; the kernel ends one that listens to nobody."""
    zoo.turn_on()
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent / "unruly")])
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), mode, str(zoo.switch)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        told = next(line for line in worker.stdout if line.startswith("child"))
        child = psutil.Process(int(told.split()[1]))
        time.sleep(0.3)
        assert child.is_running()
        worker.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while lives(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not lives(child)


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
