"""Supervision of child processes, with small stand-ins."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from embedded.errors import EmbeddedError
from embedded.leftovers import PidFiles
from embedded.logs import MAX_BYTES, ChildLog
from embedded.process import Child, NotReadyError
from embedded.supervisor import Backoff, ChildEvent, Supervisor
from tests.embedded.helpers import QUICK, Recorder, eventually, runs

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def child(tmp_path: Path, code: str, name: str = "worker", **options: object) -> Child:
    log_path = tmp_path / f"{name}.log"
    return Child(name=name, argv=[sys.executable, "-c", code], log_path=log_path, **options)  # type: ignore[arg-type]


def supervisor(tmp_path: Path, recorder: Recorder, backoff: Backoff = QUICK) -> Supervisor:
    return Supervisor(tmp_path, on_event=recorder.on_event, on_line=recorder.on_line, backoff=backoff)


def log_says(path: Path, word: str) -> bool:
    return path.exists() and word in path.read_text()


async def test_children_stop_in_reverse_order(tmp_path: Path, recorder: Recorder) -> None:
    family = supervisor(tmp_path, recorder)
    for name in ("first", "second", "third"):
        await family.start(child(tmp_path, SLEEPS, name))
    await family.close()
    assert recorder.names_with(ChildEvent.READY) == ["first", "second", "third"]
    assert recorder.names_with(ChildEvent.STOPPED) == ["third", "second", "first"]


async def test_the_next_child_starts_after_the_one_before_is_ready(tmp_path: Path, recorder: Recorder) -> None:
    flag = tmp_path / "flag"

    async def ready() -> None:
        if not flag.exists():
            raise NotReadyError("no flag yet")

    writes_late = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, writes_late, "first", ready=ready))
    assert flag.exists()
    await family.close()


async def test_a_killed_child_is_restarted_with_a_new_process(tmp_path: Path, recorder: Recorder) -> None:
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS))
    killed = family.kill("worker")
    await asyncio.wait_for(family.wait_ready("worker"), 5)
    back = family.pid("worker")
    await family.close()
    assert back not in (None, killed)
    assert family_story(recorder) == ["starting", "ready", "killed", "died", "restarting", "starting", "ready"]
    assert "signal 9" in recorder.events[3][2]


def family_story(recorder: Recorder) -> list[str]:
    return [event.value for _, event, _ in recorder.events if event not in (ChildEvent.STOPPING, ChildEvent.STOPPED)]


async def test_the_delay_doubles_up_to_its_limit_while_a_child_keeps_dying(tmp_path: Path, recorder: Recorder) -> None:
    family = supervisor(tmp_path, recorder, Backoff(first=0.01, longest=0.04, reset_after=60))
    await family.start(child(tmp_path, "pass"))
    await eventually(lambda: len(recorder.names_with(ChildEvent.RESTARTING)) >= 5)
    await family.close()
    delays = [detail for _, event, detail in recorder.events if event is ChildEvent.RESTARTING]
    assert delays[:5] == ["in 0.01 s", "in 0.02 s", "in 0.04 s", "in 0.04 s", "in 0.04 s"]


async def test_the_delay_is_the_first_again_after_a_long_life(tmp_path: Path, recorder: Recorder) -> None:
    family = supervisor(tmp_path, recorder, Backoff(first=0.01, longest=10, reset_after=0))
    await family.start(child(tmp_path, "pass"))
    await eventually(lambda: len(recorder.names_with(ChildEvent.RESTARTING)) >= 4)
    await family.close()
    assert {detail for _, event, detail in recorder.events if event is ChildEvent.RESTARTING} == {"in 0.01 s"}


async def test_a_restart_that_does_not_get_ready_is_tried_again(tmp_path: Path, recorder: Recorder) -> None:
    probes = 0

    async def ready() -> None:
        nonlocal probes
        probes += 1
        if probes == 2:
            raise EmbeddedError("refused once")

    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS, ready=ready))
    family.kill("worker")
    await asyncio.wait_for(family.wait_ready("worker"), 5)
    await family.close()
    assert recorder.names_with(ChildEvent.FAILED) == ["worker"]


async def test_a_hook_that_fails_does_not_end_the_supervision(tmp_path: Path, recorder: Recorder) -> None:
    async def fails_once() -> None:
        if len(recorder.names_with(ChildEvent.RESTARTING)) == 1:
            raise KeyError("a bug")

    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS, before_start=fails_once))
    family.kill("worker")
    await asyncio.wait_for(family.wait_ready("worker"), 5)
    await family.close()
    assert len(recorder.names_with(ChildEvent.RESTARTING)) == 2


async def test_the_hook_is_called_before_each_start(tmp_path: Path, recorder: Recorder) -> None:
    called: list[list[str]] = []

    async def hook() -> None:
        called.append(family_story(recorder))

    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS, before_start=hook))
    family.kill("worker")
    await asyncio.wait_for(family.wait_ready("worker"), 5)
    await family.close()
    first = ["starting"]
    assert called == [first, [*first, "ready", "killed", "died", "restarting", "starting"]]


async def test_a_child_that_ignores_its_stop_signal_is_killed_after_its_timeout(
    tmp_path: Path, recorder: Recorder
) -> None:
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, STUBBORN, stop_timeout=0.3))
    await eventually(lambda: log_says(tmp_path / "worker.log", "up"))
    pid = family.pid("worker")
    await family.close()
    assert pid is not None
    assert not runs(pid)
    assert recorder.events[-1] == ("worker", ChildEvent.STOPPED, "killed after 0.3 s")


async def test_a_child_has_a_session_of_its_own(tmp_path: Path, recorder: Recorder) -> None:
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS))
    pid = family.pid("worker")
    session = os.getsid(pid or 0)
    await family.close()
    assert session == pid


async def test_grandchildren_go_with_a_killed_child(tmp_path: Path, recorder: Recorder) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, code))
    log = tmp_path / "worker.log"
    await eventually(lambda: log_says(log, "\n"))
    grandchild = int(log.read_text().split()[0])
    assert runs(grandchild)
    family.kill("worker")
    await eventually(lambda: not runs(grandchild))
    await family.close()


async def test_a_child_that_ends_before_it_is_ready_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    async def never() -> None:
        raise NotReadyError("silent")

    code = "print('older line'); print('the cause'); raise SystemExit(3)"
    family = supervisor(tmp_path, Recorder())
    with pytest.raises(EmbeddedError, match=r"(?s)worker ended with status 3 before it was ready.*the cause"):
        await family.start(child(tmp_path, code, ready=never))
    await family.close()


async def test_a_child_that_never_gets_ready_is_an_error_and_does_not_stay(tmp_path: Path) -> None:
    async def never() -> None:
        raise NotReadyError("port closed")

    family = supervisor(tmp_path, Recorder())
    with pytest.raises(EmbeddedError, match=r"(?s)was not ready within 0.3 s \(port closed\).*up"):
        await family.start(child(tmp_path, SLEEPS, ready=never, ready_timeout=0.3))
    await family.close()
    assert [p for p in psutil.Process().children() if SLEEPS in p.cmdline()] == []


async def test_a_missing_program_is_one_sentence(tmp_path: Path) -> None:
    family = supervisor(tmp_path, Recorder())
    with pytest.raises(EmbeddedError, match="worker cannot start: there is no program /nowhere/python"):
        await family.start(Child(name="worker", argv=["/nowhere/python"], log_path=tmp_path / "log"))
    await family.close()


async def test_new_lines_of_the_log_reach_the_terminal(tmp_path: Path, recorder: Recorder) -> None:
    (tmp_path / "worker.log").write_text("of an earlier run\n")
    family = supervisor(tmp_path, recorder)
    await family.start(child(tmp_path, SLEEPS))
    await eventually(lambda: bool(recorder.lines))
    await family.close()
    assert recorder.lines == [("worker", "up")]


def test_a_log_longer_than_its_limit_begins_anew_and_one_older_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    log = ChildLog(path)
    with log.open_for_child() as file:
        file.write(b"new\n")
    assert path.read_text() == "new\n"
    assert path.with_name("worker.log.1").stat().st_size == MAX_BYTES + 1
    assert log.new_lines() == ["new"]


def test_a_log_is_bounded_while_its_child_goes_on_writing(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "worker.log")
    with log.open_for_child() as file:
        file.write(b"x" * (MAX_BYTES + 1) + b"\n")
        file.flush()
        log.bound()
        file.write(b"after\n")
    assert log.path.read_text() == "after\n"
    assert log.new_lines() == ["after"]


async def sleeper() -> asyncio.subprocess.Process:
    """Start a process of which the supervisor knows nothing."""
    silent = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(sys.executable, "-c", SLEEPS, stdout=silent, start_new_session=True)


def pid_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.pid"))


async def test_what_a_killed_parent_left_running_is_ended(tmp_path: Path, recorder: Recorder) -> None:
    left = await sleeper()
    PidFiles(tmp_path).write(child(tmp_path, SLEEPS), left.pid)
    await supervisor(tmp_path, recorder).end_leftovers()
    assert await asyncio.wait_for(left.wait(), 5) == -signal.SIGTERM
    assert recorder.names_with(ChildEvent.CLEANED) == ["worker"]
    assert pid_files(tmp_path) == []


async def test_a_stranger_with_the_pid_of_a_leftover_is_spared(tmp_path: Path, recorder: Recorder) -> None:
    stranger = await sleeper()
    created = psutil.Process(stranger.pid).create_time() - 3600
    note = f'{{"pid": {stranger.pid}, "created": {created}, "signal": 15, "timeout": 1}}'
    (tmp_path / "worker.pid").write_text(note)
    await supervisor(tmp_path, recorder).end_leftovers()
    spared = stranger.returncode is None
    stranger.kill()
    await stranger.wait()
    assert spared
    assert recorder.events == []
