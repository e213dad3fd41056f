import json
from pathlib import Path
from typing import Any

from db.bots import BotRepository
from tests.cli.helpers import Cli, new_id
from tests.support.bots import Bench, raw_config

EXAMPLE = Path(__file__).parents[1] / "e2e/example.json"


def file_of(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


async def ids(rows: BotRepository) -> list[str]:
    return [bot.bot_id for bot in await rows.list_overview()]


async def test_a_file_becomes_a_row_with_its_author(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    config = raw_config("one", enabled=False)
    outcome = await cli("bots", "import", file_of(tmp_path, "one.json", config))
    assert outcome.code == 0, outcome.err
    assert (await rows.get("one")).config == config
    [version] = await rows.versions("one")
    assert version.author.startswith("cli:")


async def test_a_list_in_one_file_makes_a_bot_of_each(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    both = [raw_config("one", enabled=False), raw_config("two", enabled=False)]
    outcome = await cli("bots", "import", file_of(tmp_path, "both.json", both))
    assert (outcome.code, await ids(rows)) == (0, ["one", "two"])


async def test_what_is_invalid_is_refused_with_file_and_path_and_the_rest_is_imported(
    cli: Cli, rows: BotRepository, tmp_path: Path
) -> None:
    good = file_of(tmp_path, "good.json", raw_config("good", enabled=False))
    bad = file_of(tmp_path, "bad.json", raw_config("bad", trading__positon_size=0.1, data__interval="7x"))
    outcome = await cli("bots", "import", bad, good)
    assert outcome.code == 1
    assert await ids(rows) == ["good"]
    assert f"{bad}: trading.positon_size: unknown key; did you mean position_size?\n" in outcome.err
    assert f"{bad}: data.interval: must be a number and one of" in outcome.err
    assert "1 of 2 configurations are refused; 1 imported" in outcome.err


async def test_strict_imports_nothing_when_one_is_invalid(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    good = file_of(tmp_path, "good.json", raw_config("good", enabled=False))
    bad = file_of(tmp_path, "bad.json", raw_config("bad", data__interval="7x"))
    outcome = await cli("bots", "import", "--strict", good, bad)
    assert (outcome.code, await ids(rows)) == (1, [])
    assert "error: nothing was imported: 1 of 2 configurations are refused\n" in outcome.err


async def test_files_that_are_no_configuration_are_told_apart(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    broken = file_of(tmp_path, "broken.json", '{\n  "id": "x",,\n}')
    twice = file_of(tmp_path, "twice.json", '{"id": "x", "id": "y"}')
    number = file_of(tmp_path, "number.json", "3")
    absent = str(tmp_path / "absent.json")
    outcome = await cli("bots", "import", broken, twice, number, absent)
    assert outcome.code == 1
    assert "error: 4 of 4 configurations are refused; nothing was imported\n" in outcome.err
    assert f"{broken}: line 2, column 13: " in outcome.err
    assert f"{twice}: each key may stand once in an object; there twice: id\n" in outcome.err
    assert f"{number}: must be an object with the configuration of a bot; was 3\n" in outcome.err
    assert f"{absent}: cannot be read: No such file or directory\n" in outcome.err


async def test_an_id_that_exists_is_refused(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    await rows.create("one", raw_config("one", enabled=False))
    outcome = await cli("bots", "import", file_of(tmp_path, "one.json", raw_config("one", name="New", enabled=False)))
    assert outcome.code == 1
    assert "id: there is a bot one already" in outcome.err
    assert (await rows.get("one")).version == 1


async def test_replace_gives_a_bot_that_exists_the_new_configuration(
    cli: Cli, rows: BotRepository, tmp_path: Path
) -> None:
    before = await rows.create("one", raw_config("one", enabled=False))
    file = file_of(tmp_path, "one.json", raw_config("one", name="New", enabled=False))
    outcome = await cli("bots", "import", "--replace", "--wait", "0", file)
    # The row is changed, though the fleet cannot be told: nothing answers at Temporal's address.
    assert outcome.code == 1
    assert "the rows are changed, but the bots could not be told" in outcome.err
    after = await rows.get("one")
    assert (after.uid, after.version, after.config["name"]) == (before.uid, 2, "New")


async def test_one_id_in_two_files_is_refused_the_second_time(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    first = file_of(tmp_path, "a.json", raw_config("one", enabled=False))
    second = file_of(tmp_path, "b.json", raw_config("one", enabled=False))
    outcome = await cli("bots", "import", first, second)
    assert outcome.code == 1
    assert f"{second}: id: one stands in {first} already" in outcome.err
    assert await ids(rows) == ["one"]


async def test_an_enabled_bot_runs_at_once(cli: Cli, bench: Bench, tmp_path: Path) -> None:
    bot_id = new_id()
    outcome = await cli("bots", "import", file_of(tmp_path, "one.json", raw_config(bot_id)))
    assert outcome.code == 0, outcome.err
    assert f"{bot_id}  running, version 1" in outcome.out


async def test_the_users_own_example_is_imported_unchanged(cli: Cli, rows: BotRepository, tmp_path: Path) -> None:
    config = json.loads(EXAMPLE.read_text())
    config["enabled"] = False
    outcome = await cli("bots", "import", file_of(tmp_path, "example.json", config))
    assert outcome.code == 0, outcome.err
    assert (await rows.get(config["id"])).config == config
