import socket
from pathlib import Path
from typing import Any

import pytest

from db.migrate import heads
from tests.cli.helpers import Cli, Outcome, eventually
from tests.support.bots import Bench


def check(outcome: Outcome, name: str) -> dict[str, Any]:
    [found] = [dict(line) for line in outcome.json if line["name"] == name]
    return found


async def test_all_is_well_with_servers_and_a_worker(cli: Cli, bench: Bench) -> None:
    async def well() -> bool:
        return (await cli("doctor", "--json")).code == 0

    # A poller is known to the server once its first poll has arrived.
    await eventually(well)
    outcome = await cli("doctor", "--json")
    assert {line["verdict"] for line in outcome.json} <= {"ok", "warn"}
    assert check(outcome, "queue trading")["found"].startswith("worker ")
    assert check(outcome, "database")["found"].endswith(f"tables at {heads()[0]}, the newest")
    text = await cli("doctor")
    assert "ok   search attributes" in text.out


async def test_without_a_worker_each_queue_says_how_to_mend_it(cli: Cli, idle_bench: Bench) -> None:
    outcome = await cli("doctor", "--json")
    # Workers of earlier tests may still be remembered at this server: a queue is well or says what to do.
    for role in ("trading", "market", "journal", "notify"):
        line = check(outcome, f"queue {role}")
        assert line["verdict"] == "ok" or "python worker.py" in line["mend"]


async def test_servers_that_are_away_fail(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/bots")
    outcome = await cli("doctor", "--json")
    assert outcome.code == 1
    assert check(outcome, "database")["verdict"] == "fail"
    assert check(outcome, "Temporal")["verdict"] == "fail"
    assert "secret" not in outcome.out


async def test_a_namespace_that_is_missing_fails(cli: Cli, idle_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    line = check(await cli("doctor", "--json"), "namespace")
    assert (line["verdict"], line["found"]) == ("fail", "there is no namespace elsewhere")
    assert "temporal operator namespace create elsewhere" in line["mend"]


async def test_old_tables_fail_and_migrate_mends_them(
    cli: Cli, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", empty_database_url)
    line = check(await cli("doctor", "--json"), "database")
    assert line["verdict"] == "fail"
    assert "no tables" in line["found"]
    assert line["mend"] == "run `python starter.py migrate`"
    migrated = await cli("migrate")
    assert migrated.code == 0
    assert migrated.out.startswith("applied 0001")
    assert check(await cli("doctor", "--json"), "database")["verdict"] == "ok"
    assert (await cli("migrate")).out == f"the database is at {heads()[0]}\n"


async def test_migrate_waits_for_a_database_and_then_gives_up(cli: Cli) -> None:
    outcome = await cli("migrate", "--database-url", "postgresql://me@127.0.0.1:1/bots", "--wait", "0.2")
    assert outcome.code == 1
    assert "error: the database at 127.0.0.1:1/bots cannot be reached" in outcome.err


async def test_without_servers_doctor_looks_at_the_machine_and_says_to_start_them() -> None:
    outcome = await Cli()("doctor", "--json")
    assert check(outcome, "servers")["found"].startswith("nothing runs in ")
    assert check(outcome, "temporal program")["verdict"] == "ok"


async def test_a_taken_port_is_a_warning_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.checks import machine
    from embedded.ports import Ports

    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(machine, "USUAL", Ports(temporal=taken, ui=0, health=0))
        outcome = await Cli()("doctor", "--json")
    line = check(outcome, f"port {taken}")
    assert line["verdict"] == "warn"
    assert f"port {taken} for temporal is taken by process" in line["found"]


async def test_a_data_directory_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = await Cli()("doctor", "--json", "--data-dir", str(tmp_path / "file"))
    assert outcome.code == 1
    assert check(outcome, "data directory")["verdict"] == "fail"


async def test_an_unknown_exchange_fails_with_the_nearest_name() -> None:
    outcome = await Cli()("doctor", "--json", "--venue", "binanse")
    assert outcome.code == 1
    assert "did you mean binance" in check(outcome, "exchange binanse")["found"]
