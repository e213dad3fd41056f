"""Everything that keeps the stack from starting is one clear sentence."""

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from embedded.cluster import check_cluster, find_binaries
from embedded.directory import DataDirectory
from embedded.errors import EmbeddedError
from embedded.existing import check_database as check_existing_database
from embedded.existing import temporal_from_environment
from embedded.ports import FREE_PORTS, PortBook, Ports
from embedded.stack import EmbeddedStack
from embedded.temporal import check_database, find_temporal


def test_a_directory_in_use_names_the_process_that_uses_it(tmp_path: Path) -> None:
    first, second = DataDirectory(tmp_path), DataDirectory(tmp_path)
    first.open()
    try:
        with pytest.raises(EmbeddedError, match=f"{tmp_path} is in use by process {os.getpid()};"):
            second.open()
    finally:
        first.close()
    second.open()
    second.close()


@pytest.mark.parametrize("place", ["data", "data/logs", "data/run"])
def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("a file")
    with pytest.raises(EmbeddedError, match=f"{file} cannot be a folder: there is a file in its place"):
        DataDirectory(tmp_path / "data").open()


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(EmbeddedError, match="there is a file in its place"):
        DataDirectory(tmp_path / "file" / "data").open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EmbeddedError, match="is not writable for this user"):
        DataDirectory(tmp_path / "data").open()


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.directory.MIN_FREE_BYTES", 2**62)
    with pytest.raises(EmbeddedError, match=r"the disk of .* has \d+ MB left"):
        DataDirectory(tmp_path).open()


def test_the_data_of_another_major_version_of_postgresql_is_refused(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="is of PostgreSQL 16; expected 18"):
        check_cluster(tmp_path)


def test_a_folder_of_other_files_is_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(EmbeddedError, match="no PG_VERSION"):
        check_cluster(tmp_path)


def test_a_file_is_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "postgres").touch()
    with pytest.raises(EmbeddedError, match="must be the folder of a PostgreSQL cluster; it is a file"):
        check_cluster(tmp_path / "postgres")


def test_an_empty_folder_or_none_can_become_a_cluster(tmp_path: Path) -> None:
    assert not check_cluster(tmp_path)
    assert not check_cluster(tmp_path / "none")


def test_a_state_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "temporal.db"
    path.write_text("not a database, but perhaps dear to somebody")
    with pytest.raises(EmbeddedError, match=f"Temporal's state {path} is damaged"):
        check_database(path)
    assert path.exists()


def test_a_folder_in_place_of_the_state_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="it is a folder"):
        check_database(tmp_path)


def test_the_state_of_a_first_start_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "temporal.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE namespaces (id)")
    connection.close()
    check_database(path)
    assert not path.exists()


def test_a_state_file_with_a_namespace_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "temporal.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE namespaces (id)")
    connection.execute("INSERT INTO namespaces VALUES (1)")
    connection.commit()
    connection.close()
    check_database(path)
    assert path.exists()


def test_a_taken_port_names_who_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        expected = rf"port {port} for temporal is taken by process {os.getpid()} \(.+\); end it or choose another port"
        with pytest.raises(EmbeddedError, match=expected):
            PortBook(tmp_path / "ports.json").choose("temporal", port)


def test_a_port_that_is_no_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="must be between 1 and 65535"):
        PortBook(tmp_path / "ports.json").choose("ui", 70_000)


def test_ports_are_remembered_and_given_up_when_taken(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    first = book.choose("postgres", 0)
    book.save()
    assert first in FREE_PORTS
    assert PortBook(tmp_path / "ports.json").choose("postgres", None) == first
    with socket.create_server(("127.0.0.1", first)):
        assert PortBook(tmp_path / "ports.json").choose("postgres", None) != first


async def test_a_taken_port_leaves_nothing_running_and_the_directory_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        ports = Ports(postgres=holder.getsockname()[1], temporal=0, ui=0)
        with pytest.raises(EmbeddedError, match="for postgres is taken"):
            async with EmbeddedStack(tmp_path, ports=ports):
                pass
    directory = DataDirectory(tmp_path)
    directory.open()
    directory.close()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    with pytest.raises(EmbeddedError, match="the program `temporal` was not found"):
        find_temporal()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedError, match="PostgreSQL 18 was not found"):
        find_binaries()


async def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(EmbeddedError, match=r"the database at 127.0.0.1:1/bots does not answer") as caught:
        await check_existing_database("postgresql+asyncpg://bot:secret@127.0.0.1:1/bots")
    assert "secret" not in str(caught.value)


async def test_a_database_url_of_another_kind_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="must begin with postgresql://"):
        await check_existing_database("sqlite:///bots.db")


async def test_a_temporal_server_of_the_environment_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "trading")
    found = temporal_from_environment()
    assert found is not None
    assert (found.address, found.namespace) == ("127.0.0.1:1", "trading")
    with pytest.raises(
        EmbeddedError, match=r"^Temporal at 127\.0\.0\.1:1 does not answer \(connection refused\); expected a Temporal"
    ):
        await found.check()


def test_without_an_address_in_the_environment_there_is_no_existing_temporal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    assert temporal_from_environment() is None
