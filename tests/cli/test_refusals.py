"""Foreseeable trouble: one clear sentence on standard error, and exit code 1; wrong usage: 2."""

from pathlib import Path

import pytest

from tests.cli.helpers import Cli


async def test_without_servers_the_sentence_says_to_start_them(tmp_path: Path) -> None:
    outcome = await Cli()("bots", "list")
    assert outcome.code == 1
    assert outcome.err == (
        f"error: nothing runs in {tmp_path / 'data'}; "
        "start it with `python starter.py up`, or name another --data-dir\n"
    )


@pytest.mark.parametrize(
    "command", [("show",), ("why",), ("edit",), ("enable",), ("restart",), ("close",), ("orders",), ("events",)]
)
async def test_an_unknown_bot_is_named(cli: Cli, command: tuple[str]) -> None:
    outcome = await cli("bots", *command, "nobody")
    assert (outcome.code, outcome.err) == (1, "error: there is no bot nobody\n")


async def test_a_mistyped_command_is_a_usage_error_that_names_the_nearest(cli: Cli) -> None:
    outcome = await cli("bots", "lst")
    assert outcome.code == 2
    assert "Did you mean 'list'?" in outcome.err


async def test_a_database_without_tables_says_how_to_make_them(
    cli: Cli, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", empty_database_url)
    outcome = await cli("bots", "list")
    assert outcome.code == 1
    assert "run `python starter.py migrate`" in outcome.err


async def test_a_database_that_is_away_is_named_without_its_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/bots")
    outcome = await cli("bots", "list")
    assert outcome.code == 1
    assert outcome.err.startswith("error: the database at 127.0.0.1:1/bots cannot be reached: ")
    assert "secret" not in outcome.err


async def test_a_url_of_another_database_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "mysql://me:secret@host/bots")
    outcome = await cli("bots", "list")
    assert (outcome.code, outcome.err) == (1, "error: the database URL must begin with postgresql://; was mysql://\n")


async def test_a_setting_out_of_range_is_named_by_its_variable(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_SEGMENT_SECONDS", "-1")
    outcome = await cli("bots", "list")
    assert outcome.code == 1
    assert "STEADYHAND_SEGMENT_SECONDS: Input should be greater than 0; was '-1'" in outcome.err


@pytest.mark.parametrize(
    "group", [(), ("bots",), ("up",), ("doctor",), ("migrate",), ("bots", "create"), ("bots", "events")]
)
async def test_every_command_explains_itself(group: tuple[str, ...]) -> None:
    outcome = await Cli()(*group, "--help")
    assert outcome.code == 0
    assert "Usage:" in outcome.out


async def test_the_help_lists_every_command_with_a_sentence() -> None:
    from cli.bots.app import COMMANDS

    lines = (await Cli()("bots", "--help")).out.splitlines()
    for name in COMMANDS:
        [line] = [line for line in lines if line.strip("│ ").startswith(f"{name} ")]
        assert len(line.strip("│ ").split()) > 3
