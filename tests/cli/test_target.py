import os
import stat
from pathlib import Path

import pytest

from cli.endpoints import Endpoints, own_process, read_endpoints, remove_endpoints, write_endpoints
from cli.output import CliError
from cli.target import find_target
from domain.state import WatchOptions

STACK_URL = "postgresql://steadyhand:secret@127.0.0.1:25000/steadyhand"


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A data directory whose stack runs: it is this very process."""
    data_dir = tmp_path / "data"
    (data_dir / "run").mkdir(parents=True)
    write_endpoints(data_dir, endpoints())
    return data_dir


def endpoints(**changes: object) -> Endpoints:
    return Endpoints.model_validate(
        {
            **own_process(),
            "database_url": STACK_URL,
            "temporal_address": "127.0.0.1:25001",
            "namespace": "default",
            "ui_url": "http://127.0.0.1:25002",
            "health_url": "http://127.0.0.1:25003/health",
            "watch": WatchOptions(segment_seconds=77, heartbeat_timeout_seconds=8),
            **changes,
        }
    )


def test_the_running_stack_of_the_data_directory_is_found(running: Path) -> None:
    target = find_target(running)
    assert target.database_url == STACK_URL
    assert target.address == "127.0.0.1:25001"
    assert target.link("rsi") == "http://127.0.0.1:25002/namespaces/default/workflows/bot-rsi"


def test_commands_tell_bots_the_watch_options_of_the_stack_not_their_own(running: Path) -> None:
    assert find_target(running).watch.segment_seconds == 77


def test_the_file_is_private_because_it_holds_the_password(running: Path) -> None:
    mode = stat.S_IMODE(os.stat(running / "run/endpoints.json").st_mode)  # noqa: PTH116
    assert mode == 0o600


def test_the_password_is_not_shown_with_the_endpoints_or_the_target(running: Path) -> None:
    assert "secret" not in repr(endpoints())
    assert "secret" not in repr(find_target(running))


def test_nothing_runs_after_the_file_was_removed(running: Path) -> None:
    remove_endpoints(running)
    with pytest.raises(CliError, match=f"nothing runs in {running}; start it with `python starter.py up`"):
        find_target(running)


def test_the_file_of_a_stack_that_was_killed_counts_for_nothing(running: Path) -> None:
    # The number lives on in another process, which was started at another time.
    write_endpoints(running, endpoints(process_started=1.0))
    assert read_endpoints(running) is None


def test_a_damaged_file_counts_for_nothing(running: Path) -> None:
    (running / "run/endpoints.json").write_text("{")
    assert read_endpoints(running) is None


def test_a_database_of_the_environment_is_never_mixed_with_the_temporal_of_the_stack(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://elsewhere/bots")
    target = find_target(running)
    assert (target.database_url, target.address) == ("postgresql://elsewhere/bots", "localhost:7233")
    assert target.ui_url is None


def test_the_same_database_named_in_the_environment_still_finds_the_stack(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", STACK_URL)
    assert find_target(running).address == "127.0.0.1:25001"


def test_temporal_alone_in_the_environment_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    with pytest.raises(CliError, match="STEADYHAND_DATABASE_URL must be set too, since Temporal is named: temporal"):
        find_target(tmp_path)


def test_namespace_and_address_come_from_temporals_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://elsewhere/bots")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "trading")
    target = find_target(tmp_path)
    assert (target.address, target.namespace) == ("temporal:7233", "trading")
