"""The demo as a person runs it: a process of its own, which leaves nothing behind."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 20
MARK = "STEADYHAND_TEST_MARK"


class Demo:
    """A running demo. All that it starts inherits a mark in its environment, by which it is found."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self.folder = folder
        self._mark = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [sys.executable, "starter.py", "demo", "--seconds", str(seconds)],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "COLUMNS": "120", MARK: self._mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def read_until(self, words: str) -> None:
        """Read its output up to a line with these words."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if words in line:
                return
        pytest.fail(f"the demo ended without {words!r}:\n{self.output}")

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def finish(self) -> int:
        """Wait for its end, and return its exit status."""
        rest, _ = self._process.communicate(timeout=200)
        self.lines.append(rest)
        return self._process.returncode

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def leftovers(self) -> list[str]:
        """Return processes and files that it has left."""
        processes = [" ".join(process.cmdline()) for process in self._marked()]
        return processes + [str(path) for path in self.folder.glob("steadyhand-*")]

    def end(self) -> None:
        """Kill what still runs, for a test that failed."""
        for process in self._marked():
            process.kill()
        self._process.communicate()

    def _marked(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except psutil.Error:
                continue


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    running = Demo(tmp_path, request.param)
    yield running
    running.end()


@pytest.mark.parametrize("demo", [SECONDS], indirect=True)
def test_a_short_demo_kills_the_worker_and_proves_that_nothing_was_lost(demo: Demo) -> None:
    assert demo.finish() == 0, demo.output
    assert "killed with SIGKILL" in demo.output
    assert "all 6 bots are watched again" in demo.output
    assert "the journal equals the workflow histories" in demo.output
    assert "duplicates: 0, missing: 0, different: 0" in demo.output
    for name in ("Dip Hunter", "Rubber Band", "Tight Leash", "Quick Fingers", "Knife Catcher", "Long Breath"):
        assert name in demo.output
    assert demo.leftovers() == []


@pytest.mark.parametrize("demo", [600], indirect=True)
def test_an_interrupt_ends_the_show_early_and_in_order(demo: Demo) -> None:
    demo.read_until("of 600")
    demo.interrupt()
    assert demo.finish() == 0, demo.output
    assert "the show ended before the worker was killed" in demo.output
    assert "duplicates: 0, missing: 0, different: 0" in demo.output
    assert demo.leftovers() == []


@pytest.mark.parametrize("demo", [600], indirect=True)
def test_an_interrupt_during_the_start_stops_at_once(demo: Demo) -> None:
    demo.read_until("simulated exchange  ")
    demo.interrupt()
    assert demo.finish() == 130, demo.output
    assert "nothing is left running" in demo.output
    assert demo.leftovers() == []
