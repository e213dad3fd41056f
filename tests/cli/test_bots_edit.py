import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.bots.document import pretty
from db.bots import BotRepository
from tests.cli.helpers import Cli, editor, running_bot
from tests.support.bots import Bench, raw_config, until
from tests.support.postgres import PostgresServer

CONFIG = raw_config("one", enabled=False)


@pytest.fixture(autouse=True)
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """What is left in the folder for temporary files."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return lambda: list(folder.iterdir())


@pytest.fixture
async def one(rows: BotRepository, cli: Cli) -> str:
    """A disabled bot, so that there is nobody to be told."""
    return (await rows.create("one", CONFIG)).bot_id


def kept_file(text: str) -> Path:
    """Return the file that a sentence says the text is kept in."""
    found = re.search(r"your text is kept in (\S+\.json)", text)
    assert found, text
    return Path(found[1])


async def test_what_is_saved_becomes_the_next_version(
    cli: Cli, one: str, rows: BotRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = CONFIG | {"name": "Better"}
    monkeypatch.setenv("EDITOR", editor(tmp_path, json.dumps(changed)))
    outcome = await cli("bots", "edit", one)
    assert (outcome.code, outcome.out) == (0, "saved one as version 2\n")
    assert (await rows.get(one)).config == changed
    assert (await rows.versions(one))[0].author.startswith("cli:")


async def test_nothing_is_left_of_a_text_that_was_saved(
    cli: Cli, one: str, drafts: Callable[[], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, json.dumps(CONFIG | {"name": "Better"})))
    assert (await cli("bots", "edit", one)).code == 0
    assert drafts() == []


async def test_the_editor_shows_the_keys_in_the_order_of_the_documentation(
    cli: Cli, one: str, drafts: Callable[[], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # JSONB has an order of its own: shorter keys first.
    monkeypatch.setenv("EDITOR", editor(tmp_path, pretty(CONFIG)))
    outcome = await cli("bots", "edit", one)
    assert (outcome.code, outcome.out) == (0, "no change to one\n")
    assert drafts() == []
    shown = json.loads((tmp_path / "seen-0").read_text())
    assert list(shown)[:6] == ["id", "name", "enabled", "symbol", "broker", "strategy"]
    assert list(shown["broker"]) == ["type", "trading_mode", "name", "cash"]


async def test_an_invalid_text_is_edited_again_from_where_it_was_left(
    cli: Cli, one: str, rows: BotRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = json.dumps(CONFIG | {"nmae": "x"}), json.dumps(CONFIG | {"name": "x"})
    monkeypatch.setenv("EDITOR", editor(tmp_path, wrong, right))
    outcome = await cli("bots", "edit", one, answer="y\n")
    assert outcome.code == 0
    assert "nmae: unknown key; did you mean name?" in outcome.err
    assert (tmp_path / "seen-1").read_text() == wrong
    assert (await rows.get(one)).config["name"] == "x"


@pytest.mark.parametrize("answer", ["n\n", ""])
async def test_a_text_that_is_given_up_is_kept(
    cli: Cli, one: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, '{"id": "one",'))
    outcome = await cli("bots", "edit", one, answer=answer)
    assert outcome.code == 1
    assert "line 1, column 14" in outcome.err
    kept = kept_file(outcome.err)
    assert kept.read_text() == '{"id": "one",'
    assert "one was not changed" in outcome.err


async def test_a_bot_cannot_be_renamed(cli: Cli, one: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, json.dumps(CONFIG | {"id": "two"})))
    outcome = await cli("bots", "edit", one, answer="n\n")
    assert "id: must be one, a bot cannot be renamed; was two" in outcome.err
    assert kept_file(outcome.err).exists()


async def test_two_people_cannot_overwrite_each_other(
    cli: Cli, one: str, rows: BotRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = json.dumps(CONFIG | {"name": "mine"})
    monkeypatch.setenv("EDITOR", editor(tmp_path, mine))
    (tmp_path / "hold").touch()
    editing = asyncio.create_task(cli("bots", "edit", one))
    await until((tmp_path / "seen-0").exists)
    await rows.update_config(one, CONFIG | {"name": "theirs"})
    (tmp_path / "hold").unlink()
    outcome = await editing
    assert outcome.code == 1
    assert "somebody else has changed it meanwhile: bot one is at version 2" in outcome.err
    kept = kept_file(outcome.err)
    assert kept.read_text() == mine
    assert (await rows.get(one)).config["name"] == "theirs"


async def test_an_editor_that_fails_changes_nothing(
    cli: Cli, one: str, rows: BotRepository, drafts: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "false")
    outcome = await cli("bots", "edit", one)
    assert outcome.code == 1
    assert "the editor false ended with status 1" in outcome.err
    assert (await rows.get(one)).version == 1
    assert drafts() == [], "nothing was typed"


async def test_what_was_typed_is_kept_when_the_database_goes_away(
    cli: Cli, one: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = json.dumps(CONFIG | {"name": "mine"})
    monkeypatch.setenv("EDITOR", editor(tmp_path, mine))
    (tmp_path / "hold").touch()
    editing = asyncio.create_task(cli("bots", "edit", one))
    await until((tmp_path / "seen-0").exists)
    postgres_server.stop()
    try:
        (tmp_path / "hold").unlink()
        outcome = await editing
    finally:
        postgres_server.start()
    assert outcome.code == 1
    assert "cannot be reached" in outcome.err
    assert kept_file(outcome.err).read_text() == mine


async def test_an_editor_that_does_not_exist_is_named(cli: Cli, one: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    outcome = await cli("bots", "edit", one)
    assert "error: the editor no-such-editor cannot be run: No such file or directory; set EDITOR" in outcome.err


async def test_a_running_bot_takes_over_what_was_saved(
    cli: Cli, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await running_bot(bench)
    changed = raw_config(bot.bot_id, risk_management__stop_loss_pct=2.5)
    monkeypatch.setenv("EDITOR", editor(tmp_path, json.dumps(changed)))
    outcome = await cli("bots", "edit", bot.bot_id)
    assert outcome.code == 0, outcome.err
    assert f"{bot.bot_id}  running, version 2" in outcome.out
    assert (await bot.status()).version == 2
